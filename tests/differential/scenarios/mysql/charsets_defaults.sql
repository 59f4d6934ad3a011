-- The charset of a column may be its table's or its database's.
--@ differs character-sets-of-altered-databases defaultCharsetName|columns\.5\.charsetName|after\.more
create table latin (id int primary key, v varchar(20), c char(4), t text, u varchar(20) character set utf8mb4) default charset latin1; create table listed (id int primary key, e enum('ä', 'b'), s set('ä', 'ö')) charset latin1;
create table japanese (id int primary key, v varchar(20), e enum('漢', 'b')) charset sjis;
create table wide (id int primary key, v varchar(20), c char(3), t text) charset ucs2;
create table bin (id int primary key, v varchar(20), t text, c char(3)) charset binary;
insert into latin values (1, 'äöü', 'é', 'ß', '🦀'); insert into listed values (1, 'ä', 'ä,ö'); insert into japanese values (1, '漢字', '漢'); insert into wide values (1, '漢字', 'ab', 'é'); insert into bin values (1, 'ab', 'cd', 'e');
--@ stream
insert into latin values (2, 'äöü', 'é', 'ß', '🦀'); insert into listed values (2, 'ä', 'ä,ö'); insert into japanese values (2, '漢字', '漢'); insert into wide values (2, '漢字', 'ab', 'é'); insert into bin values (2, 'ab', 'cd', 'e');
alter database ${run} character set latin1;
create table born (id int primary key, v varchar(20), t text);
insert into born values (1, 'äöü', 'é');
alter table latin convert to character set utf8mb4;
insert into latin values (3, '漢字', '🦀', 'ß', '🦀');
alter table latin default character set latin2;
alter table latin add column more varchar(10);
insert into latin values (4, 'ž', 'č', 'ß', '🦀', 'č');
