-- The database of the demo. @customers, @products, @orders and @order_lines are set.
-- Keys of other tables are not declared: an update of a key that cascades is in the binlog of some servers only.
CREATE TABLE customers (
    id            int PRIMARY KEY,
    code          char(36) NOT NULL,
    name          text NOT NULL,
    email         varchar(120),
    kind          enum('private', 'business', 're-seller', 'öffentlich') NOT NULL DEFAULT 'private',
    active        boolean NOT NULL,
    confirmed     bit(1),
    birthday      date,
    joined        timestamp(6) NOT NULL,
    last_seen     datetime(3),
    credit_limit  decimal(12,2) NOT NULL,
    score         float,
    rating        double,
    visits        bigint NOT NULL,
    level         tinyint,
    points        mediumint unsigned,
    country       char(3),
    interests     set('sport', 'kunst', 'öl', 'tee'),
    preferences   json,
    avatar        varbinary(200),
    born          year,
    call_after    time,
    notes         text
) DEFAULT CHARSET utf8mb4;

CREATE TABLE products (
    id             int unsigned PRIMARY KEY,
    sku            varchar(20) NOT NULL UNIQUE,
    name           text NOT NULL,
    price          decimal(10,2) NOT NULL,
    weight         decimal(30,10),
    stock          int NOT NULL,
    attributes     json,
    picture        blob,
    available_from date,
    shelf_opens    time(6),
    shelf_closes   time(3),
    manual         mediumtext NOT NULL,
    latin          varchar(40) CHARACTER SET latin1,
    updated_at     timestamp(6) NOT NULL
) DEFAULT CHARSET utf8mb4;

CREATE TABLE orders (
    id              bigint unsigned PRIMARY KEY,
    customer_id     int NOT NULL,
    number          char(36) NOT NULL,
    status          enum('new', 'paid', 'shipped', 'returned') NOT NULL,
    total           decimal(14,4) NOT NULL,
    currency        char(3) NOT NULL,
    placed_at       timestamp(3) NOT NULL,
    shipped_at      datetime(6),
    delivery_window time,
    gift            boolean,
    channel         smallint,
    meta            json,
    comment         text,
    revision        bigint NOT NULL,
    KEY (customer_id)
) DEFAULT CHARSET utf8mb4;

CREATE TABLE order_lines (
    order_id   bigint unsigned,
    line_no    int,
    product_id int unsigned NOT NULL,
    quantity   int NOT NULL,
    unit_price decimal(10,2) NOT NULL,
    discount   double,
    options    json,
    note       text,
    PRIMARY KEY (order_id, line_no)
) DEFAULT CHARSET utf8mb4;

-- Not captured: the numbers from 0 up to ten million.
CREATE TABLE demo_digits (n int PRIMARY KEY);
INSERT INTO demo_digits WITH RECURSIVE k (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM k WHERE n < 999) SELECT n FROM k;
CREATE VIEW demo_numbers AS
    SELECT c.n * 1000000 + b.n * 1000 + a.n AS i FROM demo_digits a JOIN demo_digits b JOIN demo_digits c WHERE c.n < 10;

BEGIN;
INSERT INTO customers
SELECT i,
    UUID(),
    CONCAT(ELT(i % 12 + 1, 'Anna', 'Zoë', 'José "Pepe"', 'O''Brien', '李小龍', 'Ünal', 'C:\\new\\table', 'two\nlines', 'tab\there', '😀', '', ' '),
        ' ', LEFT(SHA2(i, 224), 8)),
    IF(i % 11 > 0, CONCAT('user', i, '@example.com'), NULL),
    1 + i % 4,
    i % 3 > 0,
    IF(i % 5 > 0, i % 2, NULL),
    IF(i % 5 > 0, DATE '1930-01-01' + INTERVAL i % 30000 DAY, NULL),
    TIMESTAMP '1999-12-31 23:59:59.999999' + INTERVAL i * 3607000007 % 800000000000000 MICROSECOND,
    IF(i % 7 > 0, TIMESTAMP '2001-02-03 04:05:06.789' + INTERVAL i * 1001 MICROSECOND + INTERVAL i HOUR, NULL),
    RAND() * 1e6 - 1e5,
    IF(i % 13 > 0, RAND() * 1000, NULL),
    CASE i % 9 WHEN 0 THEN NULL WHEN 1 THEN -2.5e0 WHEN 2 THEN 1e300 WHEN 3 THEN 1e-300 ELSE RAND() END,
    9007199254740993 * (i % 3) + i,
    IF(i % 4 > 0, i % 256 - 128, NULL),
    IF(i % 4 > 1, i % 16777216, NULL),
    ELT(i % 4 + 1, 'DE', 'USA', 'F'),
    IF(i % 6 > 0, i % 16, NULL),
    IF(i % 10 > 0, JSON_OBJECT('newsletter', i % 2, 'größe', i, 'list', JSON_ARRAY(1, -2, 'x'), 'none', NULL, 'text', 'q"\\\n'), NULL),
    IF(i % 3 > 0, UNHEX(SHA2(i, 224)), NULL),
    IF(i % 5 > 0, 1901 + i % 250, NULL),
    IF(i % 5 > 1, SEC_TO_TIME(i % 86400), NULL),
    IF(i % 2 > 0, REPEAT('Ärger & <b>Freude</b>, ', i % 9), NULL)
FROM demo_numbers WHERE i BETWEEN 1 AND @customers;

INSERT INTO products
SELECT i,
    CONCAT('SKU-', LPAD(i, 8, '0')),
    CONCAT('Gerät ', SHA2(i, 224)),
    RAND() * 5000,
    CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 12345678901234567890.0123456789 WHEN 2 THEN -0.00000012300 ELSE RAND() * 100 END,
    i % 1000,
    JSON_OBJECT('colour', ELT(i % 3 + 1, 'rot', 'grün', 'blau'), 'parts', i % 20),
    IF(i % 3 > 0, REPEAT(UNHEX(SHA2(i, 224)), i % 40), NULL),
    IF(i % 3 > 0, DATE '2024-02-29' + INTERVAL i DAY, NULL),
    SEC_TO_TIME(21600 + i % 500 * 1.5),
    IF(i % 2 > 0, SEC_TO_TIME(64800 + i % 500 * 1.001), NULL),
    LEFT(REPEAT(CONCAT(i, ' hold the green button; Öl, größer, façade, "warning" <b>hot</b> C:\\tools '), 300), 4000 + i * 37 % 8000),
    ELT(i % 3 + 1, 'Größe', 'façade €'),
    LOCALTIMESTAMP(6)
FROM demo_numbers WHERE i BETWEEN 1 AND @products;

INSERT INTO orders
SELECT i,
    1 + i * 7919 % @customers,
    UUID(),
    1 + i % 4,
    RAND() * 10000,
    ELT(i % 3 + 1, 'EUR', 'USD', 'CHF'),
    TIMESTAMP '2023-01-01 00:00:00' + INTERVAL i * 17017 % 900000000 * 1000 MICROSECOND,
    IF(i % 4 > 1, TIMESTAMP '2023-01-02 00:00:00' + INTERVAL i * 17000017 MICROSECOND, NULL),
    IF(i % 3 > 0, SEC_TO_TIME(i % 86000), NULL),
    IF(i % 5 > 0, i % 5 = 1, NULL),
    IF(i % 6 > 0, i % 6, NULL),
    IF(i % 4 > 0, JSON_OBJECT('agent', CONCAT('web/', i), 'coupon', NULL, 'path', 'C:\\orders'), NULL),
    IF(i % 3 = 0, CONCAT('Bitte "vorsichtig"\nliefern — ', i), NULL),
    0
FROM demo_numbers WHERE i BETWEEN 1 AND @orders;

INSERT INTO order_lines
SELECT 1 + i % @orders,
    1 + i DIV @orders,
    1 + i * 31 % @products,
    1 + i % 9,
    RAND() * 5000,
    IF(i % 4 > 0, i % 4 * 0.1, NULL),
    IF(i % 6 = 0, JSON_OBJECT('wrap', 'gold', 'n', i), NULL),
    IF(i % 10 = 0, CONCAT('Größe: ', i, ', "fragil"'), NULL)
FROM demo_numbers WHERE i < @order_lines;

-- The row 0 of each table is the heartbeat's: a number in it is written all the time, and its way to the sinks is timed.
INSERT INTO customers (id, code, name, active, joined, credit_limit, visits) VALUES (0, UUID(), 'heartbeat', true, NOW(6), 0, 0);
INSERT INTO products (id, sku, name, price, stock, manual, updated_at) VALUES (0, 'heartbeat', 'heartbeat', 0, 0, '', NOW(6));
INSERT INTO orders (id, customer_id, number, status, total, currency, placed_at, revision) VALUES (0, 0, UUID(), 'new', 0, 'EUR', NOW(3), 0);
INSERT INTO order_lines (order_id, line_no, product_id, quantity, unit_price) VALUES (0, 0, 0, 0, 0);
COMMIT;
DROP VIEW demo_numbers;
DROP TABLE demo_digits;
