//! Dead letters, rewinds, exports and imports as people use them: over REST, on a worker with the embedded log.

use std::{fs, path::Path, time::Duration};

use e2e::{
    LogKind, Outcome, Rest, Worker, WorkerOptions,
    configs::{file_source, with},
};
use serde_json::{Value, json};
use stack::{Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const TOPIC: &str = "lines";

fn file_sink(file: &Path) -> Value {
    json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": "1",
        "topics": TOPIC,
        "file": file.display().to_string(),
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": "letters",
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
    })
}

/// A worker, a source of a file's lines as they are, and a sink that takes JSON only.
struct Scene {
    worker: Worker,
    from: std::path::PathBuf,
    to: std::path::PathBuf,
    _folder: tempfile::TempDir,
    _stack: Stack,
}

fn scene(lines: &str) -> Outcome<Scene> {
    let stack = Stack::new()?;
    let folder = tempfile::tempdir()?;
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::write(&from, lines)?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
    let text = [(
        "value.converter",
        "org.apache.kafka.connect.storage.StringConverter",
    )];
    let source = with(file_source(&from.display().to_string(), TOPIC), &text);
    worker.rest().create("source", &source)?;
    worker.rest().create("sink", &file_sink(&to))?;
    Ok(Scene {
        worker,
        from,
        to,
        _folder: folder,
        _stack: stack,
    })
}

impl Scene {
    fn rest(&self) -> &Rest {
        self.worker.rest()
    }

    fn wait_for_lines(&self, expected: &[&str]) -> Outcome {
        let mut last = String::new();
        let waited = wait_until("the sink's file", LIMIT, || {
            last = fs::read_to_string(&self.to).unwrap_or_default();
            Ok(last.lines().eq(expected.iter().copied()))
        });
        waited.map_err(|error| format!("{error}: {last}").into())
    }
}

#[test]
fn a_dead_letter_is_found_edited_replayed_once_and_purged() -> Outcome {
    let scene = scene("{\"id\":1}\nnonsense\n{\"id\":2}\n")?;
    let rest = scene.rest();
    scene.wait_for_lines(&["{id=1}", "{id=2}"])?;
    let letters = "/connectors/sink/dead-letters";
    let listed = || rest.send("GET", letters, &Value::Null);
    wait_until("the letter", LIMIT, || {
        Ok(listed().is_ok_and(|all| all["letters"].as_array().is_some_and(|all| all.len() == 1)))
    })?;
    let all = listed()?;
    let letter = &all["letters"][0];
    assert_eq!(
        (&letter["stage"], &letter["origin"]["topic"]),
        (&json!("VALUE_CONVERTER"), &json!(TOPIC))
    );
    let (partition, offset) = (&letter["partition"], &letter["offset"]);
    let opened = rest.send(
        "GET",
        &format!("{letters}/{partition}/{offset}"),
        &Value::Null,
    )?;
    assert_eq!(opened["value"], json!({"text": "nonsense"}));
    let edited = |dry_run: bool| {
        let edit = json!({"partition": partition, "offset": offset, "value": {"json": {"id": 9}}});
        json!({"dryRun": dry_run, "letters": [edit]})
    };
    let replay = format!("{letters}/replay");
    let dry = rest.send("POST", &replay, &edited(true))?;
    assert_eq!(
        (&dry["dryRun"], &dry["replayed"]),
        (&json!(true), &json!(1)),
        "{dry}"
    );
    let done = rest.send("POST", &replay, &edited(false))?;
    assert_eq!(done["replayed"], json!(1), "{done}");
    scene.wait_for_lines(&["{id=1}", "{id=2}", "{id=9}"])?;
    let again = rest.send("POST", &replay, &edited(false))?;
    assert_eq!(again["replayed"], json!(0), "once: {again}");
    let dry = rest.send("DELETE", &format!("{letters}?dryRun=true"), &Value::Null)?;
    assert_eq!(dry["purged"], json!(1), "{dry}");
    let purged = rest.send("DELETE", letters, &Value::Null)?;
    assert_eq!(purged["purged"], json!(1), "{purged}");
    assert_eq!(listed()?["letters"], json!([]));
    scene.wait_for_lines(&["{id=1}", "{id=2}", "{id=9}"])
}

#[test]
fn a_sink_goes_back_and_a_source_goes_elsewhere() -> Outcome {
    let scene = scene("{\"id\":1}\n{\"id\":2}\n")?;
    let rest = scene.rest();
    scene.wait_for_lines(&["{id=1}", "{id=2}"])?;
    rest.stop("sink")?;
    let rewind = "/connectors/sink/offsets/rewind";
    let back = |dry_run: bool| json!({"to": {"earliest": true}, "dryRun": dry_run});
    let dry = rest.send("POST", rewind, &back(true))?;
    assert_eq!(
        (&dry["records"], &dry["partitions"][0]["to"]),
        (&json!(2), &json!(0)),
        "{dry}"
    );
    rest.send("POST", rewind, &back(false))?;
    rest.must("PUT", "/connectors/sink/resume")?;
    scene.wait_for_lines(&["{id=1}", "{id=2}", "{id=1}", "{id=2}"])?;
    let position = rest.send("GET", "/connectors/sink/position", &Value::Null)?;
    assert!(position.to_string().contains(TOPIC), "{position}");
    // The source under another name goes on where it was.
    rest.stop("source")?;
    let exported = rest.send("GET", "/connectors/source/export", &Value::Null)?;
    assert_eq!(
        exported["offsets"][0]["offset"]["position"],
        json!(18),
        "{exported}"
    );
    rest.must("DELETE", "/connectors/source")?;
    let mut import = exported;
    import["state"] = json!("RUNNING");
    let path = "/connectors/elsewhere/import";
    let mut dry = import.clone();
    dry["dryRun"] = json!(true);
    rest.send("POST", path, &dry)?;
    assert_eq!(rest.ask("GET", "/connectors/elsewhere", "")?.status, 404);
    rest.send("POST", path, &import)?;
    rest.wait_for("elsewhere", "RUNNING")?;
    let before = fs::read_to_string(&scene.from)?;
    fs::write(&scene.from, before + "{\"id\":3}\n")?;
    scene.wait_for_lines(&["{id=1}", "{id=2}", "{id=1}", "{id=2}", "{id=3}"])
}
