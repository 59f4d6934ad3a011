//! The database: one table of seven columns, filled by the server itself.

use e2e::Outcome;
use stack::{PgVersion, Postgres, PostgresOptions, Stack};

/// Rows of one transaction of the backlog.
const ROWS_PER_TRANSACTION: u64 = 1000;

/// A PostgreSQL tuned as a production server would be, with fsync on.
pub(crate) struct Database(Postgres);

impl Database {
    /// Starts the server.
    pub(crate) fn start(stack: &Stack) -> Outcome<Self> {
        let options = PostgresOptions::new(PgVersion::V15)
            .set("shared_buffers", "1GB")
            .set("max_wal_size", "8GB")
            .set("checkpoint_timeout", "30min");
        Ok(Self(stack.postgres_with(options)?))
    }

    /// The server.
    pub(crate) fn server(&self) -> &Postgres {
        &self.0
    }

    /// A new, empty table under this name, and a publication `NAME_publication` of it.
    pub(crate) fn create_table(&self, name: &str) -> Outcome {
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

    /// The schema `w` anew, with these tables and `w.marker`, and a publication `NAME_publication` of all of them.
    pub(crate) fn fresh_schema(&self, name: &str, tables: &str) -> Outcome {
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

    /// Inserts rows in transactions of a thousand.
    pub(crate) fn fill(&self, name: &str, rows: u64) -> Outcome {
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

    /// Inserts rows in one transaction.
    pub(crate) fn fill_at_once(&self, name: &str, rows: u64) -> Outcome {
        let rows_of = row();
        self.0.psql(&format!(
            "insert into {name} {rows_of} from generate_series(1, {rows}) i"
        ))?;
        Ok(())
    }

    /// Inserts one row with a text of 20 MB.
    pub(crate) fn fill_large(&self, name: &str) -> Outcome {
        self.0.psql(&format!(
            "insert into {name} select 1, 1, 'open', 1, now(), now(), string_agg(md5(i::text), '') from generate_series(1, 655360) i"
        ))?;
        Ok(())
    }

    /// Makes the server write out what it holds, so that no scenario pays for the one before.
    pub(crate) fn settle(&self) -> Outcome {
        self.0.psql("vacuum analyze; checkpoint")?;
        Ok(())
    }

    /// Drops a slot once nobody uses it.
    pub(crate) fn drop_slot(&self, slot: &str) -> Outcome {
        let sql = format!(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots
             where slot_name = '{slot}' and not active"
        );
        let left = format!("select count(*) from pg_replication_slots where slot_name = '{slot}'");
        let limit = std::time::Duration::from_secs(60);
        stack::wait_until("a slot to be let go", limit, || {
            self.0.psql(&sql)?;
            Ok(self.0.psql(&left)?.trim() == "0")
        })?;
        Ok(())
    }
}

/// The select list of row `i`.
fn row() -> &'static str {
    "select i, i % 5000, case i % 3 when 0 then 'open' when 1 then 'paid' else 'shipped' end,
     (i % 100000) / 100.0, timestamp '2026-01-01' + i * interval '1 second', now(), 'note of row ' || i || ' ' || md5(i::text)"
}
