//! Fields that a header names are left out of key and value (`drop.fields.header.name`).

use std::sync::Arc;

use connect_core::{Batch, Cell, Datum, Field, Result, Route, Schema, route::RouteId};
use rustc_hash::FxHashMap;

use super::super::{
    reshape::is_null,
    row::{fill_defaults, take_cells, with_fields},
    side::Side,
};

/// Combinations of route and names that are kept; when there are more, all are forgotten and made again.
const MOST: usize = 4096;

/// The transform's last step.
pub(super) struct DropFields {
    header: String,
    from_key: bool,
    compatible: bool,
    known: FxHashMap<(RouteId, Vec<String>), Arc<Dropped>>,
    cells: Vec<Cell>,
}

/// What is left of both sides.
struct Dropped {
    key: Option<Kept>,
    value: Option<Kept>,
    route: Arc<Route>,
}

struct Kept {
    old: Arc<Schema>,
    places: Vec<usize>,
}

impl DropFields {
    pub(super) fn new(header: String, from_key: bool, compatible: bool) -> Self {
        Self {
            header,
            from_key,
            compatible,
            known: FxHashMap::default(),
            cells: Vec::new(),
        }
    }

    /// Leaves out what the record's header names. The last `spared` fields of the value always stay; routes with other
    /// such fields are other routes.
    pub(super) fn one(&mut self, batch: &mut Batch, index: usize, spared: usize) -> Result<()> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(());
        };
        let headers = batch.headers(record).iter();
        let names = headers
            .clone()
            .find(|header| *header.name == *self.header)
            .map(|header| {
                let list = Datum::of(batch, header.schema.as_ref(), header.value).items();
                let names = list
                    .into_iter()
                    .filter_map(|item| item.text().map(String::from));
                names.collect::<Vec<String>>()
            });
        let Some(names) = names.filter(|names| !names.is_empty()) else {
            return Ok(());
        };
        let Some(route) = batch.route(record.route).cloned() else {
            return Ok(());
        };
        let dropped = self.compiled(&route, names, spared)?;
        for (side, kept) in [(Side::Key, &dropped.key), (Side::Value, &dropped.value)] {
            let cell = side.cell(&record);
            if let Some(kept) = kept.as_ref().filter(|_| !is_null(batch, cell)) {
                let new = self.leave_out(kept, batch, cell)?;
                if let Some(record) = batch.records_mut().get_mut(index) {
                    side.set(record, new);
                }
            }
        }
        let route = batch.route_index(&dropped.route);
        if let Some(record) = batch.records_mut().get_mut(index) {
            record.route = route;
        }
        Ok(())
    }

    fn compiled(
        &mut self,
        route: &Arc<Route>,
        names: Vec<String>,
        spared: usize,
    ) -> Result<Arc<Dropped>> {
        // Invariant 4: nothing unbounded.
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let known = (route.id(), names);
        if let Some(dropped) = self.known.get(&known) {
            return Ok(Arc::clone(dropped));
        }
        let (mut key, mut new) = (None, Arc::clone(route));
        if self.from_key {
            (key, new) = self.side(Side::Key, &new, &known.1, 0)?;
        }
        let (value, new) = self.side(Side::Value, &new, &known.1, spared)?;
        let dropped = Arc::new(Dropped {
            key,
            value,
            route: new,
        });
        self.known.insert(known, Arc::clone(&dropped));
        Ok(dropped)
    }

    fn side(
        &self,
        side: Side,
        route: &Arc<Route>,
        names: &[String],
        spared: usize,
    ) -> Result<(Option<Kept>, Arc<Route>)> {
        let Some(old) = side.schema(route) else {
            return Ok((None, Arc::clone(route)));
        };
        let droppable = old.fields().len().saturating_sub(spared);
        let goes = |at: usize, field: &Field| {
            let named = at < droppable && names.iter().any(|name| **name == *field.name);
            named && (field.schema.optional || !self.compatible)
        };
        let all = old.fields().iter().enumerate();
        let places: Vec<usize> = all
            .filter(|(at, field)| !goes(*at, field))
            .map(|(at, _)| at)
            .collect();
        if places.len() == old.fields().len() {
            return Ok((None, Arc::clone(route)));
        }
        let fields = places
            .iter()
            .filter_map(|at| old.fields().get(*at).cloned());
        let new = Arc::new(with_fields(old, fields.collect())?);
        let old = Arc::clone(old);
        Ok((Some(Kept { old, places }), side.reroute(route, Some(new))))
    }

    fn leave_out(&mut self, kept: &Kept, batch: &mut Batch, cell: Cell) -> Result<Cell> {
        take_cells(batch, &kept.old, cell, "field replacement", &mut self.cells)?;
        fill_defaults(batch, kept.old.fields(), &mut self.cells);
        // The kept places ascend, so each cell moves to the left or stays.
        for (to, from) in kept.places.iter().enumerate() {
            self.cells.swap(to, *from);
        }
        self.cells.truncate(kept.places.len());
        Ok(batch.push_nest(&self.cells))
    }
}
