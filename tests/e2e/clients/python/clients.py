"""Clients from PyPI against a worker: kc, kafkaconnect, kafka-connect-api, kafka-connect-watcher, kafka-connect-healthcheck."""

import json
import subprocess
import sys
import time

URL, FILE = sys.argv[1], sys.argv[2]
CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"
CONFIG = {"connector.class": CLASS, "tasks.max": "1", "topic": "py", "file": FILE}


def until(what, condition):
    """The limit is only reached when something is broken."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.05)


def kc(*arguments):
    code = "import sys; from kafka_connect.cli import cli; sys.exit(cli(prog_name='kc'))"
    ran = subprocess.run(
        [sys.executable, "-c", code, "--url", URL, *arguments], capture_output=True, text=True
    )
    assert ran.returncode == 0, f"kc {arguments}: {ran.stdout} {ran.stderr}"
    return ran.stdout


def kc_json(*arguments):
    return json.loads(kc(*arguments))


def kc_state(name, state):
    status = kc_json("status", name)
    states = [status["connector"]["state"]] + [task["state"] for task in status["tasks"]]
    return states == [state, state]


def with_kc():
    from kafka_connect.kafka_connect import KafkaConnect

    assert "version" in kc("info")
    kc("create", "-d", json.dumps({"name": "kc", "config": CONFIG}))
    until("RUNNING", lambda: kc_state("kc", "RUNNING"))
    assert "kc" in kc("list")
    assert kc_json("list", "--expand", "status")["kc"]["status"]["name"] == "kc"
    assert kc_json("get", "kc")["type"] == "source"
    kc("update", "kc", "-d", json.dumps({**CONFIG, "batch.size": "5"}))
    assert kc_json("config", "kc")["batch.size"] == "5"
    until("RUNNING", lambda: kc_state("kc", "RUNNING"))
    kc("pause", "kc")
    until("PAUSED", lambda: kc_state("kc", "PAUSED"))
    kc("resume", "kc")
    until("RUNNING", lambda: kc_state("kc", "RUNNING"))
    kc("restart", "kc")
    kc("restart", "kc", "--include-tasks")
    kc("restart", "--all", "--include-tasks", "--only-failed")
    until("RUNNING", lambda: kc_state("kc", "RUNNING"))
    assert kc_json("list-tasks", "kc")[0]["id"]["task"] == 0
    assert kc_json("task-status", "kc", "0")["id"] == 0
    kc("restart-task", "kc", "0")
    until("py", lambda: "py" in kc("list-topics", "kc"))
    kc("reset-topics", "kc")
    assert CLASS in kc("list-plugins")
    # Its command sends the configuration as a JSON text in a JSON text, which no Kafka Connect takes.
    verdict = KafkaConnect(URL).validate_connector_config(CLASS, {**CONFIG, "name": "v"})
    assert verdict["error_count"] == 0, verdict
    kc("delete", "kc")
    assert "kc" not in json.loads(kc("list"))


def with_kafkaconnect():
    from kafkaconnect.connect import Connect

    client = Connect(URL)
    client.validate_and_create("lsst", json.dumps({**CONFIG, "name": "lsst"}))
    assert json.loads(client.list()) == ["lsst"]
    until("RUNNING", lambda: json.loads(client.status("lsst"))["connector"]["state"] == "RUNNING")
    assert json.loads(client.info("lsst"))["name"] == "lsst"
    assert json.loads(client.config("lsst"))["topic"] == "py"
    until("a task", lambda: len(json.loads(client.tasks("lsst"))) == 1)
    assert "lsst" in json.loads(client.topics("lsst"))
    assert len(json.loads(client.plugins())) > 2
    client.restart("lsst")
    client.pause("lsst")
    until("PAUSED", lambda: json.loads(client.status("lsst"))["connector"]["state"] == "PAUSED")
    client.resume("lsst")
    client.remove("lsst")
    assert json.loads(client.list()) == []


def with_kafka_connect_api():
    from kafka_connect_api.errors import GenericNotFound
    from kafka_connect_api.kafka_connect_api import Api, Cluster, Connector

    cluster = Cluster(Api(url=URL))
    assert cluster.version
    connector = Connector(cluster, "kca")
    try:
        connector.exists()
        raise AssertionError("it exists")
    except GenericNotFound as error:
        assert "Connector kca not found" in str(error)
    connector.config = CONFIG
    assert connector.exists()
    until("RUNNING", lambda: connector.state == "RUNNING" and len(connector.tasks) == 1)
    until("a task", lambda: connector.tasks[0].is_running())
    connector.cycle_connector()
    until("RUNNING", lambda: connector.state == "RUNNING" and connector.tasks[0].is_running())
    connector.restart()
    assert connector.connector_class == CLASS
    assert list(cluster.connectors) == ["kca"]
    cluster.root_logger = "WARN"
    assert cluster.root_logger["level"] == "WARN"
    cluster.set_logger_log_level("root", "INFO")
    return cluster, connector


def with_healthcheck():
    from kafka_connect_healthcheck.health import Health

    cluster, connector = with_kafka_connect_api()
    until("RUNNING", lambda: connector.state == "RUNNING" and connector.tasks[0].is_running())
    health = Health(URL, None, ["FAILED"], "", 0, ["CONNECTOR", "TASK"])
    assert health.get_health_result()["healthy"] is True
    failing = failing_sink(cluster)
    until("FAILED", lambda: failing.tasks and failing.tasks[0].state == "FAILED")
    sick = health.get_health_result()
    assert sick["healthy"] is False and sick["failures"][0]["connector"] == "kca-fails", sick
    with_watcher(failing)
    failing.delete()
    connector.delete()
    assert cluster.connectors == {}


def failing_sink(cluster):
    from kafka_connect_api.kafka_connect_api import Connector

    failing = Connector(cluster, "kca-fails")
    failing.config = {
        "connector.class": "FileStreamSink",
        "topics": "py",
        "file": "/nonexistent/folder/file",
    }
    return failing


def with_watcher(failing):
    """It restarts what has failed: the task is another one afterwards, that fails again."""
    from kafka_connect_watcher.cluster import ConnectCluster
    from kafka_connect_watcher.config import Config

    host, port = URL.removeprefix("http://").split(":")
    rules = [{"include_regex": [".*"], "auto_correct_actions": [{"action": "restart"}]}]
    definition = {"hostname": host, "port": int(port), "url": URL, "evaluation_rules": rules}
    config = Config(configuration={"clusters": [definition]})
    cluster = ConnectCluster(definition, config)
    for rule in cluster.handling_rules:
        rule.execute(cluster)
    assert set(cluster.metrics["connectors"]) == {"kca", "kca-fails"}, cluster.metrics
    until("FAILED", lambda: failing.tasks[0].state == "FAILED")


with_kc()
with_kafkaconnect()
with_healthcheck()
