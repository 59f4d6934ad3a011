//! A search server with more to do than it can: neighbours keep its one writing thread busy so that it rejects what does not
//! fit into its queue, and later it takes no request at all. It says both with 429. The sink waits, tells why and what to
//! do, commits nothing that is not stored, and in the end the index holds what the table holds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use e2e::{
    Fault, LogKind, Outcome, Scene, WorkerOptions,
    configs::{IMPATIENT, postgres_source, search_sink, with},
    items::{self, wait_equal_in_search},
    scene::{SLOT, SOURCE},
};
use serde_json::Value;
use stack::{PgVersion, Search, SearchOptions, Stack};

const SINK: &str = "sink";
const TOPICS: &str = "faults\\.public\\..*";
const OVERLOADED: &str = "es.overloaded";
/// One writes, one waits in the queue, the others are rejected.
const NEIGHBOURS: usize = 5;
/// Enough to keep the writing thread for a while.
const DOCUMENTS: usize = 1000;
/// Before a neighbour that was rejected comes again.
const PAUSE: Duration = Duration::from_millis(5);

/// Other clients of the server, who write as fast as they can. They end when dropped.
struct Neighbours {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Neighbours {
    fn start(search: &Search) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let line = "{\"index\":{}}\n{\"text\":\"the same again and again\"}\n";
        let body = line.repeat(DOCUMENTS);
        let write = || {
            let (search, body, stop) = (search.clone(), body.clone(), Arc::clone(&stop));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let answer = search.request("POST", "/neighbours/_bulk", &body);
                    if answer.is_ok_and(|answer| answer.body.contains("\"status\":429")) {
                        thread::park_timeout(PAUSE);
                    }
                }
            })
        };
        let threads = (0..NEIGHBOURS).map(|_| write()).collect();
        Self { stop, threads }
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It does not panic.
            let _ = thread.join();
        }
    }
}

/// How many writes the server has rejected because its queue was full.
fn rejected(search: &Search) -> Outcome<u64> {
    let stats = search.request("GET", "/_nodes/stats/thread_pool", "")?;
    let stats: Value = serde_json::from_str(&stats.body)?;
    let nodes = stats["nodes"].as_object().into_iter().flatten();
    let counts = nodes.map(|(_, node)| node["thread_pool"]["write"]["rejected"].as_u64());
    Ok(counts.map(Option::unwrap_or_default).sum())
}

/// Bytes of all requests that the server takes at once; `null` for its default.
fn limit(search: &Search, bytes: &str) -> Outcome {
    let name = "network.breaker.inflight_requests.limit";
    let body = format!("{{\"persistent\":{{\"{name}\":{bytes}}}}}");
    let answer = search.request("PUT", "/_cluster/settings", &body)?;
    match answer.status {
        200 => Ok(()),
        status => Err(format!("{name}: {status}: {}", answer.body).into()),
    }
}

/// While nothing is taken, nothing is committed, however much there is to write.
fn commits_only_what_is_stored(scene: &Scene, search: &Search) -> Outcome {
    let rest = scene.worker.rest();
    let offsets = || rest.get(&format!("/connectors/{SINK}/offsets"));
    limit(search, "\"1b\"")?;
    rest.wait_for_trouble(SINK, OVERLOADED)?;
    let before = offsets()?;
    scene.load.wait_for(10)?;
    rest.wait_for_trouble(SINK, OVERLOADED)?;
    assert_eq!(offsets()?, before, "offsets of records that are not stored");
    limit(search, "null")?;
    rest.wait_for(SINK, "RUNNING")
}

#[test]
fn an_overloaded_search_server_gets_everything_in_the_end() -> Outcome {
    let stack = Stack::new()?;
    let options = SearchOptions::default()
        .set("node.processors", "1")
        .set("thread_pool.write.queue_size", "1");
    let search = stack.opensearch_with(options)?;
    let postgres = stack.postgres(PgVersion::V15)?;
    let source = postgres_source(&postgres, SOURCE, items::TABLE);
    let options = WorkerOptions::on(LogKind::Embedded);
    let mut scene = Scene::churning(&stack, postgres, options, &source)?;
    let config = with(
        search_sink(&search, TOPICS),
        &[("max.retries", "2"), ("retry.backoff.ms", "20")],
    );
    scene.worker.rest().create(SINK, &with(config, IMPATIENT))?;
    scene.worker.rest().wait_for(SINK, "RUNNING")?;
    let neighbours = std::cell::RefCell::new(None);
    scene.survive(
        SINK,
        &Fault {
            name: "busy with its neighbours",
            says: OVERLOADED,
            strike: &|| {
                neighbours.replace(Some(Neighbours::start(&search)));
                Ok(())
            },
            mend: &|| {
                drop(neighbours.take());
                Ok(())
            },
        },
    )?;
    assert!(rejected(&search)? > 0, "its queue was never full");
    commits_only_what_is_stored(&scene, &search)?;
    scene.load.finish(SLOT)?;
    wait_equal_in_search(&scene.postgres, &search)
}
