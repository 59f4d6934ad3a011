//! A system that a sink writes to, as a reader sees it.

use serde_json::{Map, Value};

use super::Result;

/// A row as the sink left it, by column. Of a system that knows only text, every value is text.
pub(super) type Document = Map<String, Value>;

/// What the demo asks of Redis and of the search engine. Keys are the values of the primary key, joined by `:`.
pub(super) trait Mirror: Send {
    /// Its name in messages.
    fn name(&self) -> &'static str;

    /// Whether every value is text, and a null is a column that is not there.
    fn is_plain(&self) -> bool;

    /// The last beat that is there in every table; `None` before all tables came.
    fn beat(&mut self) -> Result<Option<u64>>;

    /// About how many rows it holds.
    fn rows(&mut self) -> Result<u64>;

    /// A number that changes with each write.
    fn writes(&mut self) -> Result<u64>;

    /// The rows of a table with these keys, in their order.
    fn fetch(&mut self, table: &str, keys: &[&str]) -> Result<Vec<Option<Document>>>;

    /// Every key with its table, of all tables that begin with the prefix of the demo.
    fn keys(&mut self) -> Result<Vec<(String, String)>>;
}
