//! A workload whose one topic tells whether a transaction was lost, doubled, reordered, or seen in part: transfers between accounts,
//! each of them noted in a ledger that only grows.

use std::collections::BTreeMap;

use serde_json::Value;
use stack::Postgres;

use crate::{Load, Outcome};

/// How many accounts, and what they hold together.
const ACCOUNTS: i64 = 10;
const TOTAL: i64 = ACCOUNTS * 1000;

/// Makes `public.accounts` and `public.ledger`.
pub fn tables(postgres: &Postgres) -> Outcome {
    postgres.psql(&format!(
        "create table accounts (id int primary key, balance bigint not null);
         insert into accounts select id, 1000 from generate_series(0, {ACCOUNTS} - 1) id;
         create table ledger (id bigserial primary key, payer int, payee int, amount int, of int);
         alter table accounts owner to cdc; alter table ledger owner to cdc;
         alter table accounts replica identity full;"
    ))?;
    Ok(())
}

/// Transactions of one to four transfers.
pub fn transfer(postgres: &Postgres) -> Load {
    Load::start(postgres, |round| {
        (0..10).map(|at| transaction(round * 10 + at)).collect()
    })
}

fn transaction(number: u64) -> String {
    let of = 1 + number % 4;
    let mut sql = "begin;".to_owned();
    for at in 0..of {
        let payer = (number * 7 + at * 3) % ACCOUNTS as u64;
        let payee = (payer + 1 + number % (ACCOUNTS as u64 - 1)) % ACCOUNTS as u64;
        let amount = 1 + (number + at) % 9;
        sql += &format!(
            "update accounts set balance = balance - {amount} where id = {payer};
             update accounts set balance = balance + {amount} where id = {payee};
             insert into ledger (payer, payee, amount, of) values ({payer}, {payee}, {amount}, {of});"
        );
    }
    sql + "commit;"
}

/// What a reader of committed records has seen.
#[derive(Debug, Default)]
pub struct Seen {
    balances: BTreeMap<i64, i64>,
    /// The last entry of the ledger.
    last: i64,
    /// Records of the transaction that is being read, and how many it has, once that is known.
    open: Option<(String, usize, Option<usize>)>,
    /// Transactions that were seen whole.
    pub transactions: usize,
}

impl Seen {
    /// Reads the values of the one topic, in order. An error names what cannot be.
    pub fn read(values: &[String]) -> Outcome<Self> {
        let mut seen = Self::default();
        for (at, value) in values.iter().enumerate() {
            let change: Value = serde_json::from_str(value)?;
            seen.take(&change)
                .map_err(|error| format!("record {at}: {error}: {value}"))?;
        }
        Ok(seen)
    }

    fn take(&mut self, change: &Value) -> Result<(), String> {
        let source = &change["source"];
        if change["op"] == "r" {
            return self.apply(change, false);
        }
        let id = source["txId"].to_string();
        match &mut self.open {
            Some((open, count, _)) if *open == id => *count += 1,
            Some(open) => return Err(format!("{open:?} is not over")),
            none => *none = Some((id, 1, None)),
        }
        self.apply(change, true)?;
        if let Some((_, count, Some(due))) = &self.open
            && count == due
        {
            self.open = None;
            self.transactions += 1;
            return self.check_sum();
        }
        Ok(())
    }

    fn apply(&mut self, change: &Value, is_streamed: bool) -> Result<(), String> {
        let after = &change["after"];
        let id = after["id"].as_i64().ok_or("no id")?;
        if change["source"]["table"] == "ledger" {
            if id <= self.last {
                return Err(format!("entry {id} after {}", self.last));
            }
            self.last = id;
            if let (Some((_, _, due)), Some(of)) = (&mut self.open, after["of"].as_u64()) {
                *due = Some(of as usize * 3);
            }
            return Ok(());
        }
        let balance = after["balance"].as_i64().ok_or("no balance")?;
        let before = self.balances.insert(id, balance);
        // The row before is in the change, too.
        if is_streamed && before != change["before"]["balance"].as_i64() {
            return Err(format!("account {id} had {before:?}"));
        }
        Ok(())
    }

    fn check_sum(&self) -> Result<(), String> {
        let sum: i64 = self.balances.values().sum();
        match sum {
            TOTAL => Ok(()),
            other => Err(format!("the accounts hold {other} together")),
        }
    }

    /// Fails when the last transaction was seen in part.
    pub fn assert_whole(&self) -> Outcome {
        match &self.open {
            None => Ok(()),
            Some(open) => Err(format!("a transaction is seen in part: {open:?}").into()),
        }
    }

    /// Fails unless this is how the table ends.
    pub fn assert_complete(&self, postgres: &Postgres) -> Outcome {
        self.assert_whole()?;
        let table = postgres.psql("select id || '=' || balance from accounts order by id")?;
        let pairs = self.balances.iter();
        let seen: String = pairs
            .map(|(id, balance)| format!("{id}={balance}\n"))
            .collect();
        let last = postgres.psql("select coalesce(max(id), 0) from ledger")?;
        if seen != table || last.trim() != self.last.to_string() {
            return Err(format!(
                "seen\n{seen}up to {}, the table holds\n{table}up to {last}",
                self.last
            )
            .into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn move_money(tx: u64, id: i64, before: i64, after: i64) -> String {
        let source = json!({"txId": tx, "table": "accounts"});
        json!({"op": "u", "source": source, "before": {"id": id, "balance": before}, "after": {"id": id, "balance": after}})
            .to_string()
    }

    fn entry(tx: u64, id: i64) -> String {
        let source = json!({"txId": tx, "table": "ledger"});
        json!({"op": "c", "source": source, "after": {"id": id, "of": 1}}).to_string()
    }

    fn start() -> Vec<String> {
        let read = |id: i64| {
            json!({"op": "r", "source": {"table": "accounts"}, "after": {"id": id, "balance": 1000}}).to_string()
        };
        (0..ACCOUNTS).map(read).collect()
    }

    fn with(more: &[String]) -> Outcome<Seen> {
        let all: Vec<String> = start().into_iter().chain(more.iter().cloned()).collect();
        Seen::read(&all)
    }

    #[test]
    fn parts_repeats_gaps_and_disorder_are_found() {
        let (a, b) = (move_money(7, 0, 1000, 995), move_money(7, 1, 1000, 1005));
        let good = with(&[a.clone(), b.clone(), entry(7, 1)]).unwrap();
        good.assert_whole().unwrap();
        assert_eq!(good.transactions, 1);
        with(&[a.clone(), b.clone()])
            .unwrap()
            .assert_whole()
            .unwrap_err();
        with(&[a.clone(), entry(8, 1)]).unwrap_err();
        with(&[a.clone(), b.clone(), entry(7, 1), a.clone()]).unwrap_err();
        with(&[move_money(7, 0, 990, 985)]).unwrap_err();
        with(&[a.clone(), move_money(7, 1, 1000, 1004), entry(7, 1)]).unwrap_err();
        with(&[a, b, entry(7, 1), entry(9, 1)]).unwrap_err();
    }
}
