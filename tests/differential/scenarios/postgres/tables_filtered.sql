-- Tables in and out: anchored expressions, whatever the case.
--@ differs(include) tables-of-snapshots-in-the-order-of-names source.snapshot$
--@ variant include {"table.include.list": "public.orders,PUBLIC\\.Cust.*,other\\.t[12]"}
--@ variant exclude {"table.exclude.list": "public.orders.*,other.t1"}
--@ variant schemas {"schema.include.list": "oth.*"}
--@ variant schemas_out {"schema.exclude.list": "public"}
--@ variant both {"schema.include.list": "public,other", "table.exclude.list": "public.orders"}
create schema other; create schema another;
create table orders (id int primary key); create table orders2 (id int primary key); create table customers (id int primary key); create table "Customers" (id int primary key);
create table other.t1 (id int primary key); create table other.t2 (id int primary key); create table another.t1 (id int primary key);
insert into orders values (1); insert into orders2 values (1); insert into customers values (1); insert into "Customers" values (1); insert into other.t1 values (1); insert into other.t2 values (1); insert into another.t1 values (1);
--@ stream
insert into orders values (2); insert into orders2 values (2); insert into customers values (2); insert into "Customers" values (2); insert into other.t1 values (2); insert into other.t2 values (2); insert into another.t1 values (2);
