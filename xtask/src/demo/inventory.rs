//! The database `inventory`: its tables, and how many rows each begins with.

/// The captured tables.
pub(super) const TABLES: [&str; 4] = ["customers", "products", "orders", "order_lines"];

/// The heartbeat's row of a table.
pub(super) struct Beaten {
    pub(super) table: &'static str,
    /// Its key.
    pub(super) key: &'static str,
    /// Its key as a condition.
    pub(super) row: &'static str,
    /// The column that holds the number of the last beat.
    pub(super) column: &'static str,
}

/// One in every table, since the changes of one table may reach a sink before those of another.
pub(super) const HEARTBEAT: [Beaten; 4] = [
    Beaten {
        table: "customers",
        key: "0",
        row: "id = 0",
        column: "visits",
    },
    Beaten {
        table: "products",
        key: "0",
        row: "id = 0",
        column: "stock",
    },
    Beaten {
        table: "orders",
        key: "0",
        row: "id = 0",
        column: "revision",
    },
    Beaten {
        table: "order_lines",
        key: "0:0",
        row: "order_id = 0 AND line_no = 0",
        column: "quantity",
    },
];

/// Rows of the tables before the workload; their ids count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inventory {
    pub(super) customers: u32,
    pub(super) products: u32,
    pub(super) orders: u32,
    pub(super) lines: u32,
}

impl Inventory {
    /// Shares of `rows`. A product is large: its manual has 4 to 12 kB.
    pub(super) fn of_rows(rows: u32) -> Self {
        let (customers, orders) = (rows / 6, rows / 4);
        let products = (rows / 120).min(5_000);
        Self {
            customers,
            products,
            orders,
            lines: rows - customers - orders - products,
        }
    }

    /// All rows but those of the heartbeat.
    pub(super) fn rows(&self) -> u32 {
        self.customers + self.products + self.orders + self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_all_rows() {
        for rows in [1_000, 120_000, 3_000_000] {
            let inventory = Inventory::of_rows(rows);
            assert_eq!(inventory.rows(), rows);
            assert!(inventory.products > 0 && inventory.lines > inventory.orders);
        }
    }
}
