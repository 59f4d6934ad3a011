-- Scales out of the ordinary: more than the precision, negative.
--@ differs negative-scales fields.n_2|after.n_2
create table t (id serial primary key, n35 numeric(3,5), n_2 numeric(3,-2), n00 numeric(1,0), big numeric(100,50), v numeric);
insert into t (n35, n_2, n00, big) values (0.00123, 12300, 1, 1);
--@ stream
insert into t (n35, n_2, n00, big) values (0.00123, 12300, 1, 1), (0, 0, 0, 0), (-0.00001, -100, -9, -0.5);
insert into t (v) values (1), (10), (100), (1.0), (1.10), (0.0), (-0.5), (1e30), (1e-30), (12345678901234567890.12);
