-- Money with other digits than the usual two.
--@ variant none {"money.fraction.digits": "0"}
--@ variant four {"money.fraction.digits": "4"}
--@ variant string {"decimal.handling.mode": "string"}
create table t (id serial primary key, m money, n money not null default 12.34);
insert into t (m) values (0), (1.5), (-1234567.89), ('$0.005'), (null);
--@ stream
insert into t (m) values (0), (1.5), (-1234567.89), (0.5), (2.5), (-0.01), ('-92233720368547758.08'), (null);
