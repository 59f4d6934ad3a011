-- citext, ltree, hstore, isbn and arrays of them.
--@ variant json {}
--@ variant map {"hstore.handling.mode": "map"}
create extension citext; create extension ltree; create extension hstore; create extension isn;
create table t (id serial primary key, c citext, l ltree, h hstore, i isbn, ca citext[], la ltree[], ha hstore[], hn hstore not null default 'a=>1', q lquery);
insert into t (c, l, h, i, ca, la, ha) values ('Text', 'Top.Science', 'a=>1, b=>null, "c d"=>"e\"f"', '978-0-393-04002-9', '{A,b}', '{Top.A,Top}', array['a=>1'::hstore, 'b=>null']);
--@ stream
insert into t (c, l, h, i, ca, la, ha) values ('Text', 'Top.Science', 'a=>1, b=>null, "c d"=>"e\"f"', '978-0-393-04002-9', '{A,b}', '{Top.A,Top}', array['a=>1'::hstore, 'b=>null']),
  ('', '', '', null, '{}', '{}', '{}'), (null, null, null, null, null, null, null);
insert into t (h) values ('"é"=>"漢字", "quote"=>"\"", "back"=>"\\", "comma"=>"a,b", "arrow"=>"=>", "empty"=>""');
