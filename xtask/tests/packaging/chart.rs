//! The Helm chart: linted, rendered for each way to run, and checked against Kubernetes' schemas.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use stack::{go_tool, python, python_packages};

use crate::{
    AFTER_TASKS, Outcome, file, is_wanted,
    manifests::{Manifests, list, text},
    said, shutdown_seconds,
};

const CHART: &str = "packaging/helm/tidewater";
const HELM: &str = "helm-3.18.6";
pub(crate) const SCHEMAS: &str = "kubernetes-validate-1.37.0";
/// The oldest Kubernetes that the chart allows, and the newest that has schemas.
const KUBERNETES: [&str; 2] = ["1.27", "1.37"];

/// Helm with a command, on the chart with these values over its own.
fn helm(words: &[&str], values: &Value) -> Outcome<String> {
    let program = go_tool(HELM, "helm.sh/helm/v3/cmd/helm", "v3.18.6")?;
    let home = tempfile::tempdir()?;
    let given = home.path().join("values.json");
    fs::write(&given, values.to_string())?;
    let mut helm = Command::new(program);
    for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        helm.env(folder, home.path());
    }
    helm.args(words).arg(file(CHART)).arg("--values").arg(given);
    // Built from source, Helm does not know of which Kubernetes it is.
    helm.args(["--kube-version", "1.37.0"]);
    said(&mut helm)
}

/// The manifests of a release named `cdc`, after Kubernetes' schemas have taken them.
fn rendered(values: &Value) -> Outcome<Manifests> {
    let yaml = helm(&["template", "cdc", "--namespace", "data"], values)?;
    let packages = python_packages(SCHEMAS, &["kubernetes-validate==1.37.0"])?;
    let mut check = python()?;
    check
        .env("PYTHONPATH", packages)
        .arg(file("xtask/tests/packaging/kubernetes.py"))
        .args(KUBERNETES)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = check.spawn()?;
    let mut input = running.stdin.take().ok_or("no input")?;
    input.write_all(yaml.as_bytes())?;
    drop(input);
    let output = running.wait_with_output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(Manifests(serde_json::from_slice(&output.stdout)?))
}

/// Whether Helm and the schemas are to be used.
fn is_ready() -> bool {
    is_wanted(HELM) && is_wanted(SCHEMAS)
}

#[test]
fn an_embedded_log_has_its_volume_and_one_worker() -> Outcome {
    if !is_ready() {
        return Ok(());
    }
    helm(&["lint", "--strict"], &json!({}))?;
    let all = rendered(&json!({
        "kafkaFront": { "enabled": true },
        "serviceMonitor": { "enabled": true, "labels": { "release": "prometheus" } },
        "secrets": ["database", "search"],
        "persistence": { "size": "5Gi", "storageClass": "fast" },
    }))?;
    all.check(&["database", "search"]);
    let set = &all.one("StatefulSet")["spec"];
    assert_eq!(set["replicas"], 1);
    let claim = &set["volumeClaimTemplates"][0]["spec"];
    assert_eq!(claim["storageClassName"], "fast");
    let pod = &set["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["containers"][0]["readinessProbe"]["httpGet"]["path"],
        "/health"
    );
    assert!(!all.properties().contains("bootstrap.servers"));
    Ok(())
}

#[test]
fn workers_on_kafka_have_names_of_their_own_and_no_volume() -> Outcome {
    if !is_ready() {
        return Ok(());
    }
    let values = json!({
        "replicas": 3,
        "kafka": { "bootstrapServers": "kafka-0:9092,kafka-1:9092" },
        "config": { "task.shutdown.graceful.timeout.ms": "90001", "sasl.jaas.config": "a \"b\\c\"\nd" },
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
        }],
    });
    helm(&["lint", "--strict"], &values)?;
    let all = rendered(&values)?;
    all.check(&[]);
    let set = &all.one("StatefulSet")["spec"];
    assert!(set.get("volumeClaimTemplates").is_none());
    let pod = &set["template"]["spec"];
    let mut words = list(&pod["containers"][0]["args"]).map(text);
    let own = "rest.advertised.host.name=$(POD_NAME).cdc-tidewater-workers.$(POD_NAMESPACE).svc";
    assert!(words.any(|word| word == own));
    let given = all.properties();
    assert!(given.contains("bootstrap.servers=kafka-0:9092,kafka-1:9092\n"));
    assert!(
        given.contains("sasl.jaas.config=a \"b\\\\c\"\\nd\n"),
        "{given}"
    );
    let grace = pod["terminationGracePeriodSeconds"].as_u64();
    assert!(grace.ok_or("no time to end")? > shutdown_seconds(given)? + AFTER_TASKS);
    assert_eq!(all.one("PodDisruptionBudget")["spec"]["maxUnavailable"], 1);
    Ok(())
}

#[test]
fn a_secret_of_others_is_taken_and_nothing_is_made_in_its_place() -> Outcome {
    if !is_ready() {
        return Ok(());
    }
    let all = rendered(&json!({
        "existingSecret": "worker",
        "service": { "scheme": "HTTPS" },
        "serviceAccount": { "create": false },
        "podDisruptionBudget": { "enabled": false },
    }))?;
    all.check(&["worker"]);
    assert!(all.of("Secret").is_empty() && all.of("ServiceAccount").is_empty());
    let pod = &all.one("StatefulSet")["spec"]["template"]["spec"];
    let probe = &pod["containers"][0]["readinessProbe"]["httpGet"];
    assert_eq!(probe["scheme"], "HTTPS");
    Ok(())
}

#[test]
fn what_cannot_run_is_refused_in_words() -> Outcome {
    if !is_wanted(HELM) {
        return Ok(());
    }
    let refused = [
        (
            json!({ "replicas": 2 }),
            "more than one worker needs kafka.bootstrapServers",
        ),
        (
            json!({ "kafkaFront": { "enabled": true }, "kafka": { "bootstrapServers": "k:9092" } }),
            "kafkaFront serves the embedded log",
        ),
        // As a number, Helm would write it as 1.6777216e+07.
        (
            json!({ "config": { "transaction.max.bytes": 16_777_216 } }),
            "transaction.max.bytes",
        ),
        (json!({ "replica": 1 }), "replica"),
        (
            json!({ "persistence": { "accessModes": ["ReadWriteMany"] } }),
            "accessModes",
        ),
    ];
    for (values, says) in refused {
        let error = helm(&["template", "cdc"], &values).err();
        let error = error.ok_or_else(|| format!("{values} is taken"))?;
        assert!(error.to_string().contains(says), "{values}: {error}");
    }
    Ok(())
}
