-- Enumerations and sets, with quotes, commas and case in their names, and values that are none of them.
--@ differs commas-of-enums after\.e$
create table t (id int primary key, e enum('a', 'b', 'C d', 'it''s', '"q"', 'comma,', '') default 'b', s set('one', 'two', 'thr ee', 'ü') default 'one,two',
  en enum('x', 'y') not null, sn set('p', 'q') not null, e1 enum('only'), u enum('ä', '漢', '🦀'));
set sql_mode = '';
insert into t values (1, 'a', 'one', 'x', 'p', 'only', 'ä'), (2, 'it''s', 'two,one', 'y', '', null, '🦀'), (3, 'nonsense', 'one,nonsense', 'nonsense', 'nonsense', 'nonsense', null), (4, null, null, 'x', 'p,q', null, '漢'), (5, 'comma,', 'thr ee,ü', 'x', 'q', null, null), (6, '', '', 'y', 'p', null, null);
--@ stream
set sql_mode = '';
insert into t values (11, 'a', 'one', 'x', 'p', 'only', 'ä'), (12, 'it''s', 'two,one', 'y', '', null, '🦀'), (13, 'nonsense', 'one,nonsense', 'nonsense', 'nonsense', 'nonsense', null), (14, null, null, 'x', 'p,q', null, '漢'), (15, 'comma,', 'thr ee,ü', 'x', 'q', null, null), (16, '', '', 'y', 'p', null, null), (17, 5, 8, 2, 3, 1, 2);
update t set e = 'C d', s = 15 where id = 1;
alter table t modify e enum('a', 'b', 'C d', 'it''s', '"q"', 'comma,', '', 'new') default 'new', modify s set('one', 'two', 'thr ee', 'ü', 'five');
insert into t values (21, 'new', 'five,one', 'x', 'p', null, null);
create table big (id int primary key, s set('s1','s2','s3','s4','s5','s6','s7','s8','s9','s10','s11','s12','s13','s14','s15','s16','s17'));
insert into big values (1, 's1,s17'), (2, 's9'), (3, '');
