-- JSON without schemas.
--@ config {"key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false"}
create table t (id int primary key, v varchar(10), d decimal(5,2), b blob, dt datetime, ts timestamp null, bi bit(3));
insert into t values (1, 'a', 1.5, 'x', '2026-01-02 03:04:05', '2026-01-02 03:04:05', 5);
--@ stream
insert into t values (2, 'b', 1.5, 'x', '2026-01-02 03:04:05', '2026-01-02 03:04:05', 5);
alter table t add column w int;
update t set w = 1; delete from t where id = 1;
