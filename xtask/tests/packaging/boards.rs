//! The boards of `compose/grafana` and what they stand on, as far as it can be told without a worker.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use stack::{PROMTOOL, Program, Stack, binary, http, promtool, python, python_packages};

use crate::{Outcome, chart::SCHEMAS, file, is_wanted, manifests::list, said};

fn boards() -> Outcome<Vec<(String, Value)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(file("compose/grafana/boards"))? {
        let path = entry?.path();
        let board = serde_json::from_str(&fs::read_to_string(&path)?)?;
        all.push((path.display().to_string(), board));
    }
    Ok(all)
}

fn expressions(board: &Value) -> impl Iterator<Item = &str> {
    let targets = list(&board["panels"]).flat_map(|panel| list(&panel["targets"]));
    targets.filter_map(|target| target["expr"].as_str())
}

#[test]
fn prometheus_takes_every_expression() -> Outcome {
    if !is_wanted(PROMTOOL) {
        return Ok(());
    }
    let mut rules = Vec::new();
    for (_, board) in boards()? {
        let more = expressions(&board).map(str::to_owned).collect::<Vec<_>>();
        rules.extend(more);
    }
    assert!(rules.len() > 50);
    let rules = rules.into_iter().enumerate();
    let rules = rules.map(|(at, expr)| json!({ "record": format!("panel:{at}"), "expr": expr }));
    let rules = json!({ "groups": [{ "name": "boards", "rules": rules.collect::<Vec<_>>() }] });
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("rules.yaml");
    // JSON is YAML.
    fs::write(&path, rules.to_string())?;
    said(Command::new(promtool()?).args(["check", "rules"]).arg(path))?;
    let config = file("compose/prometheus.yaml");
    said(
        Command::new(promtool()?)
            .args(["check", "config"])
            .arg(config),
    )?;
    Ok(())
}

#[test]
fn panels_and_boards_have_numbers_of_their_own_and_no_panel_lies_on_another() -> Outcome {
    let mut uids = BTreeSet::new();
    for (path, board) in boards()? {
        assert!(uids.insert(board["uid"].to_string()), "{path}");
        let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for panel in list(&board["panels"]) {
            assert!(ids.insert(panel["id"].to_string()), "{path}: {panel}");
            let of = |name: &str| panel["gridPos"][name].as_u64().unwrap_or(u64::MAX);
            assert!(of("x") + of("w") <= 24, "{path}: {panel}");
            for x in of("x")..of("x") + of("w") {
                for y in of("y")..of("y") + of("h") {
                    assert!(taken.insert((x, y)), "{path}: {panel}");
                }
            }
        }
        let variables = list(&board["templating"]["list"]).filter_map(|one| one["name"].as_str());
        let variables: BTreeSet<&str> = variables.collect();
        for expression in expressions(&board) {
            for used in expression.split("=~\"$").skip(1) {
                let name = used.split('"').next().unwrap_or_default();
                assert!(variables.contains(name), "{path}: {expression}");
            }
        }
    }
    Ok(())
}

/// What the provisioning of Grafana names is what compose mounts and starts.
#[test]
fn grafana_finds_the_boards_and_prometheus() -> Outcome {
    if !is_wanted(SCHEMAS) {
        return Ok(());
    }
    let packages = python_packages(SCHEMAS, &["kubernetes-validate==1.37.0"])?;
    let yaml = |path: &str| -> Outcome<Value> {
        let read =
            "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
        let mut python = python()?;
        python.env("PYTHONPATH", &packages).args(["-c", read]);
        Ok(serde_json::from_str(&said(python.arg(file(path)))?)?)
    };
    let services = &yaml("compose/monitoring.yaml")?["services"];
    let mounts = services.as_object().into_iter().flatten();
    let mounts: Vec<String> = mounts
        .flat_map(|(_, service)| list(&service["volumes"]))
        .filter_map(|mount| mount.as_str().map(str::to_owned))
        .collect();
    for mount in &mounts {
        let from = mount.split(':').next().unwrap_or_default();
        assert!(file("compose").join(from).exists(), "{mount}");
    }
    let provider = yaml("compose/grafana/provisioning/dashboards/boards.yaml")?;
    let path = provider["providers"][0]["options"]["path"].as_str();
    let path = format!("./grafana/boards:{}:ro", path.ok_or("no path")?);
    assert!(mounts.contains(&path), "{path}");
    let sources = yaml("compose/grafana/provisioning/datasources/prometheus.yaml")?;
    assert_eq!(sources["datasources"][0]["url"], "http://prometheus:9090");
    assert!(services["prometheus"].is_object());
    let scraped = yaml("compose/prometheus.yaml")?;
    let target = &scraped["scrape_configs"][0]["static_configs"][0]["targets"][0];
    assert_eq!(target, "tidewater:8083");
    assert!(yaml("compose/compose.yaml")?["services"]["tidewater"].is_object());
    Ok(())
}

/// `promtool check metrics`: it ends with 3 when all can be read and names are not as it would have them; ours are Kafka Connect's.
fn check(page: &str) -> Outcome<Output> {
    let mut running = Command::new(promtool()?)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = running.stdin.take().ok_or("no input")?;
    input.write_all(page.as_bytes())?;
    drop(input);
    Ok(running.wait_with_output()?)
}

#[test]
fn prometheus_reads_what_a_worker_shows() -> Outcome {
    if !is_wanted(PROMTOOL) {
        return Ok(());
    }
    let stack = Stack::new()?;
    let data = tempfile::tempdir()?;
    let lines = data.path().join("worker.properties");
    let mut program = Program::new("tidewater", binary("tidewater")?);
    let port = program.claim_port()?;
    fs::write(&lines, format!("listeners=http://127.0.0.1:{port}\n"))?;
    program = program.arg("worker").arg(&lines).arg("--data-dir");
    let program = program.arg(data.path()).ready_http(port, "/health");
    let _worker = stack.program(program)?;
    let redis = stack.redis()?;
    let sink = json!({ "name": "no \"one\"", "config": {
        "connector.class": "io.tidewater.connector.redis.RedisSinkConnector",
        "topics": "nothing", "redis.uri": redis.url(), "redis.type": "hash",
    }});
    let address = format!("127.0.0.1:{port}");
    let made = http("POST", &address, "/connectors", &sink.to_string())?;
    assert_eq!(made.status, 201, "{}", made.body);
    let mut page = String::new();
    stack::wait_until(
        "a task's numbers",
        std::time::Duration::from_secs(30),
        || {
            page = http("GET", &address, "/metrics", "")?.body;
            Ok(page.contains("tidewater_sink_latency_seconds_bucket"))
        },
    )?;
    let read = check(&page)?;
    let told = String::from_utf8_lossy(&read.stderr).into_owned();
    assert!(matches!(read.status.code(), Some(0 | 3)), "{told}");
    assert!(!told.contains("parsing error"), "{told}");
    let broken = check(&(page + "kafka_connect{\n"))?;
    assert_eq!(broken.status.code(), Some(1));
    Ok(())
}
