-- Texts of every length and collation.
--@ differs(mysql) lengths-of-zero columns\.2\.length
create table t (id int primary key, c char(5), c0 char(0), v varchar(255), vl varchar(5000), tt tinytext, tx text, m mediumtext, l longtext,
  n nchar(5), nv national varchar(20), b varchar(20) collate utf8mb4_bin, ci varchar(20) collate utf8mb4_unicode_ci, cs varchar(20) character set latin1 collate latin1_general_cs,
  bc char(5) character set utf8mb4 collate utf8mb4_bin, tl text(100), lv long varchar, nn varchar(10) not null);
insert into t values (1, 'ab', '', 'äöü', repeat('x', 5000), 'tiny', 'text', 'medium', 'long', 'äé', 'ñ', 'Bin', 'ci', 'ç', 'b', 'tl', 'lv', ''),
  (2, '  a  ', null, '  spaces  ', '', '', '', '', '', '', '', '', '', '', '', '', '', ' '),
  (3, '漢字🦀', null, 'tab\tnew\nline\\ quote\' "', 'nul \0 end', '🦀', 'é', 'a', 'b', '漢字', null, null, null, null, null, null, null, 'x');
--@ stream
insert into t values (11, 'ab', '', 'äöü', repeat('x', 5000), 'tiny', 'text', 'medium', 'long', 'äé', 'ñ', 'Bin', 'ci', 'ç', 'b', 'tl', 'lv', ''),
  (12, '  a  ', null, '  spaces  ', '', '', '', '', '', '', '', '', '', '', '', '', '', ' '),
  (13, '漢字🦀', null, 'tab\tnew\nline\\ quote\' "', 'nul \0 end', '🦀', 'é', 'a', 'b', '漢字', null, null, null, null, null, null, null, 'x');
update t set v = repeat('ä', 255), tt = repeat('y', 255), tx = repeat('z', 65535), m = repeat('m', 70000) where id = 1;
create table born (id int primary key, n nchar varying(10), c character varying(7), cc character(3), l long, u varchar(9) charset utf8mb3, tb text binary);
insert into born values (1, 'n', 'c', 'cc', 'l', 'ü', 'tb');
