//! Columns whose values were not sent, or are null, read again from the table: `ReselectColumnsPostProcessor`.
//!
//! The rows of a batch wait until it is complete; then one query reads those of a table, each row once. What comes is the
//! latest value, which may be newer than the event, and never older: a commit is streamed a moment before others can see it.

mod settings;
mod table;

use std::{sync::Arc, time::Duration};

use cdc::text::Text;
use connect_core::{Batch, Cell, Error, Nest, Result, Verdict};
use rustc_hash::FxHashMap;
use tokio::time::{Instant, sleep};

pub(crate) use self::{settings::Settings, table::Plan};
use crate::{
    catalog::literal,
    change::after_of_last,
    convert, error,
    pgoutput::{Tuple, Value},
    relations::Table,
    seen::Seen,
    wire::{Answer, Connection, Row},
};

/// Invariant 4: so many rows wait at most before the batch is full, and are read by one query.
const ROWS: usize = 64;
/// … or so many that they probably bring so many bytes.
const BYTES: usize = 256 << 10;
/// How long to wait before looking again whether a commit can be seen; each time twice as long, up to …
const LOOK: Duration = Duration::from_millis(1);
/// … this. With synchronous standbys it takes as long as these.
const LONGEST_LOOK: Duration = Duration::from_millis(128);

/// The rows of a batch that wait.
#[derive(Debug, Default)]
pub(crate) struct Reselect {
    waiting: Vec<Waiting>,
    /// What they will bring, probably.
    bytes: usize,
    /// The transactions that they belong to.
    transactions: Vec<u32>,
}

/// A row whose record stands in the batch.
#[derive(Debug)]
struct Waiting {
    table: Arc<Table>,
    /// Its struct.
    after: Nest,
    /// Which of the plan's columns it lacks.
    columns: Vec<u16>,
    /// The texts of its key.
    key: Vec<Box<[u8]>>,
}

impl Reselect {
    /// Whether the batch should end here.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= ROWS || self.bytes >= BYTES
    }

    /// Whether nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets the rows of a batch that is no more.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.transactions.clear();
        self.bytes = 0;
    }

    /// Looks at the last record of a batch, made of this row of a table by a transaction.
    pub(crate) fn note(
        &mut self,
        table: &Arc<Table>,
        xid: Option<u32>,
        tuple: Tuple<'_>,
        out: &Batch,
    ) -> Result<()> {
        let Some((plan, after)) = table.extra.as_deref().zip(after_of_last(out)) else {
            return Ok(());
        };
        let columns = plan.lacking(out.cells(after));
        if columns.is_empty() {
            return Ok(());
        }
        match key(plan, tuple)? {
            Some(key) => {
                self.waiting.push(Waiting {
                    table: Arc::clone(table),
                    after,
                    columns,
                    key,
                });
                self.bytes = self.bytes.saturating_add(plan.bytes());
                let last = self.transactions.last().copied();
                self.transactions
                    .extend(xid.filter(|xid| last != Some(*xid)));
            }
            None if plan.fails || plan.tell() => {
                plan.fails_for(&table.name, "a value of a row's key is not known")?;
            }
            None => {}
        }
        Ok(())
    }

    /// Reads what waits, and puts it into its rows.
    pub(crate) async fn run(&mut self, connection: &mut Connection, out: &mut Batch) -> Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let transactions = std::mem::take(&mut self.transactions);
        self.bytes = 0;
        become_visible(&transactions, connection).await?;
        while let Some(first) = waiting.first() {
            let table = Arc::clone(&first.table);
            let same = |one: &Waiting| Arc::ptr_eq(&one.table, &table);
            let (rows, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(same);
            waiting = others;
            let Some(plan) = table.extra.as_deref() else {
                continue;
            };
            for rows in rows.chunks(ROWS) {
                read(plan, &table, rows, connection, out).await?;
            }
        }
        Ok(())
    }
}

/// Waits until queries see what the transactions have done, as long as a query may take.
async fn become_visible(transactions: &[u32], connection: &mut Connection) -> Result<()> {
    let (limit, since) = (connection.query_timeout(), Instant::now());
    let mut pause = LOOK;
    while !are_visible(transactions, connection).await? {
        if !limit.is_zero() && since.elapsed() >= limit {
            let why = "queries do not see a commit that has been streamed: is a synchronous standby missing?";
            return Err(Error::new(&error::TIMEOUT, why).context("limit_ms", limit.as_millis()));
        }
        sleep(pause).await;
        pause = LONGEST_LOOK.min(pause * 2);
    }
    Ok(())
}

/// Whether queries see what the transactions have done.
async fn are_visible(transactions: &[u32], connection: &mut Connection) -> Result<bool> {
    let rows = connection
        .query("SELECT pg_catalog.txid_current_snapshot()")
        .await?;
    let seen: Result<Seen, ()> = rows.first().map_or("", |row| row.text(0)).parse();
    let seen = seen.map_err(|()| error::protocol("the server tells no snapshot"))?;
    Ok(transactions.iter().all(|xid| seen.sees(*xid)))
}

/// The texts of a row's key; `None` when one is null or was not sent.
fn key(plan: &Plan, tuple: Tuple<'_>) -> Result<Option<Vec<Box<[u8]>>>> {
    let mut key = Vec::with_capacity(plan.key.len());
    for column in &plan.key {
        match tuple.values().nth(usize::from(column.at)).transpose()? {
            Some(Value::Text(text)) => key.push(text.into()),
            _ => return Ok(None),
        }
    }
    Ok(Some(key))
}

async fn read(
    plan: &Plan,
    table: &Table,
    rows: &[Waiting],
    connection: &mut Connection,
    out: &mut Batch,
) -> Result<()> {
    let mut numbers: FxHashMap<&[Box<[u8]>], usize> = FxHashMap::default();
    let mut keys: Vec<&[Box<[u8]>]> = Vec::new();
    let mut of_key: Vec<Vec<&Waiting>> = Vec::new();
    for row in rows {
        let number = *numbers.entry(&row.key).or_insert(keys.len());
        if number == keys.len() {
            keys.push(&row.key);
            of_key.push(Vec::new());
        }
        if let Some(rows) = of_key.get_mut(number) {
            rows.push(row);
        }
    }
    let mut columns: Vec<u16> = rows.iter().flat_map(|row| row.columns.clone()).collect();
    columns.sort_unstable();
    columns.dedup();
    let found = match connection.query(&statement(plan, &columns, &keys)).await {
        Ok(found) => found,
        // A connection that broke is no answer.
        Err(error) if error.verdict() == Verdict::Retry => return Err(error),
        Err(error) => return plan.fails_with(&table.name, error::without_values(error)),
    };
    let bytes = |row: &Row| row.iter().flatten().map(|text| text.len()).sum();
    plan.learn(found.iter().map(bytes).max().unwrap_or(0));
    for row in found {
        let number = row
            .first()
            .and_then(|number| number.as_deref()?.parse().ok());
        let Some(rows) = number.and_then(|number: usize| of_key.get_mut(number)) else {
            continue;
        };
        // Of several rows with a key that is none, the first.
        fill(plan, table, (&columns, &row), &std::mem::take(rows), out)?;
    }
    match of_key.iter().any(|rows| !rows.is_empty()) {
        true => plan.fails_for(&table.name, "the row is not there any more"),
        false => Ok(()),
    }
}

/// Puts the values of a row that was found into those that wait for it.
fn fill(
    plan: &Plan,
    table: &Table,
    (columns, found): (&[u16], &Row),
    rows: &[&Waiting],
    out: &mut Batch,
) -> Result<()> {
    for (at, text) in columns.iter().zip(found.iter().skip(1)) {
        let Some(wanted) = plan.columns.get(usize::from(*at)) else {
            continue;
        };
        let Some(column) = table.column(wanted.at) else {
            continue;
        };
        let cell = match text {
            None => column.null(out),
            Some(text) => match convert::cell(&column.op, Text::loose(text.as_bytes()), out) {
                Ok(cell) => cell,
                Err(error) => table.failed(wanted.at, error, out)?,
            },
        };
        for row in rows.iter().filter(|row| row.columns.contains(at)) {
            set(out, row.after, wanted.place, cell);
        }
    }
    Ok(())
}

fn set(out: &mut Batch, nest: Nest, place: usize, cell: Cell) {
    if let Some(at) = out.cells_mut(nest).get_mut(place) {
        *at = cell;
    }
}

/// The wanted columns behind the number of their key. Keys are compared by the server: equal ones can have several texts.
fn statement(plan: &Plan, columns: &[u16], keys: &[&[Box<[u8]>]]) -> String {
    let columns = columns
        .iter()
        .filter_map(|at| plan.columns.get(usize::from(*at)));
    let columns: String = columns.map(|c| format!(", t.{}", c.name)).collect();
    let value = |(column, text): (&table::KeyColumn, &[u8])| {
        let text = String::from_utf8_lossy(text);
        format!(", {}::{}", literal(&text), column.type_name)
    };
    let row = |(number, key): (usize, &&[Box<[u8]>])| {
        let texts = key.iter().map(|text| &**text);
        let values: String = plan.key.iter().zip(texts).map(value).collect();
        format!("({number}{values})")
    };
    let rows: Vec<String> = keys.iter().enumerate().map(row).collect();
    let names: String = (0..plan.key.len()).map(|at| format!(", k{at}")).collect();
    let pairs = plan.key.iter().enumerate();
    let pairs: Vec<String> = pairs
        .map(|(at, column)| format!("t.{} = w.k{at}", column.name))
        .collect();
    format!(
        "SELECT w.n{columns} FROM (VALUES {}) AS w(n{names}) JOIN {} AS t ON {}",
        rows.join(", "),
        plan.from,
        pairs.join(" AND "),
    )
}

/// What happens to a row that cannot be read.
fn failure(fails: bool, error: Error) -> Result<()> {
    if fails {
        return Err(error);
    }
    tracing::warn!(?error, "columns are left as they came");
    Ok(())
}

impl Plan {
    fn fails_for(&self, table: &str, why: &'static str) -> Result<()> {
        let error = Error::new(&error::RESELECT, why).context("table", table);
        failure(self.fails, error)
    }

    fn fails_with(&self, table: &str, cause: Error) -> Result<()> {
        let what = "columns could not be read again";
        let error = Error::new(&error::RESELECT, what).context("table", table);
        failure(self.fails, error.caused_by(cause))
    }
}

#[cfg(test)]
mod tests {
    use connect_core::config::List;

    use super::{
        table::{KeyColumn, Wanted},
        *,
    };

    fn settings() -> Settings {
        let (names, mut findings) = (List(vec!["again".into()]), Vec::new());
        let class = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";
        let given = [("again.type".to_owned(), class.to_owned())].into();
        Settings::of(&names, &given, &mut findings).unwrap()
    }

    #[test]
    fn rows_are_taken_to_be_as_large_as_those_that_came() {
        let plan = Plan::new(&settings(), String::new(), Vec::new(), Vec::new());
        assert_eq!(plan.bytes(), BYTES / 4);
        plan.learn(BYTES * 2);
        assert_eq!(plan.bytes(), BYTES * 2, "one at a time");
        plan.learn(100);
        assert_eq!(plan.bytes(), BYTES, "half of them may come next");
    }

    #[test]
    fn one_statement_reads_all_rows_of_a_table() {
        let key = |name: &str, type_name: &str| KeyColumn {
            at: 0,
            name: name.to_owned(),
            type_name: type_name.to_owned(),
        };
        let wanted = |name: &str| Wanted {
            at: 0,
            place: 0,
            name: name.to_owned(),
        };
        let columns = vec![wanted("\"a\""), wanted("\"b\"")];
        let keys = vec![key("\"id\"", "integer"), key("\"k\"", "text")];
        let plan = Plan::new(&settings(), "\"public\".\"t\"".to_owned(), columns, keys);
        let text = |text: &str| -> Box<[u8]> { text.as_bytes().into() };
        let keys = [[text("1"), text("it's")], [text("2"), text("x")]];
        let keys: Vec<&[Box<[u8]>]> = keys.iter().map(|key| &key[..]).collect();
        assert_eq!(
            statement(&plan, &[1], &keys),
            "SELECT w.n, t.\"b\" FROM (VALUES (0, '1'::integer, 'it''s'::text), (1, '2'::integer, 'x'::text)) \
             AS w(n, k0, k1) JOIN \"public\".\"t\" AS t ON t.\"id\" = w.k0 AND t.\"k\" = w.k1"
        );
    }
}
