//! Maps in which a key comes twice: the last value counts.

use connect_core::{Batch, Cell};
use rustc_hash::FxHashMap;

/// Up to how many pairs are compared one by one.
const FEW: usize = 8;

/// Leaves of the pairs since `start` whose keys are equal only one, in its first place and with its last value.
pub(super) fn drop_repeated(cells: &mut Vec<Cell>, start: usize, batch: &Batch) {
    let pairs = cells.get(start..).unwrap_or(&[]);
    let repeated = if pairs.len() <= FEW * 2 {
        few_repeated(pairs, batch)
    } else {
        many_repeated(pairs, batch)
    };
    if !repeated {
        return;
    }
    let pairs: Vec<Cell> = cells.drain(start..).collect();
    let mut places: FxHashMap<&[u8], usize> = FxHashMap::default();
    for pair in pairs.chunks_exact(2) {
        let at = *places.entry(key(pair, batch)).or_insert(cells.len());
        match cells.get_mut(at + 1) {
            Some(value) => *value = pair[1],
            None => cells.extend_from_slice(pair),
        }
    }
}

fn few_repeated(pairs: &[Cell], batch: &Batch) -> bool {
    let keys = || pairs.chunks_exact(2).map(|pair| key(pair, batch));
    keys()
        .enumerate()
        .any(|(at, name)| keys().take(at).any(|before| before == name))
}

fn many_repeated(pairs: &[Cell], batch: &Batch) -> bool {
    let mut seen: FxHashMap<&[u8], ()> = FxHashMap::default();
    pairs
        .chunks_exact(2)
        .any(|pair| seen.insert(key(pair, batch), ()).is_some())
}

fn key<'a>(pair: &[Cell], batch: &'a Batch) -> &'a [u8] {
    match pair.first() {
        Some(Cell::Span(span)) => batch.span(*span),
        _ => &[],
    }
}
