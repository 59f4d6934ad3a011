//! Reaching out to the server before the connector runs.

use connect_core::{
    Finding, Result,
    config::{List, ParseValue},
};

use crate::{
    config::{Kind, RedisConfig},
    resp::Reply,
    wire::Wire,
};

/// Connects, and says everything that will not work.
pub(crate) async fn check(config: &RedisConfig) -> Vec<Finding> {
    let mut wire = match Wire::connect(config).await {
        Ok(wire) => wire,
        Err(err) => return vec![Finding::error(server_key(config), sentence(&err))],
    };
    let mut findings = Vec::new();
    // Who may not ask for these is told by the commands themselves below.
    if let Ok(info) = info(&mut wire, b"server").await {
        findings.extend(version(&info));
    }
    match info(&mut wire, b"replication").await {
        Ok(info) if field(&info, "role") == Some("slave") => findings.push(Finding::error(
            server_key(config),
            "This Redis is a read-only replica: connect to its primary.",
        )),
        _ => {}
    }
    if let Ok(info) = info(&mut wire, b"cluster").await
        && field(&info, "cluster_enabled") == Some("1")
    {
        findings.push(Finding::error(
            server_key(config),
            "This server is part of a Redis Cluster, which is not supported yet.",
        ));
    }
    if config.kind == Kind::Json && !has_json(&mut wire).await.unwrap_or(true) {
        findings.push(Finding::error(
            "redis.type",
            "This Redis has no RedisJSON: load the module (it is part of Redis 8), or set redis.type=STRING to store JSON as text.",
        ));
    }
    match rights(config, &mut wire).await {
        Ok(more) => findings.extend(more),
        Err(err) => findings.push(Finding::error("redis.username", sentence(&err))),
    }
    findings
}

/// Whether the server knows `JSON.SET`.
pub(crate) async fn has_json(wire: &mut Wire) -> Result<bool> {
    let answer = wire.ask(&[b"COMMAND", b"INFO", b"JSON.SET"]).await?;
    Ok(matches!(answer, Reply::Array(found) if found.iter().any(|f| *f != Reply::Null)))
}

/// Queues the sink's commands in a transaction and discards it: Redis tells what the user may not do, and nothing changes.
async fn rights(config: &RedisConfig, wire: &mut Wire) -> Result<Vec<Finding>> {
    wire.ask(&[b"MULTI"]).await?;
    let mut findings = Vec::new();
    for key in sample_keys(config) {
        for words in commands(config.kind, key.as_bytes()) {
            if let Err(err) = wire.ask(&words).await {
                let finding = Finding::error(
                    "redis.username",
                    format!("{}: {}", name(&words), sentence(&err)),
                );
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
    }
    wire.ask(&[b"DISCARD"]).await?;
    Ok(findings)
}

fn commands(kind: Kind, key: &[u8]) -> Vec<Vec<&[u8]>> {
    let script: Vec<&[u8]> = vec![b"EVALSHA", b"0", b"1", key];
    let delete: Vec<&[u8]> = vec![b"DEL", key];
    match kind {
        Kind::Stream => vec![vec![b"XADD", key, b"*", b"f", b"v"]],
        Kind::Hash => vec![vec![b"HSET", key, b"f", b"v"], delete, script],
        Kind::Json => vec![vec![b"JSON.SET", key, b"$", b"1"], delete, script],
        _ => vec![vec![b"SET", key, b"v"], delete, script],
    }
}

fn name<'a>(words: &[&'a [u8]]) -> &'a str {
    let first = words.first().copied().unwrap_or_default();
    std::str::from_utf8(first).unwrap_or_default()
}

/// A key as the sink would make it, for each topic that the configuration names.
fn sample_keys(config: &RedisConfig) -> Vec<String> {
    let topics = config.rest.get("topics").map_or("", String::as_str);
    let topics = List::parse_value(topics).unwrap_or_default().0;
    let Ok(template) = config.template() else {
        return Vec::new();
    };
    let sample = |topic: &String| match template.frame(topic) {
        Some((before, after)) => format!("{before}tidewater-check{after}"),
        None => config.keyspace.replace("${topic}", topic),
    };
    topics.iter().map(sample).collect()
}

async fn info(wire: &mut Wire, section: &[u8]) -> Result<String> {
    let reply = wire.ask(&[b"INFO", section]).await?;
    Ok(reply.text().unwrap_or_default().to_owned())
}

fn version(info: &str) -> Option<Finding> {
    let version = field(info, "redis_version")?;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (major < 5).then(|| {
        Finding::warning(
            "redis.host",
            format!("This is Redis {version}; the sink is tested with 7 and newer."),
        )
    })
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

fn server_key(config: &RedisConfig) -> &'static str {
    match config.uri {
        Some(_) => "redis.uri",
        None => "redis.host",
    }
}

fn sentence(err: &connect_core::Error) -> String {
    let cause = std::error::Error::source(err).map(|cause| format!(": {cause}"));
    format!("{err}{}. {}", cause.unwrap_or_default(), err.code().remedy)
}
