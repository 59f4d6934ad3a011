-- A table changed online by triggers.
create table t (id int primary key auto_increment, v varchar(10));
insert into t (v) values ('a'), ('b');
--@ stream
CREATE TABLE `_t_new` ( `id` int NOT NULL AUTO_INCREMENT, `v` varchar(10) DEFAULT NULL, PRIMARY KEY (`id`) ) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4;
ALTER TABLE `_t_new` add column w bigint;
CREATE TRIGGER `pt_osc_del` AFTER DELETE ON `t` FOR EACH ROW DELETE IGNORE FROM `_t_new` WHERE `_t_new`.`id` <=> OLD.`id`;
CREATE TRIGGER `pt_osc_ins` AFTER INSERT ON `t` FOR EACH ROW REPLACE INTO `_t_new` (`id`, `v`) VALUES (NEW.`id`, NEW.`v`);
INSERT LOW_PRIORITY IGNORE INTO `_t_new` (`id`, `v`) SELECT `id`, `v` FROM `t` LOCK IN SHARE MODE /*pt-online-schema-change 1 copy table*/;
insert into t (v) values ('while'); delete from t where id = 1;
ANALYZE TABLE `_t_new` /* pt-online-schema-change */;
RENAME TABLE `t` TO `_t_old`, `_t_new` TO `t`;
DROP TABLE IF EXISTS `_t_old`;
DROP TRIGGER IF EXISTS `pt_osc_del`;
insert into t (v, w) values ('after', 1);
