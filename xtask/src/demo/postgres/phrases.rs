//! The workload in PostgreSQL's SQL.

use crate::demo::database::Phrases;

pub(super) struct PostgresPhrases;

impl Phrases for PostgresPhrases {
    fn order(&self, order: u64, customer: u64, product: u64, products: u32, lines: u64) -> String {
        format!(
            "INSERT INTO orders SELECT {order}, (SELECT id FROM customers WHERE id >= {customer} ORDER BY id LIMIT 1), \
             gen_random_uuid(), 'new', (random() * 10000)::numeric(14,4), 'EUR', clock_timestamp(), NULL, \
             make_interval(hours => {lines}), random() < 0.2, {lines}, json_build_object('agent', 'app \"β\"'), \
             CASE WHEN {lines} > 4 THEN E'schnell,\\nbitte' END, 1;\n\
             INSERT INTO order_lines SELECT {order}, n, 1 + ({product} + n * 31) % {products}, n * 2, \
             (random() * 500)::numeric(10,2), random(), NULL, 'new' FROM generate_series(1, {lines}) n;\n"
        )
    }

    fn rewrite_manual(&self, product: u64, seed: u64, words: u64) -> String {
        format!(
            "UPDATE products SET updated_at = clock_timestamp(), manual = manual({seed}, {words}) WHERE id = {product};\n"
        )
    }

    fn forget(&self, first: u64) -> String {
        format!(
            "UPDATE customers SET email = NULL, birthday = NULL, last_seen = NULL, score = NULL, tags = NULL, \
             lucky_numbers = NULL, preferences = NULL, avatar = NULL, last_address = NULL, call_after = NULL, notes = NULL \
             WHERE id BETWEEN {first} AND {first} + 4;\n"
        )
    }

    fn remember(&self, first: u64) -> String {
        format!(
            "UPDATE customers SET last_seen = localtimestamp, visits = visits + 1, notes = 'war wieder da: \"' || id || '\"', \
             tags = tags || ARRAY['back'] WHERE id BETWEEN {first} AND {first} + 4;\n"
        )
    }
}
