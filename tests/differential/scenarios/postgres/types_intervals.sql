-- Intervals of every shape, as microseconds and as text.
--@ differs fractions-of-intervals payload.after.i3$
--@ variant numeric {}
--@ variant string {"interval.handling.mode": "string"}
create table t (id serial primary key, i interval, i3 interval(3), y interval year to month, n interval not null default '1 day');
insert into t (i) values ('1 year 2 mons 3 days 04:05:06.78'), ('0'), ('-1 year -2 mons +3 days -04:05:06'), ('100 years'), (null);
--@ stream
insert into t (i, i3, y) values ('1 year 2 mons 3 days 04:05:06.789012', '1.2345 seconds', '3 years 5 months'), ('0', '0', '0'), ('-00:00:00.000001', '-0.5 s', '-1 month'), ('1000 hours', '25:00', null), ('-1 mon 2 days', null, null), ('178000000 years', null, null);
