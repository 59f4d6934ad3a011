-- The database of the demo. psql fills in :customers, :products, :orders and :lines.
\set QUIET on
BEGIN;
SELECT setseed(0.42);

CREATE TYPE customer_kind AS ENUM ('private', 'business', 're-seller', 'öffentlich');
CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'returned');

CREATE TABLE customers (
    id            integer PRIMARY KEY,
    code          uuid NOT NULL,
    name          text NOT NULL,
    email         varchar(120),
    kind          customer_kind NOT NULL DEFAULT 'private',
    active        boolean NOT NULL,
    birthday      date,
    joined        timestamptz NOT NULL,
    last_seen     timestamp(3),
    credit_limit  numeric(12,2) NOT NULL,
    score         real,
    rating        double precision,
    visits        bigint NOT NULL,
    level         smallint,
    country       char(3),
    tags          text[],
    lucky_numbers integer[],
    preferences   jsonb,
    raw_profile   json,
    avatar        bytea,
    last_address  inet,
    call_after    timetz,
    notes         text
);

CREATE TABLE products (
    id             integer PRIMARY KEY,
    sku            varchar(20) NOT NULL UNIQUE,
    name           text NOT NULL,
    price          numeric(10,2) NOT NULL,
    weight         numeric,
    list_price     money,
    stock          integer NOT NULL,
    measures       numeric(8,3)[],
    attributes     jsonb,
    available_from date,
    restock_every  interval,
    shelf_opens    time,
    shelf_closes   time(0),
    manual         text NOT NULL,
    updated_at     timestamptz NOT NULL
);
-- Out of line and not compressed: an update that leaves it alone does not send it.
ALTER TABLE products ALTER manual SET STORAGE EXTERNAL;

CREATE TABLE orders (
    id              bigint PRIMARY KEY,
    customer_id     integer NOT NULL REFERENCES customers DEFERRABLE INITIALLY DEFERRED,
    number          uuid NOT NULL,
    status          order_status NOT NULL,
    total           numeric(14,4) NOT NULL,
    currency        char(3) NOT NULL,
    placed_at       timestamptz(3) NOT NULL,
    shipped_at      timestamp,
    delivery_window interval,
    gift            boolean,
    channel         smallint,
    meta            json,
    comment         text,
    revision        bigint NOT NULL
);
CREATE INDEX ON orders (customer_id);

CREATE TABLE order_lines (
    order_id   bigint REFERENCES orders DEFERRABLE INITIALLY DEFERRED,
    line_no    integer,
    product_id integer NOT NULL REFERENCES products,
    quantity   integer NOT NULL,
    unit_price numeric(10,2) NOT NULL,
    discount   double precision,
    options    jsonb,
    note       text,
    PRIMARY KEY (order_id, line_no)
);

-- Text of a manual's kind: a few hundred words that come again and again.
CREATE FUNCTION manual(seed integer, words integer) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg((string_to_array('press hold the green button until a lamp blinks twice then open cover and remove '
        'battery before cleaning with dry cloth never use water near motor Öl größer façade naïve "warning" <b>hot</b> C:\tools '
        'turn knob left right slowly wait seconds check display again see page appendix for spare parts service warranty', ' '))
        [1 + (seed + n * (n + seed % 13)) % 60], ' ')
    FROM generate_series(1, words) n
$$;

INSERT INTO customers
SELECT i,
    md5('code' || i)::uuid,
    (ARRAY['Anna', 'Zoë', 'José "Pepe"', 'O''Brien', '李小龍', 'Ünal', 'C:\new\table', E'two\nlines', 'tab\there', '😀', '', ' '])[i % 12 + 1]
        || ' ' || substr(md5('name' || i), 1, 8),
    CASE WHEN i % 11 > 0 THEN 'user' || i || '@example.com' END,
    (enum_range(NULL::customer_kind))[i % 4 + 1],
    i % 3 > 0,
    CASE WHEN i % 5 > 0 THEN date '1930-01-01' + i % 30000 END,
    timestamptz '1999-12-31 23:59:59.999999+00' + i * interval '3 hours 7 minutes 1.000007 seconds',
    CASE WHEN i % 7 > 0 THEN timestamp '2001-02-03 04:05:06.789' + i * interval '1 hour 1.001 seconds' END,
    (random() * 1e6 - 1e5)::numeric(12,2),
    CASE WHEN i % 13 > 0 THEN (random() * 1000)::real END,
    CASE i % 9 WHEN 0 THEN NULL WHEN 1 THEN '-0'::float8 WHEN 2 THEN 1e300 WHEN 3 THEN 5e-324 ELSE random() END,
    9007199254740993 * (i % 3) + i,
    CASE WHEN i % 4 > 0 THEN (i % 65536 - 32768)::smallint END,
    (ARRAY['DE ', 'USA', 'F', NULL])[i % 4 + 1],
    CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY['vip', 'says "hi"', NULL, 'a,b', 'back\slash', 'ß{}'] END,
    CASE WHEN i % 8 > 0 THEN ARRAY[i, -i, NULL, 2147483647] END,
    CASE WHEN i % 10 > 0 THEN jsonb_build_object('newsletter', i % 2 = 0, 'größe', i / 7.0, 'list', ARRAY[1, 2], 'none', NULL, 'text', E'q"\\\n') END,
    CASE WHEN i % 10 > 1 THEN json_build_object('b', i, 'a', 'twice') END,
    CASE WHEN i % 3 > 0 THEN decode(md5('avatar' || i), 'hex') END,
    CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN inet '2001:db8::1' ELSE inet '10.0.0.0' + i END,
    CASE WHEN i % 5 > 1 THEN timetz '08:15:00+02' + (i % 600) * interval '1 minute' END,
    CASE WHEN i % 2 > 0 THEN repeat('Ärger & <b>Freude</b>, ', i % 9) END
FROM generate_series(1, :customers) i;

INSERT INTO products
SELECT i,
    'SKU-' || lpad(i::text, 8, '0'),
    'Gerät ' || md5('product' || i),
    (random() * 5000)::numeric(10,2),
    CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN 1e30 WHEN 2 THEN -0.00000012300 WHEN 3 THEN 0.00 ELSE random()::numeric * 100 END,
    CASE WHEN i % 7 > 0 THEN ((random() * 9999)::numeric(10,2))::money END,
    i % 1000,
    CASE WHEN i % 4 > 0 THEN ARRAY[i / 3.0, NULL, -0.5]::numeric(8,3)[] END,
    jsonb_build_object('colour', (ARRAY['rot', 'grün', 'blau'])[i % 3 + 1], 'parts', i % 20),
    CASE WHEN i % 3 > 0 THEN date '2024-02-29' + i END,
    CASE WHEN i % 5 > 0 THEN make_interval(0, i % 14, 0, i % 30, 0, 0, i / 8.0) END,
    time '06:00' + (i % 500) * interval '1.5 seconds',
    CASE WHEN i % 2 > 0 THEN time '18:00' + (i % 500) * interval '1 second' END,
    manual(i, 800 + i * 37 % 1200),
    clock_timestamp()
FROM generate_series(1, :products) i;

INSERT INTO orders
SELECT i,
    1 + i * 7919 % :customers,
    md5('order' || i)::uuid,
    (enum_range(NULL::order_status))[i % 4 + 1],
    (random() * 10000)::numeric(14,4),
    (ARRAY['EUR', 'USD', 'CHF'])[i % 3 + 1],
    timestamptz '2023-01-01 00:00:00+00' + i * interval '17.017 seconds',
    CASE WHEN i % 4 > 1 THEN timestamp '2023-01-02 00:00:00' + i * interval '17.000017 seconds' END,
    CASE WHEN i % 3 > 0 THEN make_interval(hours => i % 48, mins => -(i % 60)) END,
    CASE WHEN i % 5 > 0 THEN i % 5 = 1 END,
    CASE WHEN i % 6 > 0 THEN (i % 6)::smallint END,
    CASE WHEN i % 4 > 0 THEN json_build_object('agent', 'web/' || i, 'coupon', NULL, 'path', 'C:\orders') END,
    CASE WHEN i % 3 = 0 THEN E'Bitte "vorsichtig"\nliefern — ' || i END,
    0
FROM generate_series(1, :orders) i;

INSERT INTO order_lines
SELECT 1 + i % :orders,
    1 + i / :orders,
    1 + i * 31 % :products,
    1 + i % 9,
    (random() * 5000)::numeric(10,2),
    CASE WHEN i % 4 > 0 THEN (i % 4) * 0.1 END,
    CASE WHEN i % 6 = 0 THEN jsonb_build_object('wrap', 'gold', 'n', i) END,
    CASE WHEN i % 10 = 0 THEN 'Größe: ' || i || ', "fragil"' END
FROM generate_series(0, :lines - 1) i;

-- The row 0 of each table is the heartbeat's: a number in it is written all the time, and its way to the sinks is timed.
INSERT INTO customers (id, code, name, active, joined, credit_limit, visits)
    VALUES (0, gen_random_uuid(), 'heartbeat', true, now(), 0, 0);
INSERT INTO products (id, sku, name, price, stock, manual, updated_at)
    VALUES (0, 'heartbeat', 'heartbeat', 0, 0, '', now());
INSERT INTO orders (id, customer_id, number, status, total, currency, placed_at, revision)
    VALUES (0, 0, gen_random_uuid(), 'new', 0, 'EUR', now(), 0);
INSERT INTO order_lines (order_id, line_no, product_id, quantity, unit_price) VALUES (0, 0, 0, 0, 0);

COMMIT;
ANALYZE;
