//! What several connections have read of each table.

use std::sync::Arc;

use super::{Part, Planned, Progress, Range, Started, crew::Piece};

/// The state of all tables of a plan.
#[derive(Debug)]
pub(super) struct Tables {
    all: Vec<TableState>,
    /// What has yet to be read of each part; nothing when it is complete.
    left: Vec<Option<Range>>,
    /// How many rows of each part have come.
    rows: Vec<u64>,
    /// Where each table's parts lie among them.
    places: Vec<std::ops::Range<usize>>,
    /// So many tables at the beginning are complete.
    complete: usize,
    parts_left: usize,
    /// How many rows will not be read again after a restart.
    safe_rows: u64,
    /// What was known before.
    before: Progress,
}

#[derive(Debug, Default, Clone)]
struct TableState {
    parts_left: u32,
    rows: u64,
    /// Rows of parts that are complete.
    complete_rows: u64,
    has_begun: bool,
}

/// What a piece means for its table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    /// The table's first rows have come, or that there are none.
    pub(super) table_begins: bool,
    /// The part's first rows have come.
    pub(super) part_begins: bool,
    /// All parts of the table are complete.
    pub(super) table_ends: bool,
    /// How many rows of the table have come in parts that were complete before.
    pub(super) complete_rows: u64,
    /// How many rows of the table have come.
    pub(super) rows: u64,
}

impl Tables {
    /// Nothing has been read of these parts; `before` says what was read by earlier tries.
    pub(super) fn new(parts: &[Part], tables: usize, before: Progress) -> Self {
        let mut all = vec![TableState::default(); tables];
        let mut places = vec![0..0; tables];
        for (at, part) in parts.iter().enumerate() {
            if let (Some(table), Some(place)) =
                (all.get_mut(part.table), places.get_mut(part.table))
            {
                if table.parts_left == 0 {
                    place.start = at;
                }
                table.parts_left += 1;
                place.end = at + 1;
            }
        }
        Self {
            all,
            left: parts.iter().map(|part| Some(part.range.clone())).collect(),
            rows: vec![0; parts.len()],
            places,
            complete: 0,
            parts_left: parts.len(),
            safe_rows: before.rows,
            before,
        }
    }

    /// Whether everything has been read.
    pub(super) fn are_complete(&self) -> bool {
        self.parts_left == 0
    }

    /// A piece has come.
    pub(super) fn take(&mut self, piece: &mut Piece, part: &Part, planned: &impl Planned) -> News {
        let rows = piece.batch.len() as u64;
        let mut news = News {
            table_begins: false,
            part_begins: false,
            table_ends: false,
            complete_rows: 0,
            rows: 0,
        };
        let left = self.left.get_mut(piece.part);
        let (Some(table), Some(left)) = (self.all.get_mut(part.table), left) else {
            return news;
        };
        news.table_begins = !std::mem::replace(&mut table.has_begun, true);
        news.complete_rows = table.complete_rows;
        table.rows += rows;
        news.rows = table.rows;
        let of_part = self.rows.get_mut(piece.part).map(|of_part| {
            *of_part += rows;
            *of_part
        });
        let of_part = of_part.unwrap_or(0);
        self.safe_rows += match left {
            Some(Range::Keys { .. }) => rows,
            _ if piece.is_end => of_part,
            _ => 0,
        };
        news.part_begins = piece.is_first;
        if piece.is_end {
            *left = None;
            self.parts_left -= 1;
            table.parts_left -= 1;
            table.complete_rows += of_part;
            news.table_ends = table.parts_left == 0;
        } else if let (Some(Range::Keys { after, .. }), Some(key)) = (left, piece.key.take()) {
            *after = key;
        }
        if news.table_ends
            && let Some(read) = &mut self.before.read
        {
            read.push(planned.full_name());
        }
        news
    }

    /// How far the snapshot is.
    pub(super) fn progress<T: Planned>(&mut self, plan: &[Arc<T>]) -> Progress {
        while self
            .all
            .get(self.complete)
            .is_some_and(|table| table.parts_left == 0)
        {
            self.complete += 1;
        }
        let last = self.complete.checked_sub(1).and_then(|at| plan.get(at));
        let mut progress = Progress {
            rows: self.safe_rows,
            ..self.before.clone()
        };
        if let Some(planned) = last {
            progress.table = Some(planned.names());
            progress.key.clear();
            progress.complete = true;
        }
        // Those that are complete, and in none of the plans since.
        progress.started.retain(|started| started.left.is_empty());
        let behind = plan.iter().enumerate().skip(self.complete);
        progress.started.extend(behind.filter_map(|(at, planned)| {
            Some(Started {
                table: planned.names(),
                left: self.left_of(at)?,
            })
        }));
        progress
    }

    /// What is left of a table; `None` when that is all of it.
    fn left_of(&self, table: usize) -> Option<Vec<Range>> {
        let parts = self.left.get(self.places.get(table)?.clone())?;
        let mut left: Vec<Range> = Vec::new();
        for range in parts.iter().flatten() {
            match left.last().and_then(|before| before.joined(range)) {
                Some(both) => {
                    left.pop();
                    left.push(both);
                }
                None => left.push(range.clone()),
            }
        }
        match left.as_slice() {
            [all] if all.opens() && all.closes() => None,
            _ => Some(left),
        }
    }
}
