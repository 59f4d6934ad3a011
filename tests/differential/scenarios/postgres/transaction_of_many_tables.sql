-- The tables of a transaction stand in the order of Java's HashMap, also after it has grown.
--@ config {"provide.transaction.metadata": "true"}
create table alpha (id int); create table beta (id int); create table gamma (id int); create table delta (id int); create table epsilon (id int);
create table zeta (id int); create table eta (id int); create table theta (id int); create table iota (id int); create table kappa (id int);
create table lambda (id int); create table mu (id int); create table nu (id int); create table xi (id int); create table "Omikron" (id int);
create schema "Ünïcode"; create table "Ünïcode"."pi Ж" (id int);
--@ stream
begin; insert into mu values (1); insert into alpha values (1); insert into zeta values (1); insert into alpha values (2); commit;
begin; insert into xi values (1); insert into nu values (1); insert into mu values (1); insert into lambda values (1); insert into kappa values (1);
insert into iota values (1); insert into theta values (1); insert into eta values (1); insert into zeta values (1); insert into epsilon values (1);
insert into delta values (1); insert into gamma values (1); insert into beta values (1); insert into alpha values (1); insert into "Omikron" values (1);
insert into "Ünïcode"."pi Ж" values (1); commit;
begin; insert into mu values (1); insert into alpha values (1); insert into zeta values (1); insert into beta values (2); commit;
