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

for case in cases:
    print(json.dumps(case, ensure_ascii=False, separators=(",", ":")))
