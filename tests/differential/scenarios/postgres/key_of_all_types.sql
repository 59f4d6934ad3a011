-- Keys of types other than numbers.
create type mood as enum ('sad', 'ok');
create table u (id uuid primary key, v int);
create table d (id date, t timestamptz, primary key (id, t));
create table n (id numeric(10,2) primary key, v int);
create table b (id bytea primary key, v int);
create table e (id mood, f boolean, primary key (f, id));
create table v (id varchar(10) primary key, v int);
insert into u values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1); insert into d values ('2026-01-01', '2026-01-01 12:00+02'); insert into n values (1.5, 1); insert into b values ('\x00ff', 1); insert into e values ('ok', true); insert into v values ('', 1);
--@ stream
update u set id = 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'; update d set t = '2026-01-02'; update n set id = 1.50; update n set id = 2; update b set id = '\x01'; update e set id = 'sad'; update v set id = 'é';
delete from u; delete from d; delete from n; delete from b; delete from e; delete from v;
