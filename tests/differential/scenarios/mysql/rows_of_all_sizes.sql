-- Columns whose lengths need one byte and two.
create table t (id int primary key, a varchar(63), b varchar(64), c varchar(255), d varchar(256), e char(63), f char(64), g char(255), h varbinary(255), i varbinary(256), j binary(255));
insert into t values (1, repeat('ä', 63), repeat('ä', 64), repeat('ä', 255), repeat('ä', 256), repeat('ä', 63), repeat('ä', 64), repeat('ä', 255), repeat('x', 255), repeat('x', 256), repeat('x', 255)), (2, '', '', '', '', '', '', '', '', '', '');
--@ stream
insert into t select id + 10, a, b, c, d, e, f, g, h, i, j from t;
