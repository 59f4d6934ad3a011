//! Dead letters of sinks with real servers behind them: found, edited, replayed by a filter, purged; and replayed once each although the worker
//! is killed meanwhile.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use e2e::{
    LogKind, Outcome, Rest, Worker, WorkerOptions,
    configs::{file_source, redis_sink, search_sink, with},
};
use serde_json::{Value, json};
use stack::{Redis, Search, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(90);
const TOPIC: &str = "lines";
const LETTERS: &str = "/connectors/sink/dead-letters";
const REPLAY: &str = "/connectors/sink/dead-letters/replay";
/// So many letters take several requests, one of which is cut off.
const MANY: usize = 3000;

/// Lines of JSON become records whose key is their `id`; what a sink refuses becomes a letter.
fn sink(config: Value) -> Value {
    with(
        config,
        &[
            (
                "key.converter",
                "org.apache.kafka.connect.storage.StringConverter",
            ),
            (
                "value.converter",
                "org.apache.kafka.connect.json.JsonConverter",
            ),
            ("value.converter.schemas.enable", "false"),
            ("transforms", "key"),
            (
                "transforms.key.type",
                "org.apache.kafka.connect.transforms.ValueToKey",
            ),
            ("transforms.key.fields", "id"),
            ("errors.tolerance", "all"),
            ("errors.deadletterqueue.topic.name", "letters"),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
            ("errors.deadletterqueue.context.headers.enable", "true"),
        ],
    )
}

/// Redis hashes that are merged, so that Redis refuses those where something else is.
fn redis_hashes(redis: &Redis) -> Value {
    with(redis_sink(redis, TOPIC), &[("redis.hash.mode", "merge")])
}

/// A worker with a source of these lines and a sink.
fn worker(
    stack: &Stack,
    folder: &tempfile::TempDir,
    lines: &str,
    config: Value,
) -> Outcome<Worker> {
    let from = folder.path().join("from");
    fs::write(&from, lines)?;
    let worker = Worker::start(stack, WorkerOptions::on(LogKind::Embedded))?;
    let text = [(
        "value.converter",
        "org.apache.kafka.connect.storage.StringConverter",
    )];
    let source = with(file_source(&from.display().to_string(), TOPIC), &text);
    worker.rest().create("source", &source)?;
    worker.rest().create("sink", &sink(config))?;
    Ok(worker)
}

/// Waits until it is so; an error is not yet.
fn until(what: &str, mut is: impl FnMut() -> Outcome<bool>) -> Outcome {
    let mut last = Ok(false);
    let waited = wait_until(what, LIMIT, || {
        last = is();
        Ok(matches!(last, Ok(true)))
    });
    waited.map_err(|error| format!("{error}: {last:?}").into())
}

fn listed(rest: &Rest, query: &str) -> Outcome<Vec<Value>> {
    let all = rest.get(&format!("{LETTERS}{query}"))?;
    Ok(all["letters"].as_array().cloned().unwrap_or_default())
}

/// Waits for so many letters, and gives them.
fn wait_listed(rest: &Rest, count: usize) -> Outcome<Vec<Value>> {
    let mut last = Vec::new();
    let waited = until("the letters", || {
        last = listed(rest, "")?;
        Ok(last.len() == count)
    });
    waited.map_err(|error| format!("{error}: {last:?}"))?;
    Ok(last)
}

fn letter_of<'a>(letters: &'a [Value], stage: &str) -> Outcome<&'a Value> {
    let found = letters.iter().find(|letter| letter["stage"] == stage);
    found.ok_or_else(|| format!("no letter of stage {stage}: {letters:?}").into())
}

fn edit(letter: &Value, value: Value) -> Value {
    json!({"letters": [{"partition": letter["partition"], "offset": letter["offset"], "value": {"json": value}}]})
}

/// The letters are purged and nobody lists them any more.
fn assert_purged(rest: &Rest, count: usize) -> Outcome {
    let dry = rest.send(
        "DELETE",
        &format!("{LETTERS}?dryRun=true&replayed=true"),
        &Value::Null,
    )?;
    assert_eq!(dry["purged"], json!(count), "{dry}");
    let purged = rest.send("DELETE", LETTERS, &Value::Null)?;
    assert_eq!(purged["purged"], json!(count), "{purged}");
    assert!(listed(rest, "")?.is_empty());
    Ok(())
}

fn hash(redis: &Redis, id: usize) -> Outcome<String> {
    Ok(redis
        .cli(&["HGET", &format!("{TOPIC}:{id}"), "n"])?
        .trim()
        .to_owned())
}

#[test]
fn letters_of_redis_come_there_in_the_end() -> Outcome {
    let (stack, folder) = (Stack::new()?, tempfile::tempdir()?);
    let redis = stack.redis()?;
    // Somebody else has a list there, so that Redis refuses the hash.
    redis.cli(&["RPUSH", "lines:2", "x"])?;
    let lines = "{\"id\":1,\"n\":10}\n{\"id\":2,\"n\":20}\nnonsense\n{\"id\":3,\"n\":30}\n";
    let worker = worker(&stack, &folder, lines, redis_hashes(&redis))?;
    let rest = worker.rest();
    let letters = wait_listed(rest, 2)?;
    until("the others", || {
        Ok(hash(&redis, 1)? == "10" && hash(&redis, 3)? == "30")
    })?;
    let refused = letter_of(&letters, "TASK_PUT")?;
    assert!(
        refused.to_string().contains("redis.wrong_type"),
        "{refused}"
    );
    assert_eq!(listed(rest, "?exception=redis.wrong_type")?.len(), 1);
    // What stood in the way is gone: the record comes as it was; the other one does not fit the filter.
    redis.cli(&["DEL", "lines:2"])?;
    let done = rest.send("POST", REPLAY, &json!({"exception": "redis.wrong_type"}))?;
    assert_eq!(done["replayed"], json!(1), "{done}");
    until("the record", || Ok(hash(&redis, 2)? == "20"))?;
    let unread = letter_of(&letters, "VALUE_CONVERTER")?;
    let at = format!("{LETTERS}/{}/{}", unread["partition"], unread["offset"]);
    assert_eq!(rest.get(&at)?["value"], json!({"text": "nonsense"}));
    let better = edit(unread, json!({"id": 4, "n": 40}));
    assert_eq!(rest.send("POST", REPLAY, &better)?["replayed"], json!(1));
    until("the edited record", || Ok(hash(&redis, 4)? == "40"))?;
    assert_eq!(
        rest.send("POST", REPLAY, &better)?["replayed"],
        json!(0),
        "once"
    );
    assert_purged(rest, 2)
}

/// A document's field, if it is there.
fn document(search: &Search, id: usize) -> Outcome<Value> {
    let found = search.request("GET", &format!("/{TOPIC}/_doc/{id}"), "")?;
    let found: Value = serde_json::from_str(&found.body)?;
    Ok(found["_source"]["n"].clone())
}

#[test]
fn letters_of_a_search_server_come_there_in_the_end() -> Outcome {
    let (stack, folder) = (Stack::new()?, tempfile::tempdir()?);
    let search = stack.opensearch()?;
    let index = json!({"mappings": {"properties": {"n": {"type": "integer"}}}});
    search.request("PUT", &format!("/{TOPIC}"), &index.to_string())?;
    let lines = "{\"id\":1,\"n\":10}\n{\"id\":2,\"n\":\"twenty\"}\n{\"id\":3,\"n\":30}\nnonsense\n";
    let worker = worker(&stack, &folder, lines, search_sink(&search, TOPIC))?;
    let rest = worker.rest();
    let letters = wait_listed(rest, 2)?;
    until("the others", || {
        Ok(document(&search, 1)? == 10 && document(&search, 3)? == 30)
    })?;
    let refused = letter_of(&letters, "TASK_PUT")?;
    assert!(refused.to_string().contains("es.mapping"), "{refused}");
    let at = format!("{LETTERS}/{}/{}", refused["partition"], refused["offset"]);
    assert_eq!(
        rest.get(&at)?["value"],
        json!({"json": {"id": 2, "n": "twenty"}})
    );
    // As it is it is refused again, and is another letter.
    let same = rest.send("POST", REPLAY, &json!({"stage": "TASK_PUT"}))?;
    assert_eq!(same["replayed"], json!(1), "{same}");
    let letters = wait_listed(rest, 3)?;
    let again = letters
        .iter()
        .find(|l| l["stage"] == "TASK_PUT" && l["replayed"] == false);
    let again = again.ok_or("the letter of the replayed record")?;
    assert_eq!(
        again["origin"], refused["origin"],
        "it is from where it was first"
    );
    let done = rest.send("POST", REPLAY, &edit(again, json!({"id": 2, "n": 20})))?;
    assert_eq!(done["replayed"], json!(1), "{done}");
    until("the edited record", || Ok(document(&search, 2)? == 20))?;
    let dry = rest.send(
        "DELETE",
        &format!("{LETTERS}?dryRun=true&stage=VALUE_CONVERTER"),
        &Value::Null,
    )?;
    assert_eq!(dry["purged"], json!(1), "{dry}");
    let purged = rest.send("DELETE", &format!("{LETTERS}?stage=TASK_PUT"), &Value::Null)?;
    assert_eq!(purged["purged"], json!(2), "{purged}");
    assert_eq!(listed(rest, "")?.len(), 1);
    Ok(())
}

/// Replays a hundred letters at a time until none is left, or the worker is gone.
fn replay_all(rest: &Rest) -> Outcome<usize> {
    let mut replayed = 0;
    loop {
        let done = rest.send("POST", REPLAY, &json!({"limit": 100}))?;
        replayed += done["replayed"].as_u64().unwrap_or(0) as usize;
        if done["left"] == 0 {
            return Ok(replayed);
        }
    }
}

/// Every letter's place, and whether it was replayed.
fn everything(rest: &Rest) -> Outcome<Vec<bool>> {
    let (mut all, mut from) = (Vec::new(), String::from("0:0"));
    loop {
        let part = rest.get(&format!("{LETTERS}?limit=1000&from={from}"))?;
        let letters = part["letters"].as_array().cloned().unwrap_or_default();
        all.extend(letters.iter().map(|letter| letter["replayed"] == true));
        match part["next"].as_str() {
            Some(next) => next.clone_into(&mut from),
            None => return Ok(all),
        }
    }
}

/// Kills the worker while letters are being replayed, so many times; each time some were, and some were not yet.
fn kill_within(worker: &Worker, times: usize) -> Outcome {
    for _ in 0..times {
        let before = everything(worker.rest())?
            .into_iter()
            .filter(|is| *is)
            .count();
        let (rest, ended) = (worker.rest().clone(), Arc::new(AtomicBool::new(false)));
        let has_ended = Arc::clone(&ended);
        let asking = thread::spawn(move || {
            let all = replay_all(&rest);
            has_ended.store(true, Ordering::Release);
            all.is_ok()
        });
        until("some letters to be replayed", || {
            let now = everything(worker.rest())?
                .into_iter()
                .filter(|is| *is)
                .count();
            Ok(now > before || ended.load(Ordering::Acquire))
        })?;
        worker.server().kill9()?;
        let was_done = asking.join().map_err(|_| "the replay panicked")?;
        assert!(!was_done, "all were replayed before the worker was killed");
        worker.server().start()?;
        worker.rest().wait_for("sink", "RUNNING")?;
    }
    Ok(())
}

#[test]
fn each_letter_is_replayed_once_although_the_worker_is_killed() -> Outcome {
    let (stack, folder) = (Stack::new()?, tempfile::tempdir()?);
    let redis = stack.redis()?;
    let script = format!("for i = 1, {MANY} do redis.call('RPUSH', '{TOPIC}:' .. i, 'x') end");
    redis.cli(&["EVAL", &script, "0"])?;
    let lines: String = (1..=MANY)
        .map(|id| format!("{{\"id\":{id},\"n\":{id}}}\n"))
        .collect();
    let worker = worker(&stack, &folder, &lines, redis_hashes(&redis))?;
    until("the letters", || {
        Ok(everything(worker.rest()).is_ok_and(|all| all.len() == MANY))
    })?;
    redis.cli(&["FLUSHALL"])?;
    kill_within(&worker, 3)?;
    replay_all(worker.rest())?;
    assert!(
        everything(worker.rest())?.into_iter().all(|is| is),
        "all are replayed"
    );
    assert_eq!(replay_all(worker.rest())?, 0);
    until("all records", || {
        Ok(redis.cli(&["DBSIZE"])?.trim().ends_with(&MANY.to_string()))
    })?;
    let replayed = worker.stop_and_read("letters-sink-replay")?;
    let different: BTreeSet<&String> = replayed.iter().map(|(_, value)| value).collect();
    assert_eq!((replayed.len(), different.len()), (MANY, MANY), "each once");
    Ok(())
}
