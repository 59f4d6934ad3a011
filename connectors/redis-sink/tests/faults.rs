//! A Redis that is away, refuses, or is not what was expected.

mod server;

use connect_core::{
    Config, Error, Properties, SinkConnector, SinkTask, Verdict,
    meter::Meter,
    testing::changes::{Change, Shape, Table, nulls},
};
use redis_sink::{RedisConfig, RedisSink};
use server::Server;
use stack::RedisOptions;

const HASH: &[(&str, &str)] = &[("redis.type", "hash")];

async fn write(task: &mut impl SinkTask, id: i64) -> Result<(), Error> {
    let table = Table::new("faults", Shape::Flat);
    let rejects = task
        .write(&table.batch(&[Change::Put(id, nulls())], 0))
        .await?;
    assert!(rejects.is_empty(), "{rejects:?}");
    Ok(())
}

async fn open(server: &Server, more: &[(&str, &str)]) -> Result<redis_sink::RedisTask, Error> {
    let mut task = server.task(more);
    task.open(Meter::default()).await.map(|()| task)
}

#[tokio::test]
async fn a_restart_asks_for_a_retry_and_the_next_task_goes_on() {
    let server = Server::start();
    let mut task = open(&server, HASH).await.unwrap();
    write(&mut task, 1).await.unwrap();
    server.redis().kill9().unwrap();
    let err = write(&mut task, 2).await.unwrap_err();
    assert_eq!(err.verdict(), Verdict::Retry, "{err:?}");
    let err = open(&server, HASH).await.err().unwrap();
    assert_eq!(err.code().name, "redis.unreachable");
    server.redis().start().unwrap();
    let mut task = open(&server, HASH).await.unwrap();
    write(&mut task, 2).await.unwrap();
    let keys: i64 = redis::cmd("DBSIZE").query(&mut server.client()).unwrap();
    assert_eq!(keys, 2);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let server = Server::start();
    let mut task = open(&server, &[("redis.type", "hash"), ("redis.timeout", "1")])
        .await
        .unwrap();
    server.redis().pause().unwrap();
    let err = write(&mut task, 1).await.unwrap_err();
    assert_eq!(err.code().name, "redis.timeout");
    server.redis().resume().unwrap();
}

#[tokio::test]
async fn a_full_or_read_only_server_asks_for_a_retry_and_nothing_is_half_written() {
    let server = Server::with(RedisOptions::default().set("maxmemory-policy", "noeviction"));
    let mut client = server.client();
    let mut task = open(&server, HASH).await.unwrap();
    write(&mut task, 1).await.unwrap();
    redis::cmd("CONFIG")
        .arg("SET")
        .arg("maxmemory")
        .arg("1")
        .exec(&mut client)
        .unwrap();
    let err = write(&mut task, 1).await.unwrap_err();
    assert_eq!(err.code().name, "redis.memory", "{err:?}");
    let there: i64 = redis::cmd("EXISTS")
        .arg("faults:1")
        .query(&mut client)
        .unwrap();
    assert_eq!(there, 1, "the transaction as a whole was refused");
    redis::cmd("CONFIG")
        .arg("SET")
        .arg("maxmemory")
        .arg("0")
        .exec(&mut client)
        .unwrap();
    redis::cmd("REPLICAOF")
        .arg("127.0.0.1")
        .arg("1")
        .exec(&mut client)
        .unwrap();
    let mut task = open(&server, HASH).await.unwrap();
    let err = write(&mut task, 1).await.unwrap_err();
    assert_eq!(err.code().name, "redis.read_only", "{err:?}");
    let findings = RedisSink::check(&server.config(HASH)).await;
    assert!(
        findings.iter().any(|f| f.message.contains("replica")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn logins_and_rights_are_told_apart() {
    let server = Server::start();
    let mut client = server.client();
    for words in [
        "ACL SETUSER reader on >cdc ~* +@read +@transaction +hello +script +evalsha",
        "ACL SETUSER narrow on >cdc ~other:* +@all",
    ] {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| _ = command.arg(word));
        command.exec(&mut client).unwrap();
    }
    let with = |user: &str, password: &str| {
        let port = server.redis().port();
        let mut given = Properties::from([("redis.type".into(), "hash".into())]);
        given.insert("topics".into(), "faults,more".into());
        given.insert(
            "redis.uri".into(),
            format!("redis://{user}:{password}@127.0.0.1:{port}"),
        );
        RedisConfig::parse(&given).unwrap()
    };
    for (user, password, code) in [
        ("cdc", "wrong", "redis.auth"),
        ("reader", "cdc", "redis.permission"),
        ("narrow", "cdc", "redis.permission"),
    ] {
        let mut task = RedisSink::task(with(user, password), Properties::new()).unwrap();
        let opened = task.open(Meter::default()).await;
        let done = match opened {
            Ok(()) => write(&mut task, 1).await,
            failed => failed,
        };
        let err = done.unwrap_err();
        assert_eq!(err.code().name, code, "{err:?}");
        assert_eq!(err.verdict(), Verdict::Fail);
        assert!(!err.report().contains("wrong\""));
    }
    assert!(RedisSink::check(&with("cdc", "cdc")).await.is_empty());
    let findings = RedisSink::check(&with("cdc", "nope")).await;
    assert!(findings[0].is_error() && !findings[0].message.contains("nope"));
    let findings = RedisSink::check(&with("reader", "cdc")).await;
    assert!(
        findings
            .iter()
            .any(|f| f.is_error() && f.key == "redis.username"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn tls_holds_and_says_what_is_wrong() {
    let server = Server::start();
    let authority = stack::certificates().unwrap().join("ca.pem");
    let authority = authority.to_str().unwrap();
    let tls = server.redis().tls_url();
    let mut task = open(
        &server,
        &[
            ("redis.uri", &tls),
            ("redis.cacert", authority),
            ("redis.type", "hash"),
        ],
    )
    .await
    .unwrap();
    write(&mut task, 1).await.unwrap();
    let mut task = open(
        &server,
        &[
            ("redis.uri", &tls),
            ("redis.insecure", "true"),
            ("redis.type", "hash"),
        ],
    )
    .await
    .unwrap();
    write(&mut task, 2).await.unwrap();
    let err = open(&server, &[("redis.uri", &tls)]).await.err().unwrap();
    assert_eq!(err.code().name, "redis.tls", "{err:?}");
}

#[tokio::test]
async fn json_without_its_module_is_said_before_and_at_the_start() {
    let server = Server::start();
    let json = [("redis.type", "json")];
    let findings = RedisSink::check(&server.config(&json)).await;
    assert!(
        findings
            .iter()
            .any(|f| f.key == "redis.type" && f.is_error()),
        "{findings:?}"
    );
    let err = open(&server, &json).await.err().unwrap();
    assert_eq!(err.code().name, "redis.no_json");
}

#[tokio::test]
async fn too_few_replicas_hold_back_the_offsets() {
    let server = Server::start();
    let properties = [
        ("redis.type", "hash"),
        ("redis.wait.replicas", "1"),
        ("redis.wait.timeout", "50"),
    ];
    let mut task = open(&server, &properties).await.unwrap();
    write(&mut task, 1).await.unwrap();
    assert_eq!(
        task.flush().await.unwrap_err().code().name,
        "redis.replicas"
    );
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_by_the_next_task() {
    let server = Server::start();
    let table = Table::new("scripts", Shape::Flat);
    let mut task = open(&server, HASH).await.unwrap();
    redis::cmd("SCRIPT")
        .arg("FLUSH")
        .exec(&mut server.client())
        .unwrap();
    let partial = table.batch(&[Change::Put(1, vec![("name", "x".into())])], 0);
    let err = task.write(&partial).await.unwrap_err();
    assert_eq!(err.verdict(), Verdict::Retry, "{err:?}");
    let mut task = open(&server, HASH).await.unwrap();
    assert!(task.write(&partial).await.unwrap().is_empty());
}
