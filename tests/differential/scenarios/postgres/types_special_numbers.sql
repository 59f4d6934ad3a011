-- NaN and infinite numerics, where they can be shown.
--@ variant string {"decimal.handling.mode": "string"}
--@ variant double {"decimal.handling.mode": "double"}
create table t (id serial primary key, n numeric, n52 numeric(5,2), a numeric[]);
insert into t (n, n52) values ('NaN', 'NaN'), ('Infinity', null), ('-Infinity', null);
--@ stream
insert into t (n, n52) values ('NaN', 'NaN'), ('Infinity', null), ('-Infinity', null);
