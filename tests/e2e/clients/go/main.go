// Two clients in Go against a worker: that of Redpanda Console, and go-kafka's.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	console "github.com/cloudhut/connect-client"
	gokafka "github.com/go-kafka/connect"
)

func must(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what, err)
		os.Exit(1)
	}
}

func expect(what string, ok bool, saw any) {
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: %+v\n", what, saw)
		os.Exit(1)
	}
}

// Waits until a condition holds; the limit is only reached when something is broken.
func until(what string, condition func() bool) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if condition() {
			return
		}
	}
	expect(what, false, "never")
}

func withConsole(url, file string) {
	ctx := context.Background()
	client := console.NewClient(console.WithHost(url))
	root, err := client.GetRoot(ctx)
	must("root", err)
	expect("root", root.Version != "" && root.KafkaClusterID != "", root)
	config := map[string]any{
		"connector.class": "FileStreamSource", "topic": "go", "file": file, "tasks.max": "1",
	}
	created, err := client.CreateConnector(ctx, console.CreateConnectorRequest{Name: "console", Config: config})
	must("create", err)
	expect("created", created.Type == "source" && created.Config["topic"] == "go", created)
	state := func(wanted string, tasks int) {
		until(wanted, func() bool {
			status, err := client.GetConnectorStatus(ctx, "console")
			return err == nil && status.Connector.State == wanted && len(status.Tasks) == tasks &&
				(tasks == 0 || status.Tasks[0].State == wanted)
		})
	}
	state("RUNNING", 1)
	names, err := client.ListConnectors(ctx)
	must("list", err)
	expect("names", len(names) == 1 && names[0] == "console", names)
	expanded, err := client.ListConnectorsExpanded(ctx)
	must("expanded", err)
	expect("expanded", expanded["console"].Status.Connector.State == "RUNNING" && expanded["console"].Info.Name == "console", expanded)
	must("pause", client.PauseConnector(ctx, "console"))
	state("PAUSED", 1)
	must("resume", client.ResumeConnector(ctx, "console"))
	state("RUNNING", 1)
	must("restart", client.RestartConnector(ctx, "console", console.RestartConnectorOptions{IncludeTasks: true}))
	state("RUNNING", 1)
	must("restart task", client.RestartConnectorTask(ctx, "console", 0))
	state("RUNNING", 1)
	until("topics", func() bool {
		topics, err := client.GetConnectorTopics(ctx, "console")
		return err == nil && len(topics["console"].Topics) == 1
	})
	must("reset topics", client.ResetConnectorTopics(ctx, "console"))
	config["batch.size"] = "10"
	changed, err := client.PutConnectorConfig(ctx, "console", console.PutConnectorConfigOptions{Config: config})
	must("put", err)
	expect("changed", changed.Config["batch.size"] == "10", changed)
	kept, err := client.GetConnectorConfig(ctx, "console")
	must("config", err)
	expect("config", kept["batch.size"] == "10", kept)
	plugins, err := client.GetConnectorPlugins(ctx)
	must("plugins", err)
	expect("plugins", len(plugins) > 2, plugins)
	config["tasks.max"] = "none"
	verdict, err := client.PutValidateConnectorConfig(ctx, "FileStreamSource", console.ValidateConnectorConfigOptions{Config: config})
	must("validate", err)
	expect("verdict", verdict.ErrorCount == 3, verdict)
	must("stop", client.StopConnector(ctx, "console"))
	state("STOPPED", 0)
	must("delete", client.DeleteConnector(ctx, "console"))
	_, err = client.GetConnector(ctx, "console")
	apiError, is := err.(console.ApiError)
	expect("gone", is && apiError.ErrorCode == 404, err)
}

func withGoKafka(url, file string) {
	client := gokafka.NewClient(url)
	config := gokafka.ConnectorConfig{"connector.class": "FileStreamSource", "topic": "go", "file": file}
	connector := gokafka.Connector{Name: "gokafka", Config: config}
	_, err := client.CreateConnector(&connector)
	must("create", err)
	state := func(wanted string) {
		until(wanted, func() bool {
			status, _, err := client.GetConnectorStatus("gokafka")
			return err == nil && status.Connector.State == wanted && len(status.Tasks) == 1 && status.Tasks[0].State == wanted
		})
	}
	state("RUNNING")
	tasks, _, err := client.GetConnectorTasks("gokafka")
	must("tasks", err)
	expect("tasks", len(tasks) == 1 && tasks[0].Config["topic"] == "go", tasks)
	_, err = client.PauseConnector("gokafka")
	must("pause", err)
	state("PAUSED")
	_, err = client.ResumeConnector("gokafka")
	must("resume", err)
	state("RUNNING")
	config["batch.size"] = "7"
	_, _, err = client.UpdateConnectorConfig("gokafka", config)
	must("update", err)
	_, err = client.RestartConnector("gokafka")
	must("restart", err)
	_, err = client.DeleteConnector("gokafka")
	must("delete", err)
	names, _, err := client.ListConnectors()
	must("list", err)
	expect("gone", len(names) == 0, names)
}

func main() {
	withConsole(os.Args[1], os.Args[2])
	withGoKafka(os.Args[1], os.Args[2])
}
