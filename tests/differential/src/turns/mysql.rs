//! MySQL and MariaDB.

use e2e::{
    Outcome, Rest, Rounds,
    configs::mysql_source,
    counters::History,
    mysql::{self, TOPIC},
    scene::SOURCE,
};
use serde_json::Value;
use stack::{Mysql, wait_until};

use super::{Handed, LIMIT, LogPlace, stored};

impl Handed for Mysql {
    const TOPIC: &'static str = TOPIC;

    fn table(&self) -> Outcome {
        mysql::table(self)
    }

    fn count(&self) -> Rounds {
        mysql::count(self)
    }

    fn config(&self, bootstrap: &str) -> Value {
        mysql_source(self, SOURCE, "inventory.counters", bootstrap)
    }

    fn end(&self) -> Outcome<LogPlace> {
        Ok(self.binlog_end()?)
    }

    fn stored(offset: &Value) -> Option<LogPlace> {
        let is_read = offset
            .get("snapshot")
            .is_none_or(|s| s.is_null() || s == false);
        let file = offset["file"].as_str().filter(|_| is_read)?;
        Some((file.to_owned(), offset["pos"].as_u64()?))
    }

    fn wait_read(&self, rest: &Rest) -> Outcome {
        let end = self.end()?;
        wait_until("the position to be stored", LIMIT, || {
            Ok(stored::<Self>(rest).is_some_and(|stored| stored >= end))
        })?;
        Ok(())
    }

    fn assert_complete(&self, history: &History) -> Outcome {
        mysql::assert_complete(history, self)
    }
}
