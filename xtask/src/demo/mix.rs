//! What the customers of the demo do: transactions of every kind, as SQL.

use super::{database::Phrases, dice::Dice, inventory::Inventory};

/// Makes transactions.
pub(super) struct Mix {
    phrases: Box<dyn Phrases>,
    dice: Dice,
    inventory: Inventory,
    last_order: u64,
    moved_customers: u64,
}

/// Where customers go whose key changes.
const MOVED: u64 = 10_000_000;

impl Mix {
    /// The same transactions in every run.
    pub(super) fn new(inventory: Inventory, phrases: Box<dyn Phrases>) -> Self {
        Self {
            phrases,
            dice: Dice::new(20_240_229),
            inventory,
            last_order: inventory.orders.into(),
            moved_customers: 0,
        }
    }

    /// The next transaction, or some that belong together.
    pub(super) fn next(&mut self) -> String {
        match self.dice.below(100) {
            0..38 => self.order(),
            38..58 => self.sell(),
            58..62 => self.rewrite_manual(),
            62..72 => self.ship(),
            72..80 => self.cancel(),
            80..84 => self.move_customer(),
            84..88 => self.renumber_lines(),
            88..92 => self.forget(),
            92..95 => self.remember(),
            95..97 => self.think_better(),
            97..99 => self.come_and_go(),
            _ => self.discount(),
        }
    }

    /// An order with its lines.
    fn order(&mut self) -> String {
        self.last_order += 1;
        transaction(&self.insert(self.last_order))
    }

    fn insert(&mut self, order: u64) -> String {
        let customer = self.dice.id(self.inventory.customers.into());
        let product = self.dice.id(self.inventory.products.into());
        let lines = self.dice.id(6);
        self.phrases
            .order(order, customer, product, self.inventory.products, lines)
    }

    /// Stock and price of ten products; their manuals stay, and PostgreSQL does not send those.
    fn sell(&mut self) -> String {
        let first = self.dice.id(self.inventory.products.into());
        transaction(&format!(
            "UPDATE products SET stock = stock - 1, price = price * 1.01, updated_at = localtimestamp(6) \
             WHERE id BETWEEN {first} AND {first} + 9 AND price < 1000000;\n"
        ))
    }

    fn rewrite_manual(&mut self) -> String {
        let product = self.dice.id(self.inventory.products.into());
        let (seed, words) = (self.dice.below(100_000), 800 + self.dice.below(1200));
        transaction(&self.phrases.rewrite_manual(product, seed, words))
    }

    fn ship(&mut self) -> String {
        let first = self.dice.id(self.last_order);
        transaction(&format!(
            "UPDATE orders SET status = 'shipped', shipped_at = localtimestamp(6) WHERE id BETWEEN {first} AND {first} + 19;\n"
        ))
    }

    /// Orders with their lines; one time in four the order comes back under its key.
    fn cancel(&mut self) -> String {
        let order = self.dice.id(self.last_order);
        let delete = transaction(&delete(order));
        match self.dice.below(4) {
            0 => delete + &transaction(&self.insert(order)),
            _ => delete,
        }
    }

    fn move_customer(&mut self) -> String {
        self.moved_customers += 1;
        let from = self.dice.id(self.inventory.customers.into());
        let to = MOVED + self.moved_customers;
        transaction(&format!(
            "UPDATE orders SET customer_id = {to} WHERE customer_id = {from};\n\
             UPDATE customers SET id = {to} WHERE id = {from};\n"
        ))
    }

    fn renumber_lines(&mut self) -> String {
        let order = self.dice.id(self.last_order);
        transaction(&format!(
            "UPDATE order_lines SET line_no = line_no + 1000 WHERE order_id = {order};\n"
        ))
    }

    fn forget(&mut self) -> String {
        let first = self.dice.id(self.inventory.customers.into());
        transaction(&self.phrases.forget(first))
    }

    fn remember(&mut self) -> String {
        let first = self.dice.id(self.inventory.customers.into());
        transaction(&self.phrases.remember(first))
    }

    /// What is rolled back never was.
    fn think_better(&mut self) -> String {
        let first = self.dice.id(self.last_order);
        format!(
            "BEGIN;\nUPDATE orders SET comment = 'never' WHERE id BETWEEN {first} AND {first} + 9;\nROLLBACK;\n"
        )
    }

    /// A row that lives within one transaction.
    fn come_and_go(&mut self) -> String {
        self.last_order += 1;
        let order = self.last_order;
        let insert = self.insert(order);
        let update = format!("UPDATE orders SET gift = NULL WHERE id = {order};\n");
        transaction(&(insert + &update + &delete(order)))
    }

    fn discount(&mut self) -> String {
        let first = self.dice.id(self.last_order);
        transaction(&format!(
            "UPDATE order_lines SET discount = 0.25 WHERE order_id BETWEEN {first} AND {first} + 60;\n"
        ))
    }
}

fn delete(order: u64) -> String {
    format!(
        "DELETE FROM order_lines WHERE order_id = {order};\nDELETE FROM orders WHERE id = {order};\n"
    )
}

fn transaction(statements: &str) -> String {
    format!("BEGIN;\n{statements}COMMIT;\n")
}
