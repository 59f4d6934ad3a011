//! Servers that environment variables name: the demo begins only where nothing of its names is, and takes away what it made.

use stack::Server;

use super::{
    Result, mirror::Mirror, redis::RedisMirror, resp::Resp, search::SearchMirror, servers::Servers,
};

/// Keys deleted at once.
const SOME: usize = 1_000;

/// An error that says what is in the way. The tables have a check of their own.
pub(super) fn refuse_leftovers(servers: &Servers) -> Result<()> {
    let prefix = servers.database.prefix();
    let held = [
        (
            is_named(&servers.redis),
            RedisMirror::open(&servers.redis, prefix)?.keys()?.len(),
        ),
        (
            is_named(&servers.search),
            SearchMirror::new(&servers.search, prefix).indices()?.len(),
        ),
    ];
    if held.iter().any(|(named, count)| *named && *count > 0) {
        return Err(format!(
            "Redis has keys or the search engine has indices {prefix}*: delete them"
        )
        .into());
    }
    match &servers.kafka {
        Some(kafka) if is_named(kafka) && kafka.kcat(&["-L"])?.contains(prefix) => Err(format!(
            "Kafka has topics {prefix}*: delete them, and demo-configs, demo-offsets, demo-statuses"
        )
        .into()),
        _ => Ok(()),
    }
}

/// Deletes tables and all that goes with them, keys and indices. The worker has ended.
pub(super) fn clean(servers: &Servers) -> Result<()> {
    let prefix = servers.database.prefix();
    if is_named(servers.database.server()) {
        servers.database.clean()?;
    }
    if is_named(&servers.redis) {
        let keys = RedisMirror::open(&servers.redis, prefix)?.keys()?;
        let mut resp = Resp::connect(&servers.redis.url())?;
        for some in keys.chunks(SOME) {
            let names: Vec<String> = some
                .iter()
                .map(|(table, key)| format!("{prefix}{table}:{key}"))
                .collect();
            let words = std::iter::once("DEL").chain(names.iter().map(String::as_str));
            resp.ask(&words.collect::<Vec<_>>())?;
        }
    }
    if is_named(&servers.search) {
        for index in SearchMirror::new(&servers.search, prefix).indices()? {
            servers.search.request("DELETE", &format!("/{index}"), "")?;
        }
    }
    Ok(())
}

fn is_named(server: &Server) -> bool {
    server.process().is_none()
}
