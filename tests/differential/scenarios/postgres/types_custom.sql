-- Enums, domains over all kinds of types and over each other, composites.
create type mood as enum ('sad', 'ok', 'happy');
alter type mood add value 'meh' before 'ok';
create domain positive as int check (value > 0);
create domain small_positive as positive check (value < 100);
create domain price as numeric(8,3);
create domain label as varchar(20) not null;
create domain moment as timestamp(3);
create domain tags as text[];
create type pair as (a int, b text);
create table t (id serial primary key, e mood, en mood not null default 'ok', p positive, s small_positive, pr price, l label default 'x', m moment, tg tags, c pair, after int);
insert into t (e, p, s, pr, m, tg, c, after) values ('meh', 1, 2, 3.5, '2026-01-01 00:00:00.123', '{a,b}', '(1,x)', 9);
--@ stream
insert into t (e, p, s, pr, m, tg, c, after) values ('meh', 1, 2, 3.5, '2026-01-01 00:00:00.123', '{a,b}', '(1,x)', 9), (null, null, null, null, null, null, null, null);
