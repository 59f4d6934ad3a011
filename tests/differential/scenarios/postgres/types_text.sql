-- Every kind of text; padding, emptiness, escapes, letters of all scripts.
--@ differs columns-of-type-name payload.after.n$
create table t (id serial primary key, c char, c5 char(5), v varchar, v5 varchar(5), t text, n name, q "char", j json, jb jsonb, x xml, u uuid);
insert into t (c, c5, v, v5, t, n, q, j, jb, x, u) values
  ('a', 'ab', 'varchar', 'five5', 'text', 'name', 'q', '{"a":  1, "b": [1, 2 ]}', '{"b": [1, 2], "a": 1.0}', '<a>b</a>', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
  ('', '', '', '', '', '', '', '""', 'null', '', null),
  (null, null, null, null, null, null, null, null, null, null, null);
--@ stream
insert into t (c, c5, v, v5, t, n, q, j, jb, x, u) values
  ('a', 'ab', 'varchar', 'five5', 'text', 'name', 'q', '{"a":  1, "b": [1, 2 ]}', '{"b": [1, 2], "a": 1.0}', '<a>b</a>', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
  ('', '', '', '', '', '', '', '""', 'null', '', null),
  (null, null, null, null, null, null, null, null, null, null, null);
insert into t (t, v) values (E'tab\t newline\n return\r quote" backslash\\ slash/ bell\x07 backspace\b formfeed\f escape\x1b delete\x7f', 'äöüß ñ 漢字 עברית 🦀 𝄞 e\u0301 ﷽');
insert into t (t, v) values (E'\u0080\u0085\u00a0\u2028\u2029\ufeff', E'</script><!-- & \' -->');
insert into t (j, jb) values ('{"a": 1, "a": 2, "é": "\u00e9 \u2028", "n": 1e400, "z": 0.10}', '{"a": 1, "a": 2, "é": "\u00e9 \u2028", "n": 1e40, "z": 0.10}');
insert into t (jb) values ('[]'), ('{}'), ('"text"'), ('12.50'), ('[1,{"a":[true,false,null]}]');
