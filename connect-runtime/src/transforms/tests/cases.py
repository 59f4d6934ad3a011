"""Writes cases.json for Golden.java: which transforms are tried on which records."""

import json

T = "org.apache.kafka.connect.transforms."
text = lambda **more: {"type": "string", **more}
ROW_FIELDS = [
    {"type": "int32", "optional": False, "field": "id"},
    {"type": "string", "optional": True, "field": "name"},
    {"type": "string", "optional": True, "default": "none", "field": "note"},
    {"type": "int64", "optional": True, "field": "big"},
    {"type": "double", "optional": True, "field": "ratio"},
    {"type": "float", "optional": False, "default": 1.5, "field": "single"},
    {"type": "boolean", "optional": True, "field": "flag"},
    {"type": "bytes", "optional": True, "field": "raw"},
    {"type": "bytes", "optional": True, "name": "org.apache.kafka.connect.data.Decimal", "version": 1, "parameters": {"scale": "0"}, "field": "amount"},
    {"type": "int32", "optional": True, "name": "org.apache.kafka.connect.data.Date", "version": 1, "field": "day"},
    {"type": "int64", "optional": True, "name": "org.apache.kafka.connect.data.Timestamp", "version": 1, "field": "moment"},
    {"type": "array", "items": {"type": "int32", "optional": True}, "optional": True, "field": "list"},
    {"type": "map", "keys": {"type": "string", "optional": False}, "values": {"type": "int32", "optional": True}, "optional": True, "field": "map"},
    {"type": "struct", "fields": [{"type": "string", "optional": True, "field": "city"}, {"type": "int32", "optional": True, "default": 9, "field": "a.b"}], "optional": True, "name": "Address", "field": "address"},
    {"type": "string", "optional": True, "field": "when"},
]
ROW = {"id": 7, "name": "Zoë", "note": None, "big": 300, "ratio": -2.75, "single": None, "flag": True, "raw": "AQID", "amount": "BNI=",
       "day": 19675, "moment": 1700000000123, "list": [1, None], "map": {"x": 1}, "address": {"city": "Bonn", "a.b": None}, "when": "2023-11-14 22:13:20"}
NULLS = {**{name: None for name in ROW}, "id": 0}
row_schema = {"type": "struct", "fields": ROW_FIELDS, "optional": True, "name": "s.public.orders.Value", "version": 2, "doc": "rows", "parameters": {"p": "1"}}
key_schema = {"type": "struct", "fields": [{"type": "int32", "optional": False, "field": "id"}, {"type": "string", "optional": True, "field": "name"}], "optional": False, "name": "s.public.orders.Key"}
source_schema = {"type": "struct", "fields": [
    {"type": "string", "optional": False, "field": "version"}, {"type": "string", "optional": True, "default": "false", "field": "snapshot"},
    {"type": "int64", "optional": False, "field": "ts_ms"}, {"type": "string", "optional": False, "field": "table"}, {"type": "int64", "optional": True, "field": "lsn"}],
    "optional": False, "name": "io.debezium.connector.postgresql.Source", "version": 1}
transaction_schema = {"type": "struct", "fields": [{"type": "string", "optional": False, "field": "id"}, {"type": "int64", "optional": False, "field": "total_order"},
    {"type": "int64", "optional": False, "field": "data_collection_order"}], "optional": True, "name": "event.block", "version": 1}
small_row = {"type": "struct", "fields": [ROW_FIELDS[0], ROW_FIELDS[1], ROW_FIELDS[2], ROW_FIELDS[5], ROW_FIELDS[11]], "optional": True, "name": "s.public.orders.Value"}
named = lambda schema, field: {**schema, "field": field}
envelope_schema = {"type": "struct", "fields": [named(small_row, "before"), named(small_row, "after"), named(source_schema, "source"), named(transaction_schema, "transaction"),
    {"type": "string", "optional": False, "field": "op"}, {"type": "int64", "optional": True, "field": "ts_ms"}], "optional": False, "name": "s.public.orders.Envelope", "version": 2}
small = {"id": 7, "name": "other.topic", "note": None, "single": None, "list": [1]}
source = {"version": "3.6.1.Final", "snapshot": None, "ts_ms": 1700000000000, "table": "orders", "lsn": 33}
event = lambda op, before, after, transaction=None: {"before": before, "after": after, "source": source, "transaction": transaction, "op": op, "ts_ms": 1700000000001}
block = {"id": "571:33", "total_order": 1, "data_collection_order": 2}

dump = lambda schema, payload: json.dumps({"schema": schema, "payload": payload}, ensure_ascii=False, separators=(",", ":"))
plain = lambda payload: json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
KEY = dump(key_schema, {"id": 7, "name": "k"})

flat = [
    (True, KEY, dump(row_schema, ROW)), (True, KEY, dump(row_schema, NULLS)), (True, KEY, None),
    (True, dump({"type": "int64", "optional": True, "default": 5, "doc": "d"}, 4), dump({"type": "int64", "optional": False, "name": "n"}, 300)),
    (False, plain({"id": 7}), plain(ROW)), (False, plain({"id": 7}), None), (False, plain(7), plain("2023-11-14 22:13:20")),
]
events = [
    (True, KEY, dump(envelope_schema, event("c", None, small))), (True, KEY, dump(envelope_schema, event("u", small, {**small, "note": "n"}, block))),
    (True, KEY, dump(envelope_schema, event("d", {**small, "name": " "}, None))), (True, KEY, dump(envelope_schema, event("d", small, None))),
    (True, KEY, dump(envelope_schema, event("t", None, None))), (True, KEY, None), (True, KEY, dump(row_schema, ROW)), (False, plain({"id": 7}), plain(event("c", None, small))),
]

def tiny(field):
    """Only this field: with its value, and null."""
    fields = [f for f in ROW_FIELDS if f["field"] == field]
    schema = {"type": "struct", "fields": fields, "optional": False}
    yield True, None, dump(schema, {f["field"]: ROW[f["field"]] for f in fields})
    if fields and fields[0]["optional"]:
        yield True, None, dump(schema, {field: None})

cases = []
def on(records, name, **settings):
    for schemas, key, value in records:
        cases.append({"class": name, "settings": {k.replace("_", "."): v for k, v in settings.items()}, "topic": "s.public.orders", "schemas": schemas, "key": key, "value": value})
def both(name, **settings):
    on(flat, T + name + "$Value", **settings)
    on(flat[:1] + flat[3:5], T + name + "$Key", **settings)

both("InsertField", topic_field="t", partition_field="p!", offset_field="o?", timestamp_field="ts", static_field="s", static_value="v")
both("InsertField", static_field="id", static_value="v")
both("InsertField", timestamp_field="ts!", replace_null_with_default="false")
both("ReplaceField", exclude="raw,amount,day,moment", renames="id:key,name:title")
both("ReplaceField", include="id,note,single", replace_null_with_default="false")
both("ReplaceField", include="id,name", exclude="name", renames="id:id2")
both("ReplaceField", renames="id:name")
for field in ["id", "name", "note", "big", "ratio", "single", "flag", "raw", "amount", "day", "moment", "list", "map", "address", "missing"]:
    on([*tiny(field), (False, None, plain({field: ROW.get(field)}))], T + "MaskField$Value", fields=field)
    on([*tiny(field)][:1] + [(False, None, plain({field: ROW.get(field)}))], T + "MaskField$Value", fields=field, replacement="12")
on(flat[:1], T + "MaskField$Value", fields="id", replacement="x")
on(flat, T + "MaskField$Value", fields="id,name")
on(flat[:1], T + "MaskField$Key", fields="id,name")
for kind in ["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"]:
    for field in ["id", "name", "note", "big", "ratio", "single", "flag", "raw", "amount", "day", "moment", "list", "address", "missing"]:
        on(tiny(field), T + "Cast$Value", spec=f"{field}:{kind}")
    on(flat[4:5], T + "Cast$Value", spec=f"id:{kind},big:{kind},ratio:{kind},flag:{kind}")
    on(flat[2:], T + "Cast$Value", spec=kind)
    on(flat[3:4], T + "Cast$Key", spec=kind)
    for number in ["1", "-129", "1e3", " 1", "1.5", "true", "TRUE", "NaN", "x", "9223372036854775808", "1f", "+5", ""]:
        on([(True, None, dump({"type": "string", "optional": False}, number)), (False, None, plain(number))], T + "Cast$Value", spec=kind)
    for number in [1e300, -1e300, 2147483648.5, 127.9, -0.5, 1e10]:
        on([(True, None, dump({"type": "double", "optional": False}, number)), (False, None, plain(number))], T + "Cast$Value", spec=kind)
for target in ["string", "unix", "Date", "Time", "Timestamp"]:
    for field in ["when", "day", "moment", "big", "note", "id", "missing"]:
        on(tiny(field), T + "TimestampConverter$Value", field=field, target_type=target, format="yyyy-MM-dd HH:mm:ss")
    on(tiny("moment"), T + "TimestampConverter$Value", field="moment", target_type=target, format="yyyy-MM-dd HH:mm:ss.SSS", replace_null_with_default="false")
    for precision in ["seconds", "microseconds", "nanoseconds"]:
        on(tiny("big"), T + "TimestampConverter$Value", field="big", target_type=target, format="HH:mm:ss.SSS X", unix_precision=precision)
        on(tiny("moment"), T + "TimestampConverter$Value", field="moment", target_type=target, format="D u EEE yyyy", unix_precision=precision)
    on(flat[:1] + flat[2:3] + flat[5:6], T + "TimestampConverter$Value", field="when", target_type=target, format="yyyy")
on(flat[3:4] + flat[5:], T + "TimestampConverter$Value", target_type="unix", format="yyyy-MM-dd HH:mm:ss")
on(flat[3:4] + flat[6:], T + "TimestampConverter$Value", target_type="string", format="yyyy-MM-dd HH:mm:ss")
on(flat[4:5], T + "TimestampConverter$Value", field="when", target_type="unix", format="yyyy-MM-dd HH:mm:ss")
on(flat[4:5], T + "TimestampConverter$Value", field="moment", target_type="string", format="yyyy-MM-dd'T'HH:mm")
for pattern, value in [("yyyy-MM-dd", "2023-02-31"), ("yy-M-d", "23-1-2"), ("dd MMM yyyy", "5 feb 2020"), ("EEE, d MMM yyyy HH:mm:ss Z", "Tue, 14 Nov 2023 22:13:20 +0130"),
                       ("yyyyMMddHHmmssSSS", "20231114221320123"), ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2023-11-14T22:13:20.5Z"), ("hh:mm a", "12:30 pm"), ("yyyy-MM-dd", "2023-11"),
                       ("yyyy-MM-dd", "2023-11-14 and more"), ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2023-11-14 22:13:20.123456"), ("yyyy DDD", "2024 060"), ("yyyy-MM-dd HH:mm:ss z", "2023-11-14 22:13:20 GMT+02:00")]:
    on([(True, None, dump({"type": "string", "optional": False}, value)), (False, None, plain(value))], T + "TimestampConverter$Value", target_type="unix", format=pattern)
on(flat, T + "ValueToKey", fields="id,note,address")
on(flat[:2], T + "ValueToKey", fields="single,note", replace_null_with_default="false")
on(flat[:1], T + "ValueToKey", fields="missing")
for field in ["id", "note", "address", "single", "list", "missing"]:
    both("ExtractField", field=field)
on(flat, T + "ExtractField$Value", field="address.city", field_syntax_version="V2")
on(flat, T + "ExtractField$Value", field="address.`a.b`", field_syntax_version="v2")
on(flat[:2], T + "ExtractField$Value", field="address.`a.b`", field_syntax_version="V2", replace_null_with_default="false")
on(flat[4:5], T + "ExtractField$Value", field="id.x", field_syntax_version="V2")
for regex, replacement in [(r"([^.]+)\.([^.]+)\.([^.]+)", "$3"), (r"(.*)public(.*)", r"$1\$x$2"), (r"nothing", "x"), (r"(?<s>\w+)\..*", "${s}_all"), (r"s\.|s.*", "Y")]:
    on(flat[:1] + flat[4:5], T + "RegexRouter", regex=regex, replacement=replacement)
on(flat[:1], T + "Filter")
U = "io.debezium.transforms.ExtractNewRecordState"
fields = "op,source.table,table:TBL,ts_ms,source.ts_ms,transaction.id,total_order,lsn,nothing,snapshot"
for mode in ["drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone"]:
    handling = {"delete_tombstone_handling_mode": mode}
    on(events, U, **handling)
    on(events, U, **handling, add_fields=fields, add_headers="op,source.table,version:V,id")
    on(events, U, **handling, add_fields="op,table", add_fields_prefix="", add_headers="op", add_headers_prefix="h.", replace_null_with_default="false")
    on(events[:4], U, **handling, route_by_field="name")
on(events[:3], U, route_by_field="missing")
on(events[:1], U, add_fields="missing.field")
for more in [{}, {"drop_fields_from_key": "true"}, {"drop_fields_keep_schema_compatible": "false"}, {"drop_fields_from_key": "true", "drop_fields_keep_schema_compatible": "false"}]:
    before = len(cases)
    on(events[:4] + events[5:6], U, drop_fields_header_name="drop", add_fields="op", delete_tombstone_handling_mode="rewrite-with-tombstone", **more)
    for case in cases[before:]:
        case["drop"] = ["name", "id", "__op"]


def headed(first, *headers):
    """The cases from there on have headers of text."""
    for case in cases[first:]:
        case["with"] = headers

both("Flatten")
nested = {"type": "struct", "fields": [
    {"type": "int32", "optional": False, "field": "id"}, {"type": "string", "optional": True, "default": "none", "field": "note"},
    {"type": "struct", "fields": [{"type": "string", "optional": False, "field": "city"}, {"type": "int32", "optional": True, "default": 9, "field": "a.b"},
        {"type": "struct", "fields": [{"type": "bytes", "optional": True, "field": "raw"}, {"type": "array", "items": {"type": "int32"}, "optional": True, "field": "list"}], "optional": False, "name": "Deep", "field": "deep"}],
        "optional": True, "name": "Address", "field": "address"},
    {"type": "int64", "optional": True, "name": "org.apache.kafka.connect.data.Timestamp", "version": 1, "field": "moment"}],
    "optional": True, "name": "N", "version": 3, "doc": "d", "parameters": {"p": "1"}}
deep = {"raw": "AQID", "list": [1, 2]}
trees = [(True, KEY, dump(nested, {"id": 1, "note": None, "address": {"city": "Bonn", "a.b": None, "deep": deep}, "moment": 5})),
    (True, KEY, dump(nested, {"id": 1, "note": "n", "address": None, "moment": None})), (True, KEY, dump(nested, None)),
    (False, plain({"k": {"l": 1}}), plain({"a": {"b": {"c": 1, "d": [1, {"e": 2}]}, "f": None}, "g": "h", "i": {}}))]
on(trees, T + "Flatten$Value")
on(trees, T + "Flatten$Value", delimiter="_")
on(trees[3:], T + "Flatten$Key", delimiter="")
on(trees, T + "HoistField$Key", field="k")
both("HoistField", field="magic")
on([(True, None, dump({"type": "int32", "optional": False}, 3)), (False, None, None)], T + "HoistField$Value", field="x")
both("SetSchemaMetadata", schema_name="new.Name", schema_version="7")
both("SetSchemaMetadata", schema_name="other", replace_null_with_default="false")
both("SetSchemaMetadata", schema_version="0")
on(trees, T + "SetSchemaMetadata$Value", schema_name="tree")
on(flat[:1], T + "SetSchemaMetadata$Value")
on(flat[:3] + flat[4:5], T + "TimestampRouter")
on(flat[:1], T + "TimestampRouter", topic_format="x_${timestamp}_${topic}_${timestamp}", timestamp_format="yyyy-MM-dd'T'HH")
for literal in ["text", "", "12", "300", "70000", "3000000000", "1.5", "true", "2023-11-14", "null", " x ", "TRUE"]:
    on(flat[:1], T + "InsertHeader", header="h", value_literal=literal)
first = len(cases)
on(flat[:1] + flat[4:5], T + "DropHeaders", headers="a,c")
on(flat[:1], T + "DropHeaders", headers="none")
on(flat[:1], T + "InsertHeader", header="b", value_literal="x")
on(flat, T + "HeaderFrom$Value", fields="id,note,missing", headers="x,y,z", operation="copy")
on(flat, T + "HeaderFrom$Value", fields="id,note,address", headers="x,a,z", operation="copy")
on(flat, T + "HeaderFrom$Value", fields="id,note,single", headers="x,y,z", operation="move")
on(flat[:2], T + "HeaderFrom$Value", fields="note,single", headers="y,z", operation="move", replace_null_with_default="false")
on(flat[:1] + flat[4:5], T + "HeaderFrom$Key", fields="id", headers="key", operation="move")
headed(first, ["a", "1"], ["b", "2"], ["c", "3"])
on(flat[:1], T + "HeaderFrom$Value", fields="id,note", headers="x", operation="copy")

D = "io.debezium.transforms."
json_payload = '{"a":1,"b":3000000000,"c":1.5,"d":null,"e":[],"f":[1,2],"g":{"h":true,"i":[{"j":1,"k":null,"l":"m"},{"j":2,"k":null,"l":"n"}]},"m":"n","o":[[1]]}'
outbox_fields = [{"type": "string", "optional": False, "name": "io.debezium.data.Uuid", "version": 1, "field": "id"}, {"type": "string", "optional": False, "field": "aggregatetype"},
    {"type": "string", "optional": False, "field": "aggregateid"}, {"type": "string", "optional": True, "field": "type"}, {"type": "string", "optional": True, "name": "io.debezium.data.Json", "version": 1, "field": "payload"},
    {"type": "int32", "optional": True, "field": "part"}, {"type": "int64", "optional": True, "name": "io.debezium.time.MicroTimestamp", "version": 1, "field": "at"}, {"type": "int64", "optional": True, "field": "plain"},
    {"type": "int32", "optional": True, "default": 1, "field": "version"}, {"type": "bytes", "optional": True, "field": "raw"}]
outbox_row = {"type": "struct", "fields": outbox_fields, "optional": True, "name": "s.public.outbox.Value"}
outbox_schema = {**envelope_schema, "fields": [named(outbox_row, "before"), named(outbox_row, "after"), *envelope_schema["fields"][2:]], "name": "s.public.outbox.Envelope"}
out = {"id": "e1", "aggregatetype": "Order", "aggregateid": "o-1", "type": "Created", "payload": json_payload, "part": 2, "at": 1700000000123456, "plain": 5, "version": None, "raw": "AQID"}
outbox = [(True, KEY, dump(outbox_schema, event(op, before, after))) for op, before, after in [("c", None, out), ("r", None, {**out, "aggregatetype": "a.B$c", "payload": None}), ("c", None, {**out, "payload": " ", "at": None, "part": None}),
    ("u", out, out), ("d", out, None), ("t", None, None), ("c", None, {**out, "payload": "[1]"}), ("c", None, {**out, "payload": "{\"a\":[1,\"x\"]}"}), ("c", None, {**out, "payload": "text"})]]
outbox += [(True, KEY, None), (True, KEY, dump(row_schema, ROW)), (False, plain({"id": 7}), plain(event("c", None, out)))]
R = D + "outbox.EventRouter"
first = len(cases)
on(outbox[:6] + outbox[9:], R)
on(outbox[3:4], R, table_op_invalid_behavior="fatal")
on(outbox[3:4], R, table_op_invalid_behavior="error")
on(outbox[:3], R, route_tombstone_on_empty_payload="true")
on(outbox[:3], R, table_fields_additional_placement="type:header:eventType,part:partition,version:envelope,at:envelope:when,raw:header")
on(outbox[:3], R, table_fields_additional_placement="version:envelope", table_field_event_schema_version="version", route_tombstone_on_empty_payload="true")
on(outbox[:1], R, table_fields_additional_placement="type:header", table_field_event_schema_version="version")
on(outbox[:1], R, table_fields_additional_placement="nothing:header,type:header")
on(outbox[:1], R, table_fields_additional_placement="nothing:header,nothing:envelope:x,type:header", table_field_additional_missing="ignore")
on(outbox[:1], R, table_fields_additional_placement="nothing:envelope:x", table_field_additional_missing="error")
on(outbox[:1], R, table_fields_additional_placement="type:partition")
on(outbox[:1], R, table_fields_additional_placement="type")
on(outbox[:1], R, table_fields_additional_placement="type:nowhere")
on(outbox[:3], R, table_field_event_timestamp="at")
on(outbox[:1], R, table_field_event_timestamp="plain")
on(outbox[:1], R, table_field_event_timestamp="nothing")
on(outbox[:3], R, route_topic_regex="(.)(.*)", route_topic_replacement="$2.$1")
on(outbox[:2], R, route_topic_regex="Order", route_topic_replacement="orders")
on(outbox[:1], R, route_topic_replacement="${nothing}")
on(outbox[:1], R, route_by_field="type", table_field_event_key="part", table_field_event_payload="raw", table_field_event_id="version")
for setting in ["route_by_field", "table_field_event_key", "table_field_event_payload", "table_field_event_id"]:
    on(outbox[:1], R, **{setting: "nothing"})
on(outbox[:1], R, route_by_field="part")
on(outbox[:1] + outbox[1:3] + outbox[8:9], R, table_expand_json_payload="true")
on(outbox[:1], R, table_expand_json_payload="true", table_json_payload_null_behavior="optional_bytes", table_fields_additional_placement="type:envelope")
for case in cases[first:]:
    # Records of sinks cannot lose their partition.
    case["source"] = True

L = D + "ByLogicalTableRouter"
for more in [{}, {"key_enforce_uniqueness": "false"}, {"key_field_name": "table", "key_field_regex": r"s\.(.*)", "key_field_replacement": "$1"}, {"key_field_regex": "x(.*)", "key_field_replacement": "$1"}, {"schema_name_adjustment_mode": "avro"}]:
    on(events, L, topic_regex=r"(.*)public(.*)", topic_replacement="$1all-1$2", **more)
on(events[:1], L, topic_regex="nothing", topic_replacement="x")
on(events[:1], L, topic_regex="(.*)", topic_replacement="")
on(events[:1], L, topic_regex="s.public.(.*)", topic_replacement="$2")
on(events[:1], L, topic_regex="(", topic_replacement="x")
on(events[:1], L, topic_regex="x")
on(events[:1], L, topic_regex="x", topic_replacement="y", key_field_regex="z")
on(flat[3:4] + flat[4:5], L, topic_regex=r"(.*)", topic_replacement="all")
on([(True, None, value) for _, _, value in events[:1]], L, topic_regex=r"(.*)", topic_replacement="all")

groovy = {"language": "jsr223.groovy"}
conditions = ["value.op == 'c'", "value.op != 'd' && value.after.id == 7", "value.after?.name == 'other.topic'", "value.before == null", "value.source.table.equals('orders')", "value.source.lsn > 32",
    "topic.startsWith('s.') && !topic.contains('x')", "topic.matches('s.*rs')", "topic ==~ /s\\..*/", "value.after.note == 'none'", "value.after.name.length() in [11, 12]", "valueSchema.name().endsWith('Envelope')",
    "header.a.value == '1'", "header['b'].value.startsWith('2') || value.op == 'x'", "value.op == 'c' ? true : value.op == 'u'", "value.after.missing == 1", "value.after.name", "null", "key.id == 7", "value.transaction?.id == '571:33'",
    "value.after.list.contains(1)", "value.get('op') == \"c\"", "value.after.id + 1 == 8", "value.after.id * 2 - 1 >= 13", "!(value.op in ['c', 'r'])", "value.ts_ms / 2 > 3.5", "1 == 1.0", "'1' == 1", "value.op"]
first = len(cases)
for condition in conditions:
    on(events[:4], D + "Filter", **groovy, condition=condition)
for topic in ["value.op == 'c' ? 'creates' : null", "'orders-' + value.after?.id", "\"${topic}_${value.op}-$value.source.table\".toString()", "topic + '.' + value.source.lsn", "value.after?.name ?: 'deleted'", "value.op == 'c' && 1", "value.source.table.toUpperCase()",
              "value.source.ts_ms + 'x' + 1.5 + true + null", "value.after.note + value.after.id", "5"]:
    on(events[:4], D + "ContentBasedRouter", **groovy, topic_expression=topic)
for nulls in ["keep", "drop", "evaluate"]:
    on(events[5:6], D + "Filter", **groovy, condition="value == null", null_handling_mode=nulls)
    on(events[5:6], D + "ContentBasedRouter", **groovy, topic_expression="'nulls'", null_handling_mode=nulls)
for topics in ["s.*", "other"]:
    on(events[:1] + events[5:6], D + "Filter", **groovy, condition="false", topic_regex=topics)
on(events[7:], D + "Filter", **groovy, condition="value.op == 'c' && value.after.id == 7 && value.after.list[0] == 1")
on(events[:1], D + "Filter", **groovy, condition="value.op ==")
on(events[:1], D + "Filter", language="nothing", condition="true")
on(events[:1], D + "Filter", **groovy)
headed(first, ["a", "1"], ["b", "2"])

update = dump(envelope_schema, event("u", {**small, "name": "old"}, {**small, "note": "n"}))
changes = events + [(True, KEY, update)]
on(changes, D + "ExtractChangedRecordState", header_changed_name="changed", header_unchanged_name="unchanged")
on(changes, D + "ExtractChangedRecordState", header_changed_name="changed")
on(changes[:1], D + "ExtractChangedRecordState")
reads = [(True, KEY, dump(envelope_schema, event("r", None, small)))]
on(changes + reads, "io.debezium.connector.mysql.transforms.ReadToInsertEvent")
first = len(cases)
for paths in ["change.id", "after.name,source.table", "after.note,before.note", "source.lsn,op", "nothing,after.nothing", "change.single", "change"]:
    for count in ["3", "7"]:
        on(changes[:4] + changes[5:7] + changes[8:], D + "partitions.PartitionRouting", partition_payload_fields=paths, partition_topic_num=count)
on(changes[:1], D + "partitions.PartitionRouting", partition_payload_fields="op", partition_topic_num="0")
on(changes[:1], D + "partitions.PartitionRouting", partition_topic_num="2")
on(changes[:1], D + "partitions.PartitionRouting", partition_payload_fields="op")
for case in cases[first:]:
    case["source"] = True
first = len(cases)
for operation in ["move", "copy"]:
    on(changes[:3] + changes[5:7], D + "HeaderToValue", headers="a,b", fields="x,source.y", operation=operation)
    on(changes[:1], D + "HeaderToValue", headers="a,b,nothing", fields="new.x,id,z", operation=operation)
    on(flat[:1] + flat[4:5], D + "HeaderToValue", headers="b", fields="name", operation=operation)
on(changes[:1], D + "HeaderToValue", headers="nothing", fields="x", operation="move")
on(changes[:1], D + "HeaderToValue", headers="a", fields="op.x", operation="move")
on(changes[:1], D + "HeaderToValue", headers="a,b", fields="x", operation="move")
on(changes[:1], D + "HeaderToValue", headers="a", fields="x", operation="keep")
on(changes[:1], D + "HeaderToValue", headers="a", fields="x")
headed(first, ["a", "1"], ["b", "2"], ["c", "3"])
change_schema = {"type": "struct", "fields": [{"type": "string", "optional": True, "field": "ddl"}, {"type": "array", "items": {"type": "struct", "fields": [{"type": "string", "optional": False, "field": "type"}], "optional": False}, "optional": True, "field": "tableChanges"}],
    "optional": False, "name": "io.debezium.connector.mysql.SchemaChangeValue"}
for listed in [[{"type": "CREATE"}], [{"type": "DROP"}], [], None]:
    on([(True, None, dump(change_schema, {"ddl": "x", "tableChanges": listed}))], D + "SchemaChangeEventFilter", schema_change_event_exclude_list="DROP, DATABASE")
on(changes[:1] + changes[5:6], D + "SchemaChangeEventFilter", schema_change_event_exclude_list="DROP")
on(changes[:1], D + "SchemaChangeEventFilter", schema_change_event_exclude_list="NOTHING")
on(changes[:1], D + "SchemaChangeEventFilter")
import base64
message_schema = {"type": "struct", "fields": [{"type": "string", "optional": False, "field": "op"}, {"type": "int64", "optional": True, "field": "ts_ms"}, named(source_schema, "source"),
    {"type": "struct", "fields": [{"type": "string", "optional": True, "field": "prefix"}, {"type": "bytes", "optional": True, "field": "content"}], "optional": True, "name": "io.debezium.connector.postgresql.MessageContent", "field": "message"}],
    "optional": False, "name": "io.debezium.connector.postgresql.MessageValue"}
for nulls in ["false", "true"]:
    for content in [json_payload, "{}", "text", "{"]:
        content = base64.b64encode(content.encode()).decode()
        on([(True, KEY, dump(message_schema, {"op": "m", "ts_ms": 5, "source": source, "message": {"prefix": "p", "content": content}}))],
           "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent", fields_null_include=nulls)
on(changes[:1], "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent")

vectors = {"type": "struct", "fields": [ROW_FIELDS[0], {"type": "array", "items": {"type": "float"}, "optional": True, "name": "io.debezium.data.FloatVector", "version": 1, "field": "f"},
    {"type": "array", "items": {"type": "double"}, "optional": False, "name": "io.debezium.data.DoubleVector", "version": 1, "field": "d"}, ROW_FIELDS[2],
    {"type": "struct", "fields": [{"type": "int16", "optional": False, "field": "dimensions"}, {"type": "map", "keys": {"type": "int16"}, "values": {"type": "double"}, "optional": False, "field": "vector"}],
     "optional": True, "name": "io.debezium.data.SparseDoubleVector", "version": 1, "field": "s"}], "optional": True, "name": "V", "version": 2}
vector_event = {"type": "struct", "fields": [named(vectors, "before"), named(vectors, "after"), {"type": "string", "optional": False, "field": "op"}], "optional": False, "name": "s.v.Envelope"}
for after in [{"id": 1, "f": [1.5, -0.25, 1e10], "d": [], "note": None, "s": {"dimensions": 9, "vector": [[7, 1.0], [2, -3.5]]}}, {"id": 1, "f": None, "d": [3], "note": "n", "s": None}]:
    on([(True, KEY, dump(vector_event, {"before": None, "after": after, "op": "c"}))], D + "VectorToJsonConverter")
on(flat[2:5], D + "VectorToJsonConverter")

# What stands here needs the classes of debezium-connect-plugins 3.6.
first = len(cases)
for paths in ["change.id", "after.name,source.table", "after.note,before.note", "source.lsn,op", "change.name,change.list", "op"]:
    on(changes[:4] + changes[5:7] + changes[8:], D + "partitions.PartitionRouting", partition_payload_fields=paths, partition_topic_num="997", partition_hash_function="murmur")
words = {**envelope_schema, "fields": [{"type": "struct", "fields": [ROW_FIELDS[1]], "optional": True, "field": "after"}, {"type": "string", "optional": False, "field": "op"}]}
for word in ["", "x", "Zoë 漢字 🌊", "fifteen letters", "sixteen letters!", "seventeen letters", *["é" * n for n in range(1, 17)]]:
    on([(True, None, dump(words, {"after": {"name": word}, "op": "c"}))], D + "partitions.PartitionRouting", partition_payload_fields="after.name", partition_topic_num="100003", partition_hash_function="Murmur")
for case in cases[first:]:
    case["source"] = True

temporal = lambda kind, name, field, **more: {"type": kind, "optional": True, "name": name, "version": 1, "field": field, **more}
TIMES = [{"type": "int32", "optional": False, "field": "id"}, temporal("int64", "io.debezium.time.Timestamp", "ms"), temporal("int64", "io.debezium.time.MicroTimestamp", "us"),
    temporal("int64", "io.debezium.time.NanoTimestamp", "ns"), temporal("string", "io.debezium.time.ZonedTimestamp", "zoned"), temporal("string", "io.debezium.time.ZonedTime", "time"),
    temporal("int64", "org.apache.kafka.connect.data.Timestamp", "connect"), temporal("int32", "io.debezium.time.Date", "date"), temporal("int64", "io.debezium.time.MicroTime", "clock"),
    temporal("int32", "org.apache.kafka.connect.data.Date", "day"), temporal("int32", "org.apache.kafka.connect.data.Time", "of_day"), {"type": "int64", "optional": True, "field": "ts_ms"},
    temporal("int64", "io.debezium.time.MicroTimestamp", "created", default=1700000000123456), temporal("string", "io.debezium.time.ZonedTimestamp", "updated", default="2023-07-01T12:00:00.5+02:00")]
times_row = {"type": "struct", "fields": TIMES, "optional": True, "name": "s.public.orders.Value"}
times_source = {**source_schema, "fields": [*source_schema["fields"], {"type": "int64", "optional": True, "field": "ts_us"}, {"type": "int64", "optional": True, "field": "ts_ns"}]}
times_schema = {**envelope_schema, "fields": [named(times_row, "before"), named(times_row, "after"), named(times_source, "source"), *envelope_schema["fields"][3:]]}
def times(seconds, nanos=0, text="2023-11-14T22:13:20.120Z", time="22:13:20.5Z"):
    return {"id": 1, "ms": seconds * 1000 + nanos // 10**6, "us": seconds * 10**6 + nanos // 1000, "ns": (seconds * 10**9 + nanos) if abs(seconds) < 9 * 10**9 else None, "zoned": text, "time": time,
        "connect": seconds * 1000, "date": 19675, "clock": 5, "day": 19675, "of_day": 5, "ts_ms": seconds * 1000, "created": None, "updated": None}
def timed(op, before, after, at=1700000000, table="orders"):
    told = {"version": "3.6.1.Final", "snapshot": None, "ts_ms": at * 1000 + 123, "table": table, "lsn": 33, "ts_us": at * 10**6 + 123456, "ts_ns": at * 10**9 + 123456789}
    return True, KEY, dump(times_schema, {"before": before, "after": after, "source": told, "transaction": None, "op": op, "ts_ms": 1700000000001})
Z = D + "TimezoneConverter"
moments = [timed("u", times(1688212800), times(1700000000, 123456789)), timed("c", None, times(-1, 999999999, "1969-12-31T23:59:59.999999999+01:00", "00:30+05:30")),
    timed("d", times(0, 0, "1970-01-01T00:00:00Z", None), None, 0), timed("c", None, {**{name: None for name in times(0)}, "id": 1}), timed("t", None, None)]
steady = ["+00:00", "-00:00", "+05:30", "-08:00", "+18:00", "-18:00", "+01:02:03", "UTC", "GMT", "Asia/Tokyo", "Asia/Kolkata", "America/Phoenix", "Etc/GMT+8"]
for zone in steady:
    on(moments[:2], Z, converted_timezone=zone)
on(moments[2:], Z, converted_timezone=zone)
on(events + changes[8:] + flat[2:5], Z, converted_timezone="+02:00")
# Zones that change their clocks: no times without dates, whose offset is today's.
shifting = ["Europe/Berlin", "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Dublin", "Pacific/Apia", "Asia/Tehran",
    "Africa/Cairo", "America/Santiago", "Antarctica/Troll", "Asia/Pyongyang", "Europe/Moscow", "America/Argentina/San_Luis", "Asia/Gaza", "Africa/Monrovia"]
instants = [1679797800, 1679801400, 1698546600, 1698550200, 1678588200, 1678591800, 1699149600, -2500000000, -1500000000, -900000000, 300000000, 500000000, 1000000000, 2000000000, 2500000000, 4102444800,
    16725225600, 253402300799, 253402300800, 9000000000000, -62135596800, -62167219201, -377705116801, -210866803200]
shown_at = ["2023-03-26T02:30:00Z", "2023-10-29T02:30:00+01:00", "2023-10-29T00:30:00Z", "2023-03-12T02:30:00-05:00", "1890-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "+10000-01-01T00:00:00Z", "-0044-03-15T12:00:00.000001Z", "2023-07-01T12:00+02:00"]
wide_fields = [temporal("int64", "io.debezium.time.MicroTimestamp", f"at{n}") for n in range(len(instants))] + [temporal("string", "io.debezium.time.ZonedTimestamp", f"shown{n}") for n in range(len(shown_at))]
wide_schema = {**times_schema, "fields": [{"type": "struct", "fields": wide_fields, "optional": True, "field": "after"}, named(times_source, "source")]}
wide = {**{f"at{n}": at * 10**6 + 1 for n, at in enumerate(instants)}, **{f"shown{n}": text for n, text in enumerate(shown_at)}}
for zone in shifting:
    for at in instants[:4] + instants[10:12]:
        told = {"version": "1", "snapshot": None, "ts_ms": at * 1000 + 1, "table": "orders", "lsn": 33, "ts_us": at * 10**6 + 1, "ts_ns": at * 10**9 + 1}
        on([(True, None, dump({**wide_schema, "fields": wide_schema["fields"][1:]}, {"source": told}))], Z, converted_timezone=zone, include_list="source:orders:source.ts_ms,orders:source.ts_us,orders:source.ts_ns")
    on([(True, None, dump(wide_schema, {"after": wide, "source": told}))], Z, converted_timezone=zone)
brief_schema = {**times_schema, "fields": [{"type": "struct", "fields": TIMES[1:6], "optional": True, "field": "after"}, named(times_source, "source")]}
def brief(**values):
    return [(True, None, dump(brief_schema, {"after": {**{field["field"]: None for field in TIMES[1:6]}, **values}, "source": told}))]
for text in ["infinity", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20+0530", "2023-11-14t22:13:20z", "2023-11-14T24:00:00Z", "2023-02-29T00:00:00Z", "2023-11-14T22:13Z", "", "2023-11-14T22:13:20.1234567890Z"]:
    on(brief(zoned=text), Z, converted_timezone="+01:00")
    on(brief(time=text.split("T")[-1]), Z, converted_timezone="+01:00")
for extreme in [9223372036854775807, -9223372036854775808, 9223372036825200000]:
    on(brief(us=extreme) + brief(ms=extreme), Z, converted_timezone="-08:00")
    on(brief(ns=extreme), Z, converted_timezone="America/New_York")
lists = ["source:orders", "source:orders:us", "source:orders:us,orders:ms,orders:created", "source:orders:before.us", "source:orders:after.zoned,orders:before.ms", "source:other", "source:other:us",
    "topic:s.public.orders", "topic:s.public.orders:us", "topic:s.public.orders:source.ts_ms", "topic:other:us,s.public.orders:ms", "orders:us", "s.public.orders:us", "nothing:us", "source:orders:source.ts_ms,orders:us",
    "source:orders:date,orders:clock,orders:id", "Source:orders:us", "source:orders,source:other", "other:x,orders:zoned", "source:orders:us,source:orders:ms", "topic:other,source:orders", "orders", "source", "source:orders-1:us",
    "source:orders:us:ms", "s.public.orders:us,orders:ms", "source:orders:", "topic:s.public.orders:missing", "source:orders:ts_ms", "source:orders:source.snapshot,orders:source.lsn"]
for listed in lists:
    on(moments[:1], Z, converted_timezone="+05:30", include_list=listed)
    on(moments[:1], Z, converted_timezone="+05:30", exclude_list=listed)
on(moments[:1], Z, converted_timezone="+05:30", include_list="source:orders", exclude_list="source:orders:us")
for zone in ["", "Nowhere", "+8:00", "+0800", "Z", "europe/berlin", "UTC+8", "+19:00", "+08:60", "PST"]:
    on(moments[:1], Z, converted_timezone=zone)
on(moments[:1], Z)

E = D + "EnforceRecordSize"
first = len(cases)
texts_row = {"type": "struct", "fields": [ROW_FIELDS[0], ROW_FIELDS[1], ROW_FIELDS[2], ROW_FIELDS[4], ROW_FIELDS[7], ROW_FIELDS[11], ROW_FIELDS[12], ROW_FIELDS[13]], "optional": True, "name": "T"}
texts_schema = {**envelope_schema, "fields": [named(texts_row, "before"), named(texts_row, "after"), *envelope_schema["fields"][2:]]}
def sized(name, note, raw=10, before=None):
    row = lambda name: {"id": 1, "name": name, "note": note, "ratio": 1.5, "raw": base64.b64encode(bytes(range(256)) * (raw // 256 + 1))[:raw * 4 // 3 // 4 * 4].decode(), "list": [1, None], "map": {"x": 1}, "address": {"city": "Bonn", "a.b": None}}
    return True, KEY, dump(texts_schema, event("u" if before else "c", before and row(before), row(name), block))
for most in ["1800", "2200", "2600", "3400", "100"]:
    for ratio in ["1.0", "0.6"]:
        on([sized("n" * 900, "short"), sized("ë" * 400, "漢" * 300, 600), sized("🌊" * 300, None, 30), sized("n" * 500, "m" * 700, 400, "b" * 1000)], E, max_bytes=most, compression_ratio=ratio, min_field_size="100")
on([sized("n" * 900, "m" * 90, 90)], E, max_bytes="1800", min_field_size="0")
on([sized("n" * 900, "short"), sized("n" * 30000, None, 26000)], E, max_bytes="20000")
on(events + flat[:1] + flat[2:3] + flat[4:5], E, max_bytes="10", min_field_size="1")
for settings in [{}, {"max_bytes": "0"}, {"max_bytes": "x"}, {"max_bytes": "1", "compression_ratio": "0"}, {"max_bytes": "1", "min_field_size": "-1"}]:
    on(events[:1], E, **settings)
for case in cases[first:]:
    case["source"], case["entries"] = True, 7
on([sized("n" * 900, "short")], E, max_bytes="100", min_field_size="1")

X = D + "ExtractSchemaToNewRecord"
def column(field, name, type, length=None, scale=None, comment=None):
    told = {"name": name, "type": type, "length": length, "scale": scale, "comment": comment}
    return {**field, "parameters": {"__debezium.source.column." + what: text for what, text in told.items() if text is not None}}
told_row = {"type": "struct", "fields": [column(ROW_FIELDS[0], "id", "INT4", "10", "0"), column(ROW_FIELDS[1], "name", "VARCHAR", "255", None, "who"), column(ROW_FIELDS[2], "note", "TEXT")], "optional": True, "name": "s.public.orders.Value"}
telling = lambda row: {**envelope_schema, "fields": [named(row, "before"), named(row, "after"), *envelope_schema["fields"][2:]], "parameters": {"p": "1"}, "doc": "d"}
untyped = {**told_row, "fields": [{**told_row["fields"][0], "parameters": {"__debezium.source.column.name": "id"}}]}
wordy = {**told_row, "fields": [column(ROW_FIELDS[0], "id", "INT4", "ten")]}
columns = {"id": 7, "name": "n", "note": None}
for op, before, after in [("c", None, columns), ("u", columns, columns), ("d", columns, None), ("t", None, None)]:
    on([(True, KEY, dump(telling(told_row), event(op, before, after, block)))], X)
for row in [untyped, wordy]:
    on([(True, KEY, dump(telling(row), event("c", None, {"id": 7})))], X)
on(events + flat[3:4], X)

import struct
def point(order, kind, numbers, srid=None):
    head = struct.pack(order + "BI", order == "<", kind | (0x20000000 if srid else 0)) + (struct.pack(order + "I", srid) if srid else b"")
    return head + struct.pack(order + str(len(numbers)) + "d", *numbers)
def shape(order, kind, *parts, count=None, srid=None):
    head = struct.pack(order + "BI", order == "<", kind | (0x20000000 if srid else 0)) + (struct.pack(order + "I", srid) if srid else b"")
    return head + struct.pack(order + "I", len(parts) if count is None else count) + b"".join(parts)
xy = lambda order, *numbers: struct.pack(order + str(len(numbers)) + "d", *numbers)
ring = lambda order, *numbers: struct.pack(order + "I", len(numbers) // 2) + xy(order, *numbers)
def shapes(order, srid=None):
    yield point(order, 1, [1.5, -2.5], srid)
    yield point(order, 1 | 0x80000000, [1, 2, 3], srid)
    yield point(order, 1 | 0xC0000000, [1, 2, 3, 4], srid)
    yield shape(order, 2, xy(order, 1, 2), xy(order, 3, 4), srid=srid)
    yield shape(order, 3, ring(order, 0, 1, 2, 3, 4, 5, 0, 1), ring(order, 7, 8), srid=srid)
    yield shape(order, 4, point(order, 1, [1, 2]), point(order, 1, [3, 4]), srid=srid)
    yield shape(order, 5, shape(order, 2, xy(order, 1, 2)), shape(order, 2), srid=srid)
    yield shape(order, 6, shape(order, 3, ring(order, 1, 2, 3, 4)), srid=srid)
    yield shape(order, 7, point(order, 1, [5, 6]), shape(order, 7, point(order, 1, [7, 8])), srid=srid)
geometry = {"type": "struct", "fields": [{"type": "bytes", "optional": False, "field": "wkb"}, {"type": "int32", "optional": True, "field": "srid"}], "optional": True, "name": "io.debezium.data.geometry.Geometry", "version": 1, "doc": "Geometry"}
place = {"type": "struct", "fields": [ROW_FIELDS[0], named(geometry, "g"), named({**geometry, "name": "io.debezium.data.geometry.Point"}, "p"), ROW_FIELDS[2], {"type": "array", "items": geometry, "optional": True, "field": "all"},
    {"type": "map", "keys": {"type": "string"}, "values": geometry, "optional": True, "field": "named"}, {"type": "struct", "fields": [named(geometry, "g")], "optional": True, "field": "in"}], "optional": True, "name": "P"}
place_schema = {"type": "struct", "fields": [{"type": "struct", "fields": [named(geometry, "g")], "optional": True, "field": "before"}, named(place, "after")], "optional": False, "name": "s.public.orders.Envelope"}
def placed(wkb, srid, before=None):
    one = lambda wkb, srid: wkb is not None and {"wkb": base64.b64encode(wkb).decode(), "srid": srid} or None
    row = lambda g: g and {"id": 1, "g": g, "p": g, "note": None, "all": [g, None], "named": {"k": g}, "in": {"g": g}}
    return True, None, dump(place_schema, {"before": before and {"g": one(*before)}, "after": row(one(wkb, srid))})
plain_shapes = [placed(wkb, 4326) for order in "<>" for wkb in shapes(order)]
extended = [placed(wkb, 4326) for order in "<>" for wkb in shapes(order, 4326)]
square = point("<", 1, [1, 2])
odd = [placed(square, None), placed(square, 3857), placed(square, 5), placed(b"\x01\x01", 4326), placed(square[:12], 4326), placed(point("<", 1001, [1, 2, 3]), 4326), placed(square + b"more", 4326), placed(b"", 4326),
    placed(shape("<", 2, xy("<", 1, 2), count=9), 4326), placed(shape("<", 4, count=0xFFFFFFFF), 4326), placed(struct.pack("<BI", 1, 0x20000001), 4326), placed(square, 4326, (point("<", 1, [3, 4], 4326), 4326)),
    placed(point("<", 1, [3, 4], 4326), 4326, (square, 4326))]
on(plain_shapes + extended + odd, D + "SwapGeometryCoordinates")
on(odd, D + "SwapGeometryCoordinates", srids="5, 3857")
for srids in ["x", "4326,", "4326,,1"]:
    on(odd[:2], D + "SwapGeometryCoordinates", srids=srids)
for form in ["wkb", "EWKB"]:
    on(plain_shapes[:1] + plain_shapes[-1:] + extended[:2] + extended[-1:] + odd, D + "GeometryFormatTransformer", format=form)
on(odd[:2] + flat[2:5] + events[:1], D + "GeometryFormatTransformer")
on(odd[:2], D + "GeometryFormatTransformer", format="other")
on(flat[2:5] + events[:1], D + "SwapGeometryCoordinates")

for case in cases:
    print(json.dumps(case, ensure_ascii=False, separators=(",", ":")))
