//! Redis, where each row is a hash `PREFIX.TABLE:KEY`.

use serde_json::Value;
use stack::Redis;

use super::{
    Result,
    inventory::HEARTBEAT,
    mirror::{Document, Mirror},
    resp::{Reply, Resp},
};

/// A reader of Redis.
pub(super) struct RedisMirror {
    resp: Resp,
    prefix: &'static str,
}

impl RedisMirror {
    /// Connects; names begin with the prefix.
    pub(super) fn open(redis: &Redis, prefix: &'static str) -> Result<Self> {
        Ok(Self {
            prefix,
            resp: Resp::connect(&redis.url())?,
        })
    }
}

impl Mirror for RedisMirror {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn is_plain(&self) -> bool {
        true
    }

    fn beat(&mut self) -> Result<Option<u64>> {
        let prefix = self.prefix;
        let keys = HEARTBEAT
            .each_ref()
            .map(|it| format!("{prefix}{}:{}", it.table, it.key));
        let commands = keys
            .iter()
            .zip(HEARTBEAT)
            .map(|(key, it)| vec!["HGET", key, it.column]);
        let beats = self.resp.ask_all(commands)?;
        let beat = |reply: &Reply| reply.text()?.parse().ok();
        let beats: Option<Vec<u64>> = beats.iter().map(beat).collect();
        Ok(beats.and_then(|beats| beats.into_iter().min()))
    }

    fn rows(&mut self) -> Result<u64> {
        match self.resp.ask(&["DBSIZE"])? {
            Reply::Integer(count) => Ok(u64::try_from(count)?),
            _ => Err("DBSIZE is no number".into()),
        }
    }

    fn writes(&mut self) -> Result<u64> {
        let info = self.resp.ask(&["INFO", "persistence"])?;
        let info = info.text().unwrap_or_default();
        let count = info
            .lines()
            .find_map(|line| line.strip_prefix("rdb_changes_since_last_save:"));
        Ok(count.ok_or("INFO tells no changes")?.trim().parse()?)
    }

    fn fetch(&mut self, table: &str, keys: &[&str]) -> Result<Vec<Option<Document>>> {
        let prefix = self.prefix;
        let names: Vec<String> = keys
            .iter()
            .map(|key| format!("{prefix}{table}:{key}"))
            .collect();
        let commands = names.iter().map(|name| vec!["HGETALL", name.as_str()]);
        let replies = self.resp.ask_all(commands)?;
        Ok(replies
            .iter()
            .map(|reply| document(reply.items()))
            .collect())
    }

    fn keys(&mut self) -> Result<Vec<(String, String)>> {
        let prefix = self.prefix;
        let pattern = format!("{prefix}*");
        let mut all = Vec::new();
        let mut cursor = "0".to_owned();
        loop {
            let words = ["SCAN", &cursor, "MATCH", &pattern, "COUNT", "2000"];
            let reply = self.resp.ask(&words)?;
            let [next, found] = reply.items() else {
                return Err("SCAN gave no cursor".into());
            };
            for name in found.items().iter().filter_map(Reply::text) {
                let rest = name.strip_prefix(prefix).unwrap_or(&name);
                let (table, key) = rest.split_once(':').unwrap_or((rest, ""));
                all.push((table.to_owned(), key.to_owned()));
            }
            cursor = next.text().unwrap_or_default();
            if cursor == "0" {
                return Ok(all);
            }
        }
    }
}

/// Fields and values by turns. A hash without fields is none.
fn document(words: &[Reply]) -> Option<Document> {
    let pairs = words
        .chunks_exact(2)
        .filter_map(|pair| Some((pair[0].text()?, Value::String(pair[1].text()?))));
    Some(pairs.collect::<Document>()).filter(|it| !it.is_empty())
}
