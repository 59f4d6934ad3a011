//! PostgreSQL.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use e2e::{Outcome, configs::postgres_source, configs::with};
use serde_json::Value;
use stack::{PgVersion, Postgres, PostgresOptions, Stack, wait_until};

use super::{Database, ROWS_PER_TRANSACTION, source_us};
use crate::{
    limit::{self, timed},
    report::Measured,
    workload::{Dialect, PostgresDialect, Workload},
};

const LIMIT: Duration = Duration::from_secs(60);

/// A PostgreSQL tuned as a production server would be, with fsync on.
pub(super) struct PostgresDatabase(Postgres);

impl PostgresDatabase {
    pub(super) fn start(stack: &Stack, version: PgVersion) -> Outcome<Self> {
        let options = PostgresOptions::new(version)
            .set("shared_buffers", "1GB")
            .set("max_wal_size", "8GB")
            .set("checkpoint_timeout", "30min")
            // A writer that is ended writes no more.
            .set("client_connection_check_interval", "100ms");
        Ok(Self(stack.postgres_with(options)?))
    }

    fn create_slot(&self) -> Outcome {
        self.sql("select pg_create_logical_replication_slot('limits_slot', 'pgoutput')")
    }

    fn psql(&self, sql: &str) -> Command {
        let mut psql = Command::new(self.0.program("psql"));
        psql.args(["-q", "-d", &self.0.url(), "-c", sql]);
        psql
    }

    fn copy_by_several(&self, rows: u64) -> Outcome<Measured> {
        limit::parts("COPY", rows, |part| {
            self.psql(&format!(
                "copy (select * from limits where {part}) to stdout"
            ))
        })
    }

    /// The stream of the slot `limits_slot`, which holds so many rows.
    fn receive(&self, rows: u64, scenario: &str) -> Outcome<Measured> {
        let end = self.0.psql("select pg_current_wal_lsn()")?;
        // Something after the end, so that the sender reaches it.
        self.sql("select pg_logical_emit_message(true, 'bench', 'end')")?;
        let mut receive = Command::new(self.0.program("pg_recvlogical"));
        receive.args(["-d", &self.0.url(), "--slot", "limits_slot", "--start"]);
        receive.args(["-f", "/dev/null", "--no-loop", "-o", "proto_version=1"]);
        receive.args(["-o", "publication_names=limits_publication"]);
        receive.args(["--endpos", end.trim()]);
        timed("server limit: pg_recvlogical", scenario, rows, &mut receive)
    }
}

impl Database for PostgresDatabase {
    fn sql(&self, sql: &str) -> Outcome {
        self.0.psql(sql)?;
        Ok(())
    }

    fn table(&self, name: &str) -> String {
        format!("public.{name}")
    }

    fn create_table(&self, name: &str) -> Outcome {
        self.0.psql(&format!(
            "drop publication if exists {name}_publication;
             drop table if exists {name};
             create table {name} (
                 id bigint primary key, customer int not null, status varchar(20) not null,
                 amount numeric(12,2) not null, created timestamp(6) not null, updated timestamptz, note text);
             create publication {name}_publication for table {name};
             alter table {name} owner to cdc; alter publication {name}_publication owner to cdc"
        ))?;
        Ok(())
    }

    fn drop_table(&self, name: &str) -> Outcome {
        self.sql(&format!(
            "drop publication {name}_publication; drop table {name}"
        ))
    }

    fn fresh_schema(&self, name: &str, tables: &str) -> Outcome {
        self.0
            .psql("drop schema if exists w cascade; create schema w authorization cdc")?;
        self.0.psql(tables)?;
        self.0.psql(&format!(
            "create table w.marker (id int primary key);
             grant select on all tables in schema w to cdc;
             drop publication if exists {name}_publication;
             create publication {name}_publication for tables in schema w"
        ))?;
        Ok(())
    }

    fn fill(&self, name: &str, rows: u64) -> Outcome {
        self.0.psql(&format!(
            "do $$ begin
               for batch in 0..{last} loop
                 insert into {name} {rows_of} from generate_series(batch * {size} + 1, least((batch + 1) * {size}, {rows})) i;
                 commit;
               end loop;
             end $$",
            last = rows.div_ceil(ROWS_PER_TRANSACTION) - 1,
            size = ROWS_PER_TRANSACTION,
            rows_of = row(),
        ))?;
        Ok(())
    }

    fn fill_at_once(&self, name: &str, rows: u64) -> Outcome {
        let rows_of = row();
        self.0.psql(&format!(
            "insert into {name} {rows_of} from generate_series(1, {rows}) i"
        ))?;
        Ok(())
    }

    fn fill_large(&self, name: &str) -> Outcome {
        self.0.psql(&format!(
            "insert into {name} select 1, 1, 'open', 1, now(), now(), string_agg(md5(i::text), '') from generate_series(1, 655360) i"
        ))?;
        Ok(())
    }

    fn write_steadily(&self, name: &str, rows: u64) -> Outcome<Child> {
        let sql = format!(
            "do $$ declare started timestamptz := clock_timestamp(); begin
               for i in 1..{rows} loop
                 insert into {name} values (i, i % 5000, 'open', i / 100.0, clock_timestamp(), now(), 'note of row ' || i || ' ' || md5(i::text));
                 commit;
                 perform pg_sleep(greatest(0, extract(epoch from started + i * interval '1 millisecond' - clock_timestamp())));
               end loop;
             end $$"
        );
        Ok(self.psql(&sql).stdout(Stdio::null()).spawn()?)
    }

    fn commit_us(&self) -> fn(&str) -> Option<u64> {
        source_us
    }

    fn settle(&self) -> Outcome {
        self.0.psql("vacuum analyze; checkpoint")?;
        Ok(())
    }

    fn source(&self, name: &str, tables: &str, _: &str) -> Value {
        let more = [("publication.autocreate.mode", "disabled")];
        with(postgres_source(&self.0, name, tables), &more)
    }

    fn await_reader(&self, name: &str, reads: bool) -> Outcome {
        let active = format!(
            "select count(*) from pg_replication_slots where slot_name = '{name}_slot' and active"
        );
        let count = if reads { "1" } else { "0" };
        wait_until("the slot to be read, or let go", LIMIT, || {
            Ok(self.0.psql(&active)?.trim() == count)
        })?;
        Ok(())
    }

    fn forget(&self, name: &str) -> Outcome {
        let sql = format!(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots
             where slot_name = '{name}_slot' and not active"
        );
        let left =
            format!("select count(*) from pg_replication_slots where slot_name = '{name}_slot'");
        wait_until("a slot to be let go", LIMIT, || {
            self.0.psql(&sql)?;
            Ok(self.0.psql(&left)?.trim() == "0")
        })?;
        Ok(())
    }

    /// `COPY … TO STDOUT`, by one connection and by several, and `pg_recvlogical` to nowhere.
    fn limits(&self, rows: u64) -> Outcome<Vec<Measured>> {
        self.create_table("limits")?;
        self.create_slot()?;
        self.fill("limits", rows)?;
        self.settle()?;
        let mut copy = self.psql("copy limits to stdout");
        let all = vec![
            timed("server limit: COPY", "snapshot", rows, &mut copy)?,
            self.copy_by_several(rows)?,
            self.receive(rows, "stream")?,
        ];
        self.forget("limits")?;
        self.drop_table("limits")?;
        Ok(all)
    }

    fn stream_limit(&self, workload: &Workload) -> Outcome<Measured> {
        self.fresh_schema("limits", &workload.setup)?;
        self.create_slot()?;
        self.sql(&workload.write)?;
        self.settle()?;
        let limit = self.receive(workload.changes, workload.name)?;
        self.forget("limits")?;
        Ok(limit)
    }

    fn dialect(&self) -> Box<dyn Dialect> {
        Box::new(PostgresDialect)
    }
}

/// The select list of row `i`.
fn row() -> &'static str {
    "select i, i % 5000, case i % 3 when 0 then 'open' when 1 then 'paid' else 'shipped' end,
     (i % 100000) / 100.0, timestamp '2026-01-01' + i * interval '1 second', now(), 'note of row ' || i || ' ' || md5(i::text)"
}
