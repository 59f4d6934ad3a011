//! Counters in a MySQL or MariaDB database, and a source that follows them.

use std::time::Duration;

use serde_json::Value;
use stack::{Mysql, Stack, wait_until};

use crate::{
    Fault, Outcome, Rounds, Worker, WorkerOptions,
    counters::{self, History, KEYS},
    scene::SOURCE,
    shapes,
};

const LIMIT: Duration = Duration::from_secs(120);

/// The topic of the counters.
pub const TOPIC: &str = "faults.inventory.counters";

/// Makes `inventory.counters`, all of them at 0.
pub fn table(mysql: &Mysql) -> Outcome {
    let rows: Vec<String> = (1..=KEYS).map(|k| format!("({k}, 0, null)")).collect();
    mysql.sql(&format!(
        "create table counters (k int primary key, n bigint not null, note text); insert into counters values {}",
        rows.join(", ")
    ))?;
    Ok(())
}

/// Makes them among `rows` other rows of the same table.
pub fn large_table(mysql: &Mysql, rows: u32) -> Outcome {
    table(mysql)?;
    // A thousand numbers by as many: both servers know it without a setting.
    let numbers = "with recursive n (i) as (select 0 union all select i + 1 from n where i < 999)";
    let half = rows / 2;
    mysql.sql(&format!(
        "create table numbers as {numbers} select a.i + 1000 * b.i as k from n a, n b where b.i <= {half} / 1000;
         insert into counters select 1000 + k, 0, 'none of the counters' from numbers where k < {half};
         insert into counters select -k, 0, 'none of the counters' from numbers where k < {half}"
    ))?;
    Ok(())
}

/// Counts them up, in transactions of several.
pub fn count(mysql: &Mysql) -> Rounds {
    let server = mysql.clone();
    Rounds::start(move |_| server.sql(&counters::transactions()).is_ok())
}

/// Fails unless the history of every counter ends with what the table holds.
pub fn assert_complete(history: &History, mysql: &Mysql) -> Outcome {
    let table =
        format!("select concat(k, '=', n) from counters where k between 1 and {KEYS} order by k");
    counters::assert_ends(history, &mysql.sql(&table)?)
}

/// A table that is written to, and a source that streams it.
pub struct MysqlScene {
    /// The database.
    pub mysql: Mysql,
    /// The worker.
    pub worker: Worker,
    /// What writes.
    pub load: Rounds,
}

impl MysqlScene {
    /// Makes the counters, starts a worker and the source of this configuration, and counts once it streams.
    pub fn counting(
        stack: &Stack,
        mysql: Mysql,
        options: WorkerOptions,
        config: &Value,
    ) -> Outcome<Self> {
        table(&mysql)?;
        Self::start(stack, mysql, options, config, count)
    }

    /// The same for a table whose columns change.
    pub fn reshaping(
        stack: &Stack,
        mysql: Mysql,
        options: WorkerOptions,
        config: &Value,
    ) -> Outcome<Self> {
        shapes::table(&mysql)?;
        Self::start(stack, mysql, options, config, shapes::reshape)
    }

    fn start(
        stack: &Stack,
        mysql: Mysql,
        options: WorkerOptions,
        config: &Value,
        load: fn(&Mysql) -> Rounds,
    ) -> Outcome<Self> {
        let worker = Worker::start(stack, options)?;
        worker.rest().create(SOURCE, config)?;
        worker.rest().wait_for(SOURCE, "RUNNING")?;
        wait_streaming(&worker)?;
        let load = load(&mysql);
        Ok(Self {
            mysql,
            worker,
            load,
        })
    }

    /// Strikes in the middle of the load; the status must tell it, and everything must go on when it is mended.
    pub fn survive(&self, fault: &Fault<'_>) -> Outcome {
        let rest = self.worker.rest();
        self.load.wait_for(1)?;
        (fault.strike)()?;
        rest.wait_for_trouble(SOURCE, fault.says)
            .map_err(|error| format!("{}: {error}", fault.name))?;
        (fault.mend)()?;
        rest.wait_for(SOURCE, "RUNNING")?;
        self.load.wait_for(1)
    }

    /// Waits until the source has stored what is committed now.
    pub fn wait_stored(&self, mysql: &Mysql) -> Outcome {
        wait_stored(&self.worker, mysql)
    }

    /// Kills the worker at different moments of the load, and starts it again.
    pub fn kill_worker(&self, times: u32) -> Outcome {
        for kill in 0..times {
            self.load.wait_for(1 + u64::from(kill % 5) * 2)?;
            self.worker.server().kill9()?;
            self.worker.server().start()?;
        }
        Ok(())
    }

    /// Kills the worker, and starts it again when the load has gone on without it.
    pub fn kill_worker_for(&self, rounds: u64) -> Outcome {
        self.worker.server().kill9()?;
        self.load.wait_for(rounds)?;
        self.worker.server().start()?;
        Ok(())
    }

    /// Stops the load, and gives the records of a topic when all are written.
    pub fn finish_with(mut self, topic: &str) -> Outcome<Vec<(String, String)>> {
        self.load.stop()?;
        self.wait_stored(&self.mysql)?;
        self.worker.stop_and_read(topic)
    }

    /// Stops counting and the worker, and gives the history of each counter, which must end as the table does.
    pub fn finish(self) -> Outcome<History> {
        let mysql = self.mysql.clone();
        self.finish_at(&mysql)
    }

    /// The same, where the table is on another server by now.
    pub fn finish_at(mut self, mysql: &Mysql) -> Outcome<History> {
        self.load.stop()?;
        self.wait_stored(mysql)?;
        let history = counters::history(&self.worker.stop_and_read(TOPIC)?)?;
        assert_complete(&history, mysql)?;
        Ok(history)
    }
}

/// The ids that are stored with the position of the source in its stream; none while it takes a snapshot.
fn stored(worker: &Worker) -> Option<String> {
    let path = format!("/connectors/{SOURCE}/offsets");
    let offsets = worker.rest().get(&path).ok()?;
    let mut offsets = offsets["offsets"].as_array()?.iter();
    let place = offsets.find(|offset| offset["offset"]["file"].is_string())?;
    if place["offset"].get("snapshot").is_some() {
        return None;
    }
    Some(place["offset"]["gtids"].as_str()?.to_owned())
}

/// Waits until the source of a worker has stored a position of its stream.
pub fn wait_streaming(worker: &Worker) -> Outcome {
    wait_until("the source to stream", LIMIT, || {
        Ok(stored(worker).is_some())
    })?;
    Ok(())
}

/// Waits until the source of a worker has stored what is committed now.
pub fn wait_stored(worker: &Worker, mysql: &Mysql) -> Outcome {
    let sql = match mysql.version().is_mariadb() {
        true => "select @@global.gtid_binlog_pos",
        false => "select @@global.gtid_executed",
    };
    let executed = mysql.sql(sql)?.replace("\\n", "");
    let executed: String = executed.chars().filter(|c| !c.is_whitespace()).collect();
    wait_until("the position to be stored", LIMIT, || {
        Ok(stored(worker).is_some_and(|stored| stored == executed))
    })?;
    Ok(())
}
