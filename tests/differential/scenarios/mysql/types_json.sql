-- Documents, from the server's text and from its binary form.
--@ differs negative-times-in-json after\.n$
--@ servers mysql
create table t (id int primary key, j json, n json not null);
insert into t values (1, '{"a": 1, "b": [1, 2, {"c": null}], "d": "x"}', '{}'), (2, '[]', '[1, "two", 3.5, true, false, null]'), (3, 'null', '"text"'), (4, null, '1'), (5, '-9223372036854775808', '18446744073709551615'),
  (6, '1.5', '1e100'), (7, '"quote \\" backslash \\\\ nl \\n tab \\t uni \\u0001 é 漢 🦀 /"', 'true'), (8, '{"z": 1, "aa": 2, "b": 3, "": 4}', '{"k": {"k": {"k": [[[]]]}}}'), (9, '0.1', '[1.0, 100, 1e5, 0.00001, -0.0, 12345678901234567890123]');
--@ stream
insert into t select id + 10, j, n from t;
insert into t values (31, json_object('d', cast('2026-01-02' as date), 't', cast('12:34:56.789' as time(3)), 'dt', cast('2026-01-02 03:04:05.678' as datetime(3)), 'dec', cast(1.50 as decimal(10,2)), 'b', cast('bytes' as binary), 'y', cast(2026 as year)), '[]');
insert into t values (32, json_array(cast(123456789012345678901234567890.5 as decimal(40,5)), cast(-0.5 as decimal(5,1)), cast(1 as unsigned), cast(-1 as signed), 65535, 65536, -32768, -32769, 4294967295, 2147483648), '{"k": [1.7976931348623157e308, 5e-324]}');
insert into t values (33, json_array(repeat('x', 300), repeat('y', 70000)), json_array(st_geomfromtext('point(1 2)'), b'101', cast('-01:00:00' as time)));
update t set j = json_set(j, '$.a', 2), n = '{"changed": true}' where id = 1;
