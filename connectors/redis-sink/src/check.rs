//! Reaching out to the server before the connector runs.

use connect_core::{Finding, Result};

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
    match info(&mut wire, b"server").await {
        Ok(info) => findings.extend(version(&info)),
        Err(err) => findings.push(Finding::warning("redis.username", sentence(&err))),
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
    findings.extend(rights(config, &mut wire).await);
    findings
}

/// Whether the server knows `JSON.SET`.
pub(crate) async fn has_json(wire: &mut Wire) -> Result<bool> {
    let answer = wire.ask(&[b"COMMAND", b"INFO", b"JSON.SET"]).await?;
    Ok(matches!(answer, Reply::Array(found) if found.iter().any(|f| *f != Reply::Null)))
}

/// Asks Redis itself (`ACL DRYRUN`, since 7.0) whether the user may run what the sink runs.
async fn rights(config: &RedisConfig, wire: &mut Wire) -> Vec<Finding> {
    let Ok(Reply::Bytes(user)) = wire.ask(&[b"ACL", b"WHOAMI"]).await else {
        return Vec::new();
    };
    let key = b"tidewater-check".as_slice();
    let commands: &[&[&[u8]]] = match config.kind {
        Kind::Stream => &[&[b"XADD", key, b"*", b"f", b"v"]],
        Kind::Hash => &[
            &[b"HSET", key, b"f", b"v"],
            &[b"DEL", key],
            &[b"MULTI"],
            &[b"EVALSHA", b"0", b"1", key],
        ],
        Kind::Json => &[&[b"JSON.SET", key, b"$", b"1"], &[b"DEL", key]],
        _ => &[
            &[b"SET", key, b"v"],
            &[b"DEL", key],
            &[b"EVALSHA", b"0", b"1", key],
        ],
    };
    let mut findings = Vec::new();
    for words in commands {
        let dry_run: [&[u8]; 3] = [b"ACL", b"DRYRUN", &user];
        let question: Vec<&[u8]> = dry_run.into_iter().chain(words.iter().copied()).collect();
        // An answer that is no "OK" says what is missing; one about the key only means that keys are limited.
        if let Ok(Reply::Bytes(no)) = wire.ask(&question).await
            && let Ok(no) = String::from_utf8(no)
            && !no.contains("key")
        {
            findings.push(Finding::error("redis.username", no));
        }
    }
    findings
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
