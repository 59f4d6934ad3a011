-- Years, of two digits and zero, with and without the adjuster.
--@ servers mysql
--@ differs years-of-zero after\.y$
--@ variant adjusted {}
--@ variant as_they_are {"enable.time.adjuster": "false"}
create table t (id int primary key, y year, y4 year(4), n year not null default 2001, d date, dt datetime);
insert into t values (1, 1901, 2155, 1970, '0070-01-01', '0069-12-31 10:00:00'), (2, 0, 69, 70, '0099-05-05', '0001-01-01 00:00:00'), (3, null, null, 2000, null, null);
--@ stream
insert into t values (11, 1901, 2155, 1970, '0070-01-01', '0069-12-31 10:00:00'), (12, 0, 69, 70, '0099-05-05', '0001-01-01 00:00:00'), (13, null, null, 2000, null, null), (14, '00', '1', 99, '70-01-01', '69-01-01 00:00:00');
update t set y = 2026 where id = 1;
