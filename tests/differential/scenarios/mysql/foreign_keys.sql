-- Rows that change because others do.
create table p (id int primary key, v int); create table c (id int primary key, p int, foreign key (p) references p (id) on delete cascade on update cascade); create table n (id int primary key, p int, foreign key (p) references p (id) on delete set null);
insert into p values (1, 1), (2, 2); insert into c values (1, 1), (2, 1), (3, 2); insert into n values (1, 1);
--@ stream
insert into c values (4, 2);
update p set id = 10 where id = 2;
delete from n where id = 5; delete from p where id = 1;
