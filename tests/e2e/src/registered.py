# Reads values of a topic that were written with a schema registry, by libraries that are not ours.
# Arguments stand in the first line of the input: the format, the registry's URL. Then values, each after its length.
import base64, datetime, decimal, io, json, os, struct, sys, tempfile, urllib.request

data = sys.stdin.buffer.read()
head, data = data.split(b"\n", 1)
kind, url = head.decode().split(" ")
urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))


def values():
    rest = data
    while rest:
        (length,) = struct.unpack(">i", rest[:4])
        if length >= 0:
            yield rest[4 : 4 + length]
        rest = rest[4 + max(length, 0) :]


def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError(type(value))


def schema(number, known={}):
    if number not in known:
        with urllib.request.urlopen(f"{url}/schemas/ids/{number}") as answer:
            known[number] = json.load(answer)["schema"]
    return known[number]


def avro(text, payload):
    import fastavro

    stream = io.BytesIO(payload)
    value = fastavro.schemaless_reader(stream, fastavro.parse_schema(json.loads(text)), None)
    assert not stream.read(1), "bytes behind the end"
    return value


def json_schema(text, payload):
    import jsonschema

    value = json.loads(payload)
    jsonschema.validate(value, json.loads(text))
    return value


KNOWN = {
    "confluent/meta.proto": """syntax = "proto3"; package confluent; import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }""",
    "confluent/type/decimal.proto": """syntax = "proto3"; package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }""",
    "google/type/date.proto": """syntax = "proto3"; package google.type;
message Date { int32 year = 1; int32 month = 2; int32 day = 3; }""",
    "google/type/timeofday.proto": """syntax = "proto3"; package google.type;
message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }""",
}


def message_class(text, known={}):
    if text in known:
        return known[text]
    import grpc_tools
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**KNOWN, "registered.proto": text}.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(content)
        out = os.path.join(folder, "set")
        include = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
        words = ["protoc", f"-I{folder}", f"-I{include}", "--include_imports", f"--descriptor_set_out={out}", "registered.proto"]
        assert protoc.main(words) == 0
        with open(out, "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    last = files.file[-1]
    name = f"{last.package}.{last.message_type[0].name}" if last.package else last.message_type[0].name
    known[text] = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    return known[text]


def protobuf(text, payload):
    from google.protobuf import json_format

    assert payload[0] == 0, "the first message of its file"
    message = message_class(text)()
    message.ParseFromString(payload[1:])
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


read = {"AVRO": avro, "JSON": json_schema, "PROTOBUF": protobuf}[kind]
for value in values():
    magic, number = struct.unpack(">bI", value[:5])
    assert magic == 0
    print(json.dumps({"id": number, "value": read(schema(number), value[5:])}, default=plain))
