-- Updates that change nothing, or nothing that is captured.
--@ variant default {"column.include.list": "public.t.(id|a)"}
--@ variant skipped {"column.include.list": "public.t.(id|a)", "skip.messages.without.change": "true"}
create table t (id int primary key, a text, b text);
alter table t replica identity full;
insert into t values (1, 'a', 'b');
--@ stream
update t set b = 'c';
update t set a = a;
update t set a = 'd', b = 'e';
