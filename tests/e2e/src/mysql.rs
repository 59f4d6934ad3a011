//! Counters in a MySQL or MariaDB database, and a source that follows them.

use std::time::Duration;

use serde_json::Value;
use stack::{Mysql, Stack, wait_until};

use crate::{
    Fault, Outcome, Rounds, Worker, WorkerOptions,
    counters::{self, History, KEYS},
    scene::SOURCE,
};

const LIMIT: Duration = Duration::from_secs(120);

/// The topic of the counters.
const TOPIC: &str = "faults.inventory.counters";

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
        mysql.sql("create table counters (k int primary key, n bigint not null, note text)")?;
        for k in 1..=KEYS {
            mysql.sql(&format!("insert into counters values ({k}, 0, null)"))?;
        }
        let worker = Worker::start(stack, options)?;
        worker.rest().create(SOURCE, config)?;
        worker.rest().wait_for(SOURCE, "RUNNING")?;
        let server = mysql.clone();
        let scene = Self {
            mysql,
            worker,
            load: Rounds::start(move |_| server.sql(&counters::transactions()).is_ok()),
        };
        wait_until("the source to stream", LIMIT, || {
            Ok(scene.stored().is_some())
        })?;
        Ok(scene)
    }

    /// The ids that are stored with the position of the source.
    fn stored(&self) -> Option<String> {
        let path = format!("/connectors/{SOURCE}/offsets");
        let offsets = self.worker.rest().get(&path).ok()?;
        let mut offsets = offsets["offsets"].as_array()?.iter();
        let place = offsets.find(|offset| offset["offset"]["file"].is_string())?;
        Some(place["offset"]["gtids"].as_str()?.to_owned())
    }

    /// Waits until the source has stored what is committed now.
    pub fn wait_stored(&self, mysql: &Mysql) -> Outcome {
        let sql = match mysql.version().is_mariadb() {
            true => "select @@global.gtid_binlog_pos",
            false => "select @@global.gtid_executed",
        };
        let executed = mysql.sql(sql)?;
        let executed: String = executed.chars().filter(|c| !c.is_whitespace()).collect();
        wait_until("the position to be stored", LIMIT, || {
            Ok(self.stored().is_some_and(|stored| stored == executed))
        })?;
        Ok(())
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

    /// Kills the worker at different moments of the load, and starts it again.
    pub fn kill_worker(&self, times: u32) -> Outcome {
        for kill in 0..times {
            self.load.wait_for(1 + u64::from(kill % 5) * 2)?;
            self.worker.server().kill9()?;
            self.worker.server().start()?;
        }
        Ok(())
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
        let table = "select concat(k, '=', n) from counters order by k";
        counters::assert_ends(&history, &mysql.sql(table)?)?;
        Ok(history)
    }
}
