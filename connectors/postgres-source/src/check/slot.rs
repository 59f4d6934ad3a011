//! The slot: whose it is, who reads it, whether one can be made.

use std::time::Duration;

use connect_core::Result;
use tokio::time::sleep;

use super::{Look, few};
use crate::{
    catalog::literal,
    config::PostgresConfig,
    error,
    slot::Slot,
    task::target,
    wire::{Answer, Connection},
};

/// A reader that was just stopped gets so many moments to let go of the slot …
const MOMENTS: u32 = 20;
/// … of this length.
const MOMENT: Duration = Duration::from_millis(100);

/// Who has the slot.
#[derive(Debug, Default)]
pub(super) struct State {
    reader: Option<Reader>,
}

#[derive(Debug)]
struct Reader {
    pid: String,
    name: String,
    is_this: bool,
}

impl State {
    /// Whether this connector reads it, or one that is called the same.
    pub(super) fn is_ours(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.is_this)
    }
}

impl Look<'_> {
    pub(super) async fn slot(&mut self, connection: &mut Connection) -> Result<()> {
        if !self.are_known(&["slot.name"]) {
            return Ok(());
        }
        let Some(slot) = Slot::find(connection, &self.config.slot).await? else {
            return self.makes_one(connection).await;
        };
        let name = self.slot_literal();
        if let Err(error) = slot.judge(self.config, None) {
            let mend = match error.code() {
                code if code == &error::SLOT_FOREIGN => format!(
                    "Choose another `slot.name`, or, if nobody needs it: `SELECT pg_drop_replication_slot({name})`"
                ),
                code if code == &error::SLOT_LOST => format!(
                    "`SELECT pg_drop_replication_slot({name})`, raise `max_slot_wal_keep_size`, then delete the connector's \
                     offsets or set `snapshot.mode=when_needed` to snapshot again"
                ),
                code => code.remedy.to_owned(),
            };
            self.error("slot.name", format!("{error}. {mend}"));
            return Ok(());
        }
        if slot.active {
            self.reader(connection).await?;
        }
        Ok(())
    }

    async fn reader(&mut self, connection: &mut Connection) -> Result<()> {
        let mut reader = read_by(connection, self.config).await?;
        for _ in 0..MOMENTS {
            if reader.as_ref().is_none_or(|reader| reader.is_this) {
                break;
            }
            sleep(MOMENT).await;
            reader = read_by(connection, self.config).await?;
        }
        match &reader {
            None => {}
            Some(reader) if reader.is_this => {
                let what = "A connector with this `topic.prefix` reads the slot at this moment, perhaps this one";
                self.warning("slot.name", what);
            }
            Some(Reader { pid, name, .. }) => {
                let what = format!(
                    "{name} (process {pid}) reads the slot. Stop it, with `SELECT pg_terminate_backend({pid})` if it is \
                     dead, or choose another `slot.name`: each connector needs its own"
                );
                self.error("slot.name", what);
            }
        }
        self.slot.reader = reader;
        Ok(())
    }

    async fn makes_one(&mut self, connection: &mut Connection) -> Result<()> {
        if self.server.free_slots > 0 {
            return Ok(());
        }
        let sql =
            "SELECT slot_name FROM pg_catalog.pg_replication_slots WHERE NOT active ORDER BY 1";
        let rows = connection.query(sql).await?;
        let drops = rows.iter().map(|row| {
            format!(
                "`SELECT pg_drop_replication_slot({})`",
                literal(row.text(0))
            )
        });
        let unread = match rows.len() {
            0 => String::new(),
            _ => format!(", or drop one that nobody reads: {}", few(drops, "; ")),
        };
        let more = self.server.max_slots + 10;
        let what = format!(
            "There is no such slot, and all replication slots of the server are taken: \
             `ALTER SYSTEM SET max_replication_slots = {more}` and restart the server{unread}"
        );
        self.error("slot.name", what);
        Ok(())
    }
}

/// Who reads the slot now.
async fn read_by(connection: &mut Connection, config: &PostgresConfig) -> Result<Option<Reader>> {
    let sql = format!(
        "SELECT s.active_pid, a.application_name FROM pg_catalog.pg_replication_slots s \
         LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid WHERE s.active AND s.slot_name = {}",
        literal(&config.slot)
    );
    let rows = connection.query(&sql).await?;
    Ok(rows.first().map(|row| Reader {
        pid: row.text(0).to_owned(),
        name: match row.text(1) {
            "" => "Somebody".to_owned(),
            name => format!("\"{name}\""),
        },
        is_this: row.text(1) == target(config).application,
    }))
}
