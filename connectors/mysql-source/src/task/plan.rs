//! Which tables a snapshot reads, in which order, and how.

use std::sync::Arc;

use cdc::{
    signal::{Execute, expand},
    snapshot::{Progress, Report},
};
use connect_core::Result;
use tokio::time::sleep;

use super::{MySqlTask, Phase, SILENCE_LIMIT};
use crate::{
    captured::is_builtin,
    catalog::{self, TableInfo},
    config::Locking,
    incremental::notifier,
    position::Place,
    snapshot::{Moment, Scope, Snapshot, Structure, Taking, Telling, end_of_binlog},
    tables::Table,
    versions::{Version, Versions},
};

impl MySqlTask {
    /// Begins a snapshot: of the structure of tables, and with `data` of their rows.
    pub(super) async fn snapshot_phase(&mut self, data: bool) -> Result<Phase> {
        sleep(self.config.snapshot_delay.0).await;
        let mut moment = self.take_moment(None, data).await?;
        let place = moment.place.clone();
        let captured = &self.captured;
        let topic = self.schema_topic();
        // The topic of schema changes tells of all tables of a captured database.
        let only_captured = topic.is_none() || self.config.tells_captured_only();
        let passes = |database: &str, table: &str| match only_captured {
            true => captured.table(database, table),
            false => captured.schema(database) && !is_builtin(database, table),
        };
        let connection = &mut moment.connection;
        let mut tables = catalog::tables(connection, passes).await?;
        let until = end_of_binlog(connection).await?.mark();
        let structure = match topic {
            Some(topic) => {
                let told = Telling {
                    topic,
                    is_all: !data,
                    by_hash: self.config.snapshot_locking == Locking::None,
                };
                Some(Structure::read(told, &mut tables, connection).await?)
            }
            None => None,
        };
        let mut versions = Versions::default();
        for info in &tables {
            let name = (info.database.clone(), info.name.clone());
            let (since, until) = (place.mark(), until.clone());
            let info = info.clone();
            versions.put(name, Version { info, since, until });
        }
        let plan = match data {
            true => self.plan(tables, None),
            false => Vec::new(),
        };
        let scope = self.scope(plan, structure, versions);
        self.begin(moment, scope, place).await
    }

    /// Reads what an interrupted snapshot, or one that a signal asks for, has left: as of a moment to which the stream has come.
    pub(super) async fn read_phase(
        &mut self,
        mut moment: Moment,
        place: Place,
        versions: Versions,
    ) -> Result<Phase> {
        let captured = &self.captured;
        let passes = |database: &str, table: &str| captured.table(database, table);
        let tables = catalog::tables(&mut moment.connection, passes).await?;
        let asked = place
            .snapshot
            .as_ref()
            .and_then(|progress| Execute::of_data(progress.only.as_deref()?));
        let plan = self.plan(tables, asked.as_ref());
        let scope = self.scope(plan, None, versions);
        self.begin(moment, scope, place).await
    }

    /// Reads what an interrupted snapshot has left, as of now: nothing is streamed.
    pub(super) async fn rest_phase(&mut self, place: Place, versions: Versions) -> Result<Phase> {
        let moment = self.take_moment(place.snapshot.as_ref(), true).await?;
        let place = Place {
            snapshot: place.snapshot,
            ..moment.place.clone()
        };
        self.read_phase(moment, place, versions).await
    }

    /// Takes a moment with as many connections as are needed for the rest of a snapshot.
    pub(super) async fn take_moment(
        &self,
        progress: Option<&Progress>,
        data: bool,
    ) -> Result<Moment> {
        let division = self.config.division();
        let is_divided = division.is_wanted() || progress.is_some_and(Progress::is_divided);
        let taking = Taking {
            side: self.side(),
            locking: self.config.snapshot_locking,
            lock_timeout: self.config.snapshot_lock_timeout.0,
            threads: match data && is_divided {
                true => division.threads.into(),
                false => 0,
            },
            context: self.context.clone(),
            silence_limit: SILENCE_LIMIT,
            meter: self.meter(),
        };
        Box::pin(Moment::take(taking)).await
    }

    fn scope(
        &self,
        tables: Vec<(TableInfo, Arc<Table>)>,
        structure: Option<Structure>,
        versions: Versions,
    ) -> Scope {
        Scope {
            tables,
            order: self.config.snapshot_order,
            structure,
            versions,
            division: self.config.division(),
            report: Report::new(notifier(&self.config), &self.meter()),
        }
    }

    async fn begin(&self, moment: Moment, scope: Scope, place: Place) -> Result<Phase> {
        let names = (
            Arc::clone(&self.partition),
            self.config.topic_prefix.clone(),
        );
        let snapshot = Snapshot::new(moment, scope, place, names).await?;
        Ok(Phase::Snapshot(Box::new(snapshot)))
    }

    /// The tables of a snapshot: all that take part, or those that a signal names.
    fn plan(
        &self,
        mut tables: Vec<TableInfo>,
        asked: Option<&Execute>,
    ) -> Vec<(TableInfo, Arc<Table>)> {
        let (captured, compiler) = (&self.captured, self.compiler());
        match asked {
            None => tables.retain(|info| {
                let (database, table) = (&info.database, &info.name);
                captured.table(database, table) && captured.in_snapshot(database, table)
            }),
            Some(asked) => self.pick(&mut tables, asked),
        }
        // As in the list, and by name where one entry of it matches several.
        tables.sort_by_key(|info| captured.rank(&info.database, &info.name));
        let planned = tables.into_iter().map(|info| {
            let table = compiler.compile(&info).into();
            let select = match asked {
                None => captured.select(&info.database, &info.name).cloned(),
                Some(asked) => asked.statement(&info.full_name()),
            };
            (TableInfo { select, ..info }, table)
        });
        planned.collect()
    }

    /// The tables that a signal names.
    fn pick(&self, tables: &mut Vec<TableInfo>, asked: &Execute) {
        let captured = &self.captured;
        tables.retain(|info| !captured.is_signals(&info.database, &info.name));
        let names: Vec<String> = tables.iter().map(TableInfo::full_name).collect();
        let wanted = expand(&asked.collections, names.iter().map(String::as_str));
        for name in wanted.iter().filter(|name| !names.contains(name)) {
            tracing::warn!(table = %name, "nobody captures a table of this name");
        }
        tables.retain(|info| wanted.contains(&info.full_name()));
    }
}
