import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.connect.runtime.rest.entities.ConfigInfos;
import org.apache.kafka.connect.runtime.rest.entities.ConfigKeyInfo;
import org.apache.kafka.connect.runtime.rest.entities.ConnectorInfo;
import org.apache.kafka.connect.runtime.rest.entities.ConnectorOffsets;
import org.apache.kafka.connect.runtime.rest.entities.ConnectorStateInfo;
import org.apache.kafka.connect.runtime.rest.entities.ErrorMessage;
import org.apache.kafka.connect.runtime.rest.entities.ServerInfo;
import org.apache.kafka.connect.runtime.rest.entities.TaskInfo;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.ResourceNotFoundException;

/** Sourcelab's client, and the classes with which Kafka Connect itself reads answers, which take no field that they do not know. */
public class Clients {
    static final String CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector";
    static String url;

    public static void main(String[] arguments) throws Exception {
        url = arguments[0];
        sourcelab(arguments[1]);
        entities(arguments[1]);
        System.exit(0);
    }

    static void sourcelab(String file) throws Exception {
        KafkaConnectClient client = new KafkaConnectClient(new Configuration(url));
        expect("version", !client.getConnectServerVersion().getVersion().isEmpty());
        client.addConnector(NewConnectorDefinition.newBuilder().withName("lab").withConfig("connector.class", CLASS)
            .withConfig("topic", "java").withConfig("file", file).withConfig("tasks.max", 1).build());
        until("RUNNING", () -> isIn(client, "RUNNING", 1));
        expect("list", client.getConnectors().contains("lab"));
        expect("expanded", client.getConnectorsWithAllExpandedMetadata().getAllStatuses().size() == 1);
        expect("tasks", client.getConnectorTasks("lab").size() == 1);
        expect("task", client.getConnectorTaskStatus("lab", 0).getState().equals("RUNNING"));
        expect("pause", client.pauseConnector("lab"));
        until("PAUSED", () -> isIn(client, "PAUSED", 1));
        expect("resume", client.resumeConnector("lab"));
        until("RUNNING", () -> isIn(client, "RUNNING", 1));
        expect("restart", client.restartConnector("lab"));
        expect("restart task", client.restartConnectorTask("lab", 0));
        until("RUNNING", () -> isIn(client, "RUNNING", 1));
        expect("topics", client.getConnectorTopics("lab").getName().equals("lab"));
        expect("reset topics", client.resetConnectorTopics("lab"));
        client.updateConnectorConfig("lab", Map.of("connector.class", CLASS, "topic", "java", "file", file, "batch.size", "9"));
        expect("config", client.getConnectorConfig("lab").get("batch.size").equals("9"));
        expect("plugins", client.getConnectorPlugins().size() > 2);
        var verdict = client.validateConnectorPluginConfig(ConnectorPluginConfigDefinition.newBuilder().withName("FileStreamSource")
            .withConfig("connector.class", CLASS).withConfig("tasks.max", "none").build());
        expect("validate", verdict.getErrorCount() > 2);
        expect("stop", client.stopConnector("lab"));
        until("STOPPED", () -> isIn(client, "STOPPED", 0));
        expect("delete", client.deleteConnector("lab"));
        try {
            client.getConnector("lab");
            expect("gone", false);
        } catch (ResourceNotFoundException gone) {
            expect("message", gone.getMessage().contains("lab not found"));
        }
    }

    static boolean isIn(KafkaConnectClient client, String state, int tasks) {
        var status = client.getConnectorStatus("lab");
        return status.getConnector().get("state").equals(state) && status.getTasks().size() == tasks
            && status.getTasks().stream().allMatch(task -> task.getState().equals(state));
    }

    static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    static final HttpClient HTTP = HttpClient.newHttpClient();

    static void entities(String file) throws Exception {
        expect("root", JSON.readValue(ask("GET", "/", "", 200), ServerInfo.class).clusterId() != null);
        String config = JSON.writeValueAsString(Map.of("connector.class", CLASS, "topic", "java", "file", file));
        ConnectorInfo info = JSON.readValue(ask("PUT", "/connectors/own/config", config, 201), ConnectorInfo.class);
        expect("info", info.name().equals("own") && info.type().toString().equals("source"));
        until("RUNNING", () -> {
            try {
                var status = JSON.readValue(ask("GET", "/connectors/own/status", "", 200), ConnectorStateInfo.class);
                return status.connector().state().equals("RUNNING") && status.tasks().size() == 1;
            } catch (Exception error) {
                throw new RuntimeException(error);
            }
        });
        var tasks = JSON.readValue(ask("GET", "/connectors/own/tasks", "", 200), new TypeReference<List<TaskInfo>>() { });
        expect("task", tasks.get(0).id().task() == 0);
        ask("PUT", "/connectors/own/stop", "", 204);
        JSON.readValue(ask("GET", "/connectors/own/offsets", "", 200), ConnectorOffsets.class);
        var keys = JSON.readValue(ask("GET", "/connector-plugins/FileStreamSource/config", "", 200), new TypeReference<List<ConfigKeyInfo>>() { });
        expect("keys", keys.size() > 20);
        var infos = JSON.readValue(ask("PUT", "/connector-plugins/FileStreamSource/config/validate", config, 200), ConfigInfos.class);
        expect("infos", infos.name().equals(CLASS) && infos.errorCount() == 1);
        var error = JSON.readValue(ask("GET", "/connectors/nope", "", 404), ErrorMessage.class);
        expect("error", error.errorCode() == 404 && error.message().equals("Connector nope not found"));
        ask("DELETE", "/connectors/own", "", 204);
    }

    static String ask(String method, String path, String body, int status) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url + path)).header("Content-Type", "application/json")
            .header("Accept", "application/json").method(method, HttpRequest.BodyPublishers.ofString(body)).build();
        var answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        expect(method + " " + path + ": " + answer.statusCode() + " " + answer.body(), answer.statusCode() == status);
        return answer.body();
    }

    static void expect(String what, boolean holds) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /** The limit is only reached when something is broken. */
    static void until(String what, BooleanSupplier condition) throws Exception {
        for (int tries = 0; tries < 1200; tries++) {
            if (condition.getAsBoolean()) {
                return;
            }
            Thread.sleep(50);
        }
        throw new AssertionError(what + " never came");
    }
}
