//! Asks for the binlog
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html>,
//! <https://mariadb.com/kb/en/com_binlog_dump/>).

use std::{fmt::Write, time::Duration};

use connect_core::{Error, Result};

use super::{Answer, Connection, Flavor, Packets, answer};
use crate::error;

const COM_BINLOG_DUMP: u8 = 0x12;
const COM_REGISTER_SLAVE: u8 = 0x15;
const COM_BINLOG_DUMP_GTID: u8 = 0x1e;
/// A host is not longer for MariaDB.
const LONGEST_NAME: usize = 60;
/// MariaDB: statements that made rows are sent too.
const SEND_ANNOTATE_ROWS: u16 = 2;
/// The binlog ends where it ends now, instead of going on as it grows.
const NON_BLOCK: u16 = 1;
/// MySQL: the position is that of a set of GTIDs.
const THROUGH_GTID: u16 = 4;

/// From where on.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// A file and a position in it.
    File(&'a str, u64),
    /// MySQL: what a set of GTIDs has not, encoded as the command wants it.
    Gtids(&'a [u8]),
    /// MariaDB: behind these (`0-1-100,1-2-7`).
    MariaDbGtids(&'a str),
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct DumpFrom<'a> {
    /// From where on.
    pub place: Place<'a>,
    /// Our number among the server's replicas; 0 for a look, of which no replica knows: it ends where the binlog ends now.
    pub server_id: u32,
    /// What the server's list of replicas shows as our host.
    pub name: &'a str,
    /// Our name among them: a later connection of the same name ends an earlier one.
    pub uuid: &'a str,
    /// After this long without an event the server sends a heartbeat.
    pub heartbeat: Duration,
    /// Whether statements that made rows are wanted (MariaDB).
    pub annotated: bool,
}

/// A binlog that comes.
#[derive(Debug)]
pub struct Dump {
    /// Its packets: a zero byte and an event, an error, or the end.
    pub packets: Packets,
    /// Whether events have checksums, until a format says otherwise.
    pub checked: bool,
}

pub(super) async fn start(mut connection: Connection, from: &DumpFrom<'_>) -> Result<Dump> {
    let flavor = connection.server.flavor;
    connection.execute(&session(flavor, from)).await?;
    // What we have asked for a moment ago, which also the first event has.
    let told = connection.query("SELECT @source_binlog_checksum").await?;
    let checked = told.first().is_some_and(|row| row.text(0) == "CRC32");
    let (command, argument) = command(flavor, from)?;
    let mut packets = connection.packets;
    if from.server_id > 0 {
        packets
            .command(COM_REGISTER_SLAVE, &registration(from))
            .await?;
        answer::head(&mut packets).await?;
    }
    packets.command(command, &argument).await?;
    Ok(Dump { packets, checked })
}

/// Old and new names: each server knows one of them, and the other is a variable that nobody reads.
fn session(flavor: Flavor, from: &DumpFrom<'_>) -> String {
    let nanos = from.heartbeat.as_nanos();
    let mut sql = format!(
        "SET @master_heartbeat_period = {nanos}, @source_heartbeat_period = {nanos}, \
         @master_binlog_checksum = @@global.binlog_checksum, \
         @source_binlog_checksum = @@global.binlog_checksum, \
         @slave_uuid = '{uuid}', @replica_uuid = '{uuid}'",
        uuid = from.uuid
    );
    if flavor == Flavor::MariaDb {
        // 4: GTIDs, and everything that MariaDB's own replicas understand.
        sql.push_str(", @mariadb_slave_capability = 4");
    }
    if let Place::MariaDbGtids(gtids) = from.place {
        // Writing to a String does not fail.
        let _ = write!(
            sql,
            ", @slave_connect_state = '{gtids}', @slave_gtid_strict_mode = 0, \
             @slave_gtid_ignore_duplicates = 0"
        );
    }
    sql
}

/// Number, host, no user, no password, no port, no rank, and a source that the server fills in.
fn registration(from: &DumpFrom<'_>) -> Vec<u8> {
    let mut out = from.server_id.to_le_bytes().to_vec();
    let name: Vec<u8> = from.name.bytes().take(LONGEST_NAME).collect();
    out.push(name.len() as u8);
    out.extend_from_slice(&name);
    out.extend_from_slice(&[0; 12]);
    out
}

fn command(flavor: Flavor, from: &DumpFrom<'_>) -> Result<(u8, Vec<u8>)> {
    let id = from.server_id;
    let (is_look, is_mariadb) = (id == 0, flavor == Flavor::MariaDb);
    let look = u16::from(is_look) * NON_BLOCK;
    let annotated = u16::from(is_mariadb && from.annotated) * SEND_ANNOTATE_ROWS;
    let flags = look | annotated;
    Ok(match from.place {
        Place::File(file, at) => match u32::try_from(at) {
            Ok(at) => (COM_BINLOG_DUMP, by_file(at, flags, id, file)),
            Err(_) if flavor == Flavor::MySql => {
                (COM_BINLOG_DUMP_GTID, by_gtid(look, id, (file, at), &[]))
            }
            Err(_) => {
                let what = "a position behind 4 GiB cannot be asked for";
                return Err(Error::new(&error::OFFSET, what).context("pos", at));
            }
        },
        Place::MariaDbGtids(_) => (COM_BINLOG_DUMP, by_file(4, flags, id, "")),
        Place::Gtids(set) => (
            COM_BINLOG_DUMP_GTID,
            by_gtid(THROUGH_GTID, id, ("", 4), set),
        ),
    })
}

fn by_file(at: u32, flags: u16, server_id: u32, file: &str) -> Vec<u8> {
    let mut out = at.to_le_bytes().to_vec();
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&server_id.to_le_bytes());
    out.extend_from_slice(file.as_bytes());
    out
}

fn by_gtid(flags: u16, server_id: u32, (file, at): (&str, u64), set: &[u8]) -> Vec<u8> {
    let mut out = flags.to_le_bytes().to_vec();
    out.extend_from_slice(&server_id.to_le_bytes());
    out.extend_from_slice(&(file.len() as u32).to_le_bytes());
    out.extend_from_slice(file.as_bytes());
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&(set.len() as u32).to_le_bytes());
    out.extend_from_slice(set);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(place: Place<'_>) -> DumpFrom<'_> {
        DumpFrom {
            place,
            server_id: 0x0102_0304,
            name: "tidewater shop",
            uuid: "u",
            heartbeat: Duration::from_secs(1),
            annotated: true,
        }
    }

    #[test]
    fn commands_have_the_layout_of_the_protocol() {
        let (command_of, bytes) = command(Flavor::MariaDb, &from(Place::File("b.1", 4))).unwrap();
        assert_eq!(command_of, COM_BINLOG_DUMP);
        assert_eq!(bytes, b"\x04\0\0\0\x02\0\x04\x03\x02\x01b.1");
        let registered = registration(&from(Place::File("b.1", 4)));
        assert_eq!(
            registered,
            b"\x04\x03\x02\x01\x0etidewater shop\0\0\0\0\0\0\0\0\0\0\0\0"
        );
        let (command_of, bytes) = command(Flavor::MySql, &from(Place::Gtids(b"set"))).unwrap();
        assert_eq!(command_of, COM_BINLOG_DUMP_GTID);
        assert_eq!(
            bytes,
            b"\x04\0\x04\x03\x02\x01\0\0\0\0\x04\0\0\0\0\0\0\0\x03\0\0\0set"
        );
    }

    #[test]
    fn a_look_ends_where_the_binlog_ends() {
        let look = DumpFrom {
            server_id: 0,
            annotated: false,
            ..from(Place::File("b.1", 4))
        };
        let (_, bytes) = command(Flavor::MySql, &look).unwrap();
        assert_eq!(bytes, b"\x04\0\0\0\x01\0\0\0\0\0b.1");
    }

    #[test]
    fn positions_behind_4_gib_are_asked_for_where_they_can_be() {
        let far = from(Place::File("b.1", 1 << 33));
        assert_eq!(
            command(Flavor::MySql, &far).unwrap().0,
            COM_BINLOG_DUMP_GTID
        );
        assert!(command(Flavor::MariaDb, &far).is_err());
    }
}
