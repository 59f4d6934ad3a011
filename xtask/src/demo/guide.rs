//! How to look around while the demo runs.

use super::{servers::Servers, worker::Worker};

/// Addresses and commands, one a line.
pub(super) fn text(servers: &Servers, worker: &Worker) -> String {
    let Worker {
        rest,
        topics,
        server,
        ..
    } = worker;
    let Servers {
        database,
        redis,
        search,
        ..
    } = servers;
    let prefix = database.prefix();
    let logs = server.log_path().parent().unwrap_or(server.log_path());
    let lines = [
        ("REST API", format!("http://{rest}")),
        (
            "status",
            format!("curl -s 'http://{rest}/connectors?expand=status'"),
        ),
        ("metrics", format!("curl -s http://{rest}/metrics")),
        (database.name(), database.client()),
        (
            "Redis",
            format!("redis-cli -u {} HGETALL {prefix}orders:1", redis.url()),
        ),
        (
            "search",
            format!(
                "curl -s '{}/{prefix}customers/_search?q=active:true'",
                search.url()
            ),
        ),
        (
            "topics",
            format!("kcat -C -b {topics} -t {prefix}orders -o -3 -e"),
        ),
        ("store", worker.store()),
        ("logs", logs.display().to_string()),
    ];
    let line = |(name, what): &(&str, String)| format!("           {name:<11} {what}\n");
    lines.iter().map(line).collect()
}
