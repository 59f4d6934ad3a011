-- Partitioned tables: each leaf for itself, or all through the root.
--@ differs partitioned-tables-in-snapshots \.p(_\w+)? (record|value.payload.source.snapshot)$
--@ variant leaves {}
--@ variant root {"publish.via.partition.root": "true"}
create table p (id int, region text, v text, primary key (id, region)) partition by list (region);
create table p_eu partition of p for values in ('eu');
create table p_us partition of p for values in ('us') partition by range (id);
create table p_us_1 partition of p_us for values from (0) to (100);
create table p_us_2 partition of p_us for values from (100) to (200);
insert into p values (1, 'eu', 'a'), (2, 'us', 'b'), (150, 'us', 'c');
--@ stream
insert into p values (3, 'eu', 'a'), (4, 'us', 'b'), (160, 'us', 'c');
update p set v = 'x' where id = 1;
update p set region = 'us' where id = 1;
update p_us_1 set v = 'y' where id = 2;
delete from p;
