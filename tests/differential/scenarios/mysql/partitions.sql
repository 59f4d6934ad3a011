-- Tables in parts, which come and go.
create table t (id int not null, d date not null, v int, primary key (id, d)) partition by range (year(d)) (partition p0 values less than (2020), partition p1 values less than (2025), partition rest values less than maxvalue);
insert into t values (1, '2019-01-01', 1), (2, '2022-01-01', 2);
--@ stream
insert into t values (3, '2030-01-01', 3); update t set d = '2021-01-01' where id = 1;
alter table t drop partition p0; alter table t reorganize partition rest into (partition p2 values less than (2030), partition rest values less than maxvalue); alter table t truncate partition p1;
insert into t values (4, '2026-01-01', 4);
alter table t remove partitioning; alter table t partition by hash (id) partitions 4;
insert into t values (5, '2026-01-01', 5);
