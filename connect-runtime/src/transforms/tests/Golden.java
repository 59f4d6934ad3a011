// Records what Kafka Connect's own transforms make of the records in cases.json, one JSON object per line:
//   java -cp "<kafka>/libs/*:<debezium-connect-plugins, debezium-scripting, groovy-jsr223 and their jars>/*" Golden.java cases.json > golden.json
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;

public class Golden {
    static final ObjectMapper JSON = new ObjectMapper();

    static JsonConverter converter(boolean schemas) {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", schemas), false);
        return converter;
    }

    static byte[] bytes(JsonNode text) {
        return text == null || text.isNull() ? null : text.textValue().getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    /** Bytes as sources have them, which is another class than converters'. */
    static void buffers(Object value) {
        if (value instanceof Struct struct)
            for (Field field : struct.schema().fields()) {
                Object inner = struct.getWithoutDefault(field.name());
                buffers(inner);
                if (inner instanceof byte[] bytes)
                    struct.put(field, ByteBuffer.wrap(bytes));
            }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static void one(ObjectNode test) throws Exception {
        JsonConverter converter = converter(test.get("schemas").booleanValue());
        try {
            Transformation transform =
                (Transformation) Class.forName(test.get("class").textValue()).getDeclaredConstructor().newInstance();
            transform.configure(JSON.convertValue(test.get("settings"), Map.class));
            SchemaAndValue key = converter.toConnectData("t", bytes(test.get("key")));
            SchemaAndValue value = converter.toConnectData("t", bytes(test.get("value")));
            ConnectHeaders headers = new ConnectHeaders();
            if (test.has("drop"))
                headers.addList("drop", JSON.convertValue(test.get("drop"), List.class), SchemaBuilder.array(Schema.STRING_SCHEMA).build());
            for (JsonNode header : test.path("with"))
                headers.addString(header.get(0).textValue(), header.get(1).textValue());
            Map<String, Integer> entries = new HashMap<>();
            while (entries.size() < test.path("entries").intValue())
                entries.put("entry" + entries.size(), 1);
            if (test.has("entries"))
                buffers(value.value());
            ConnectRecord record = test.has("source")
                ? new SourceRecord(Map.of(), entries, test.get("topic").textValue(), 3, key.schema(), key.value(),
                    value.schema(), value.value(), 1700000000123L, headers)
                : new SinkRecord(test.get("topic").textValue(), 3, key.schema(), key.value(),
                    value.schema(), value.value(), 42, 1700000000123L, TimestampType.CREATE_TIME, headers);
            ConnectRecord after = (ConnectRecord) transform.apply(record);
            ObjectNode expected = test.putObject("expected");
            if (after == null) {
                expected.put("dropped", true);
                return;
            }
            expected.put("topic", after.topic());
            expected.put("key", text(converter.fromConnectData("t", after.keySchema(), after.key())));
            // A null value with a schema is a tombstone here.
            expected.put("value", after.value() == null ? null : text(converter.fromConnectData("t", after.valueSchema(), after.value())));
            if (!Objects.equals(after.timestamp(), record.timestamp()))
                expected.put("timestamp", after.timestamp());
            if (!Objects.equals(after.kafkaPartition(), record.kafkaPartition()))
                expected.put("partition", after.kafkaPartition());
            ObjectNode names = expected.putObject("headers");
            for (Object each : after.headers()) {
                Header header = (Header) each;
                if (!header.key().equals("drop"))
                    names.put(header.key(), text(converter(true).fromConnectData("t", header.schema(), header.value())));
            }
        } catch (Throwable wrong) {
            test.putObject("expected").put("error", String.valueOf(wrong.getMessage()));
        }
    }

    public static void main(String[] args) throws Exception {
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            ObjectNode test = (ObjectNode) JSON.readTree(line);
            one(test);
            System.out.println(JSON.writeValueAsString(test));
        }
    }
}
