//! Redis and the search server restarted, killed, cut off, silent, full, read-only and blocked under load, then the
//! worker killed: each status tells it, and in the end each sink holds what the table holds, deletes included.

use std::time::Duration;

use e2e::{
    Fault, LogKind, Outcome, Scene, WorkerOptions,
    configs::{IMPATIENT, postgres_source, redis_sink_at, search_sink_at, with},
    is_long,
    items::{self, wait_equal_in_redis, wait_equal_in_search},
    rounds,
    scene::{SLOT, SOURCE},
};
use stack::{PgVersion, Proxy, Redis, RedisOptions, Search, SearchOptions, Stack, wait_until};

const INDEX: &str = "/faults.public.items";
const SINK: &str = "sink";
const TOPICS: &str = "faults\\.public\\..*";

/// Rows that come and go, and a source that reads them.
fn scene(stack: &Stack) -> Outcome<Scene> {
    let postgres = stack.postgres(PgVersion::V15)?;
    let config = postgres_source(&postgres, SOURCE, items::TABLE);
    let options = WorkerOptions::on(LogKind::Embedded);
    Scene::churning(stack, postgres, options, &config)
}

/// Faults of the network, the same for every server.
fn network(scene: &Scene, proxy: &Proxy, away: &'static str, late: &'static str) -> Outcome {
    let heal = || {
        proxy.heal();
        Ok(())
    };
    scene.survive(
        SINK,
        &Fault {
            name: "cut off",
            says: away,
            strike: &|| {
                proxy.cut();
                Ok(())
            },
            mend: &heal,
        },
    )?;
    scene.survive(
        SINK,
        &Fault {
            name: "silent",
            says: late,
            strike: &|| {
                proxy.stall();
                Ok(())
            },
            mend: &heal,
        },
    )
}

/// Faults of the process.
fn restarts(scene: &Scene, server: &stack::Server, away: &'static str) -> Outcome {
    let start = || Ok(server.start()?);
    let killed = Fault {
        name: "killed",
        says: away,
        strike: &|| Ok(server.kill9()?),
        mend: &start,
    };
    scene.survive(SINK, &killed)?;
    let restarted = Fault {
        name: "restarted in order",
        strike: &|| Ok(server.stop()?),
        ..killed
    };
    scene.survive(SINK, &restarted)
}

/// Redis takes no writes after `set`, until `unset`.
fn refusal(
    scene: &Scene,
    redis: &Redis,
    (name, says): (&'static str, &'static str),
    [set, unset]: [&'static [&'static str]; 2],
) -> Outcome {
    let run = |words: &[&str]| -> Outcome {
        redis.cli(words)?;
        Ok(())
    };
    scene.survive(
        SINK,
        &Fault {
            name,
            says,
            strike: &|| run(set),
            mend: &|| run(unset),
        },
    )
}

#[test]
fn redis_ends_equal_to_the_table() -> Outcome {
    let stack = Stack::new()?;
    let redis = stack.redis_with(RedisOptions::default().set("maxmemory-policy", "noeviction"))?;
    let proxy = Proxy::to(&format!("127.0.0.1:{}", redis.port()))?;
    let mut scene = scene(&stack)?;
    let url = redis
        .url()
        .replace(&redis.port().to_string(), &proxy.port().to_string());
    let config = with(redis_sink_at(&url, TOPICS), &[("redis.timeout", "2")]);
    scene.worker.rest().create(SINK, &with(config, IMPATIENT))?;
    scene.worker.rest().wait_for(SINK, "RUNNING")?;
    restarts(&scene, &redis, "redis.unreachable")?;
    network(&scene, &proxy, "redis.unreachable", "redis.timeout")?;
    let memory: [&[&str]; 2] = [
        &["CONFIG", "SET", "maxmemory", "1"],
        &["CONFIG", "SET", "maxmemory", "0"],
    ];
    refusal(&scene, &redis, ("full", "redis.memory"), memory)?;
    let replica: [&[&str]; 2] = [
        &["REPLICAOF", "127.0.0.1", "1"],
        &["REPLICAOF", "NO", "ONE"],
    ];
    refusal(&scene, &redis, ("a replica", "redis.read_only"), replica)?;
    scene.kill_worker(rounds(2, 25))?;
    scene.load.finish(SLOT)?;
    wait_equal_in_redis(&scene.postgres, &redis)
}

/// Blocks that take no writes: one that an operator sets, and the one that the server sets when its disk is nearly full,
/// which it tells with 429.
fn blocked(scene: &Scene, search: &Search) -> Outcome {
    for block in ["write", "read_only_allow_delete"] {
        let set = |value: &str| -> Outcome {
            let body = format!("{{\"index.blocks.{block}\":{value}}}");
            let answer = search.request("PUT", &format!("{INDEX}/_settings"), &body)?;
            match answer.status {
                200 => Ok(()),
                status => Err(format!("{block}: {status}: {}", answer.body).into()),
            }
        };
        scene.survive(
            SINK,
            &Fault {
                name: "blocked",
                says: "es.index_blocked",
                strike: &|| set("true"),
                mend: &|| set("null"),
            },
        )?;
    }
    Ok(())
}

#[test]
fn the_search_server_ends_equal_to_the_table() -> Outcome {
    let stack = Stack::new()?;
    let search = stack.opensearch_with(SearchOptions::default())?;
    let proxy = Proxy::to(&format!("127.0.0.1:{}", search.port()))?;
    let mut scene = scene(&stack)?;
    let config = search_sink_at(&format!("http://{}", proxy.address()), TOPICS);
    let config = with(config, &[("read.timeout.ms", "2000"), ("max.retries", "2")]);
    scene.worker.rest().create(SINK, &with(config, IMPATIENT))?;
    scene.worker.rest().wait_for(SINK, "RUNNING")?;
    wait_until("the index", Duration::from_secs(60), || {
        Ok(search.request("GET", INDEX, "")?.status == 200)
    })?;
    blocked(&scene, &search)?;
    network(&scene, &proxy, "es.unreachable", "es.timeout")?;
    if is_long() {
        restarts(&scene, &search, "es.")?;
    } else {
        scene.survive(
            SINK,
            &Fault {
                name: "killed",
                says: "es.",
                strike: &|| Ok(search.kill9()?),
                mend: &|| Ok(search.start()?),
            },
        )?;
    }
    scene.kill_worker(rounds(2, 25))?;
    scene.load.finish(SLOT)?;
    wait_equal_in_search(&scene.postgres, &search)
}
