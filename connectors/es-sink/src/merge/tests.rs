//! Invariants 3 and 6 against a model of the server: random logs, requests that overtake each other, crashes, replays.

use std::collections::BTreeMap;

use connect_core::{
    Config, Properties,
    testing::{
        changes::{Change, Shape, State, Table},
        random::{self, Dice},
    },
};
use proptest::prelude::*;

use super::*;
use crate::{config::EsConfig, write::Writer};

/// What the server keeps of a document: its version, and its source unless it is deleted.
type Store = BTreeMap<Vec<u8>, (i64, Option<Map<String, Value>>)>;

fn config() -> EsConfig {
    let given = Properties::from([("connection.url".into(), "http://h".into())]);
    EsConfig::parse(&given).unwrap()
}

/// One batch, as the task does it; its operations reach the server in any order.
fn write(table: &Table, changes: &[Change], from: i64, store: &mut Store, dice: &mut Dice) {
    let mut writer = Writer::new(&config()).unwrap();
    let mut ops = Ops::default();
    for (at, row) in table.batch(changes, from).rows().enumerate() {
        writer
            .record(at, row, IndexId::default(), &mut ops)
            .unwrap();
    }
    let mut bases = Bases::default();
    for key in to_read(&ops, &mut bases) {
        if let Some((version, Some(source))) = store.get(&key.1) {
            bases.insert(key, Base::Read(*version, source.clone()));
        }
    }
    for at in 0..ops.list.len() {
        step(at, false, &mut ops, &mut bases).unwrap();
    }
    let mut order: Vec<usize> = (0..ops.list.len()).collect();
    while !order.is_empty() {
        let at = order.swap_remove(dice.below(order.len()));
        apply(&ops, at, store);
    }
}

/// `version_type=external`: only a greater version is taken.
fn apply(ops: &Ops, at: usize, store: &mut Store) {
    let op = &ops.list[at];
    let id = ops.bytes(&op.id).to_vec();
    let version = op.version.unwrap();
    if store.get(&id).is_some_and(|(have, _)| *have >= version) {
        return;
    }
    match &op.what {
        What::Put(range) => {
            let source = serde_json::from_slice(ops.bytes(range)).unwrap();
            store.insert(id, (version, Some(source)));
        }
        What::Delete => _ = store.insert(id, (version, None)),
        What::Nothing => {}
        What::Create(_) | What::Merge(..) => panic!("not resolved: {op:?}"),
    }
}

fn state(store: &Store) -> State {
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let alive = store.iter().filter_map(|(id, (_, source))| {
        let fields = source
            .as_ref()?
            .iter()
            .filter(|(_, value)| !value.is_null());
        let id = String::from_utf8(id.clone()).unwrap();
        Some((
            id,
            fields
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
        ))
    });
    alive.collect()
}

/// Writes a log from a place on, in random batches; the server may forget deleted documents between them.
fn write_from(table: &Table, changes: &[Change], from: usize, store: &mut Store, dice: &mut Dice) {
    let mut at = from;
    while at < changes.len() {
        let end = (at + 1 + dice.below(12)).min(changes.len());
        write(table, &changes[at..end], 2 * at as i64, store, dice);
        if dice.below(4) == 0 {
            store.retain(|_, (_, source)| source.is_some());
        }
        at = end;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_suffix_may_come_again(seed: u64, len in 1usize..60, rows in 1i64..6) {
        let mut dice = Dice::new(seed);
        let shape = if seed % 2 == 0 { Shape::Envelope } else { Shape::Flat };
        let table = Table::new("t", shape);
        let changes = random::changes(&mut dice, len, rows);
        let mut model = State::new();
        changes.iter().for_each(|change| table.apply(change, &mut model));

        let mut store = Store::new();
        write_from(&table, &changes, 0, &mut store, &mut dice);
        prop_assert_eq!(&state(&store), &model);
        for _ in 0..3 {
            let from = dice.below(changes.len());
            write_from(&table, &changes, from, &mut store, &mut dice);
            prop_assert_eq!(&state(&store), &model, "again from {}", from);
        }
    }
}
