//! Random changes, the same for the same seed.

use super::changes::{Change, nulls};
use crate::Value;

/// A small random number generator (xorshift64*); the same seed gives the same numbers.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// A generator.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize;
        high % end.max(1)
    }
}

/// `len` changes of few rows, as a database makes them: a row is created with all its columns; an update can leave out
/// large ones; a changed key is a delete and a create.
pub fn changes(dice: &mut Dice, len: usize, rows: i64) -> Vec<Change> {
    let mut alive = std::collections::BTreeSet::new();
    let mut all = Vec::with_capacity(len);
    while all.len() < len {
        let id = dice.below(rows.max(1) as usize) as i64;
        match (alive.contains(&id), dice.below(10)) {
            (false, _) => {
                alive.insert(id);
                all.push(Change::Put(id, columns(dice, false)));
            }
            (true, 0) => {
                alive.remove(&id);
                all.push(Change::Delete(id));
            }
            (true, 1) => {
                alive.remove(&id);
                all.push(Change::Tombstone(id));
            }
            (true, 2) => {
                let other = dice.below(rows.max(1) as usize) as i64;
                if alive.insert(other) {
                    alive.remove(&id);
                    all.push(Change::Delete(id));
                    all.push(Change::Put(other, columns(dice, false)));
                }
            }
            (true, _) => all.push(Change::Put(id, columns(dice, true))),
        }
    }
    all
}

fn columns(dice: &mut Dice, may_be_absent: bool) -> Vec<(&'static str, Value)> {
    let mut columns = nulls();
    columns.retain(|(name, _)| {
        let large = matches!(*name, "note" | "doc");
        !(may_be_absent && large && dice.below(2) == 0)
    });
    for (name, value) in &mut columns {
        if dice.below(5) > 0 {
            *value = sample(name, dice);
        }
    }
    columns
}

fn sample(name: &str, dice: &mut Dice) -> Value {
    const TEXTS: &[&str] = &[
        "",
        "plain",
        "quo\"te \\ back",
        "}{][,:\"",
        "é漢🦀",
        "two\nlines\tand\u{1}",
    ];
    const DOCS: &[&str] = &[
        "{}",
        "[]",
        "{\"a\":[1,{\"b\":\"x,}\\\"]\"}],\"note\":\"inner\"}",
        "[[],{},\"\"]",
        "12345678901234567890.10",
        "\"text\"",
    ];
    match name {
        "price" => Value::Str(format!("{}.{:02}", dice.below(1_000_000), dice.below(100))),
        "at" => Value::Int(1_700_000_000_000_000 + dice.below(1_000_000) as i64),
        "doc" => DOCS[dice.below(DOCS.len())].into(),
        _ => Value::Str(format!(
            "{}{}",
            TEXTS[dice.below(TEXTS.len())],
            dice.below(1000)
        )),
    }
}
