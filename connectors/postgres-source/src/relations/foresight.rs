//! Tables that are looked up before the stream announces them: a backlog of many tables announces them one by one, and
//! each look into the catalog takes several round trips.

use std::sync::Arc;

use connect_core::Result;
use rustc_hash::FxHashMap;

use crate::{
    captured::Captured,
    catalog::{self, TableInfo, Which},
    seen::Seen,
    types::{Customs, oid::FIRST_CUSTOM},
    wire::Connection,
};

/// After so many relations in a row that are older than the last look, all tables are looked up at once.
const PATIENCE: u32 = 3;

/// What was looked up, and when.
///
/// What the catalog said at some moment holds for a relation of every transaction that was visible then: whoever changed
/// the table before that transaction held a lock until his change was visible too.
#[derive(Debug, Default)]
pub(super) struct Foresight {
    /// What was visible before the last look; `None` where the server does not tell.
    seen: Option<Seen>,
    /// How many relations in a row were older than the last look.
    behind: u32,
    /// All captured tables, if they were looked up.
    all: Option<Arc<All>>,
}

#[derive(Debug)]
struct All {
    tables: FxHashMap<u32, TableInfo>,
    customs: Arc<Customs>,
}

/// What the catalog says of a table.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// The table, if it is still there.
    pub table: Option<TableInfo>,
    all: Option<Arc<All>>,
}

impl Looked {
    /// The custom types of a table as its message has it.
    pub(super) async fn customs(
        &self,
        side: &mut Connection,
        info: &TableInfo,
    ) -> Result<Arc<Customs>> {
        let oids: Vec<u32> = info.columns.iter().map(|column| column.type_oid).collect();
        let is_known = |all: &All, oid: u32| oid < FIRST_CUSTOM || all.customs.contains_key(&oid);
        match &self.all {
            Some(all) if oids.iter().all(|oid| is_known(all, *oid)) => Ok(Arc::clone(&all.customs)),
            _ => Ok(Arc::new(catalog::customs(side, &oids).await?)),
        }
    }
}

impl Foresight {
    /// What the catalog says of a relation that comes in a transaction.
    pub(super) async fn look(
        &mut self,
        id: u32,
        xid: Option<u32>,
        captured: &Captured,
        side: &mut Connection,
    ) -> Result<Looked> {
        self.count(xid);
        if self.behind >= PATIENCE && self.all.is_none() {
            self.see(side, xid).await?;
            self.all = Some(Arc::new(All::read(captured, side).await?));
        }
        if let Some(all) = &self.all
            && let Some(table) = all.tables.get(&id)
        {
            return Ok(Looked {
                table: Some(table.clone()),
                all: Some(Arc::clone(all)),
            });
        }
        if self.all.is_none() {
            self.see(side, xid).await?;
        }
        let table = catalog::tables(side, Which::Oid(id)).await?.pop();
        Ok(Looked { table, all: None })
    }

    /// Whether the transaction was visible when the catalog was asked last.
    fn count(&mut self, xid: Option<u32>) {
        let saw = |seen: &Seen| xid.is_some_and(|xid| seen.sees(xid));
        if self.seen.as_ref().is_some_and(saw) {
            self.behind += 1;
        } else {
            (self.behind, self.all) = (0, None);
        }
    }

    /// Waits until the transaction is visible, which it is a moment after it was sent.
    async fn see(&mut self, side: &mut Connection, xid: Option<u32>) -> Result<()> {
        if let Some(xid) = xid {
            self.seen = Box::pin(catalog::wait_to_see(side, xid)).await?;
        }
        Ok(())
    }
}

impl All {
    async fn read(captured: &Captured, side: &mut Connection) -> Result<Self> {
        let tables = catalog::tables(side, Which::All(captured)).await?;
        let columns = tables.iter().flat_map(|table| &table.columns);
        let mut oids: Vec<u32> = columns.map(|column| column.type_oid).collect();
        oids.sort_unstable();
        oids.dedup();
        tracing::debug!(tables = tables.len(), "all tables looked up");
        Ok(Self {
            customs: Arc::new(catalog::customs(side, &oids).await?),
            tables: tables.into_iter().map(|table| (table.oid, table)).collect(),
        })
    }
}
