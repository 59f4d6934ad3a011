//! The workload in the SQL of MySQL and MariaDB.

use crate::demo::database::Phrases;

pub(super) struct MysqlPhrases;

impl Phrases for MysqlPhrases {
    fn order(&self, order: u64, customer: u64, product: u64, products: u32, lines: u64) -> String {
        let rows: Vec<String> = (1..=lines)
            .map(|n| {
                let product = 1 + (product + n * 31) % u64::from(products);
                let quantity = n * 2;
                format!("({order}, {n}, {product}, {quantity}, RAND() * 500, RAND(), NULL, 'new')")
            })
            .collect();
        let comment = if lines > 4 {
            "'schnell,\\nbitte'"
        } else {
            "NULL"
        };
        format!(
            "INSERT INTO orders SELECT {order}, (SELECT id FROM customers WHERE id >= {customer} ORDER BY id LIMIT 1), \
             UUID(), 'new', RAND() * 10000, 'EUR', SYSDATE(3), NULL, SEC_TO_TIME({lines} * 3600), RAND() < 0.2, {lines}, \
             JSON_OBJECT('agent', 'app \"β\"'), {comment}, 1;\n\
             INSERT INTO order_lines VALUES {};\n",
            rows.join(", ")
        )
    }

    fn rewrite_manual(&self, product: u64, seed: u64, words: u64) -> String {
        format!(
            "UPDATE products SET updated_at = LOCALTIMESTAMP(6), \
             manual = LEFT(REPEAT(CONCAT({seed}, ' press the green button until a lamp blinks twice, then öffnen; '), {words}), \
             {words} * 6) WHERE id = {product};\n"
        )
    }

    fn forget(&self, first: u64) -> String {
        format!(
            "UPDATE customers SET email = NULL, birthday = NULL, last_seen = NULL, score = NULL, interests = NULL, \
             preferences = NULL, avatar = NULL, born = NULL, call_after = NULL, notes = NULL \
             WHERE id BETWEEN {first} AND {first} + 4;\n"
        )
    }

    fn remember(&self, first: u64) -> String {
        format!(
            "UPDATE customers SET last_seen = LOCALTIMESTAMP(3), visits = visits + 1, \
             notes = CONCAT('war wieder da: \"', id, '\"'), \
             preferences = JSON_SET(COALESCE(preferences, JSON_OBJECT()), '$.back', JSON_EXTRACT('[1,\"ja\"]', '$')) \
             WHERE id BETWEEN {first} AND {first} + 4;\n"
        )
    }
}
