//! A connection within a snapshot, which reads parts of tables.

use std::sync::{Arc, OnceLock};

use cdc::{
    context::Context,
    snapshot::{Marks, Part, Reader, Step},
};
use connect_core::{Batch, Result};

use super::{
    Planned,
    rows::{Budget, Emit, Rows},
};
use crate::{
    catalog::quoted,
    change::ChangeWriter,
    position::Mark,
    wire::{Connection, Vigil},
};

/// A connection, and what it is reading.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    vigil: Vigil,
    writer: ChangeWriter,
    /// As of when, as its rows show it; known before the first one is read.
    moment: Arc<OnceLock<Mark>>,
    reading: Option<Rows>,
    budget: Budget,
}

impl Session {
    /// Of a connection whose transaction is open, or will be when the moment is known.
    pub(super) fn new(
        connection: Connection,
        vigil: Vigil,
        moment: Arc<OnceLock<Mark>>,
        context: Option<Context>,
    ) -> Self {
        Self {
            connection,
            vigil,
            writer: ChangeWriter::new(false).with_context(context),
            moment,
            reading: None,
            budget: Budget::default(),
        }
    }
}

impl Reader for Session {
    type Table = Planned;

    fn begin(&mut self, out: &mut Batch) -> i64 {
        self.budget = Budget::default();
        begin_batch(&mut self.writer, self.moment.get(), out)
    }

    async fn start(&mut self, table: &Arc<Planned>, part: &Part) -> Result<()> {
        let Self {
            connection, vigil, ..
        } = self;
        let starting = async {
            use_database(connection, table).await?;
            Rows::start(connection, table, &part.range).await
        };
        self.reading = Some(vigil.over(starting).await?);
        Ok(())
    }

    async fn step(&mut self, marks: Marks, out: &mut Batch) -> Result<Step> {
        let Some(rows) = &mut self.reading else {
            return Ok(Step::End);
        };
        let mut emit = Emit {
            writer: &mut self.writer,
            marks,
            budget: &mut self.budget,
            out,
        };
        let packets = self.connection.packets();
        let step = rows.step(packets, &mut emit, &mut self.vigil).await?;
        self.vigil.heard(step != Step::Waiting).await?;
        Ok(step)
    }

    fn has_all(&self) -> bool {
        self.reading.as_ref().is_some_and(Rows::has_all)
    }

    fn last_key(&self) -> Option<Vec<String>> {
        self.reading.as_ref()?.last_key()
    }

    async fn close(self) {
        self.connection.close().await;
    }
}

/// Begins a batch of rows as of a place in the binlog; gives its time in milliseconds.
pub(super) fn begin_batch(
    writer: &mut ChangeWriter,
    moment: Option<&Mark>,
    out: &mut Batch,
) -> i64 {
    if let Some(mark) = moment {
        writer.file(&mark.file, out);
    }
    let now_ms = writer.begin_batch(out);
    let pos = moment.map_or(0, |mark| mark.pos);
    writer.event(0, pos, now_ms * 1000);
    now_ms
}

/// A statement of somebody's own may name tables without their database.
pub(super) async fn use_database(connection: &mut Connection, planned: &Planned) -> Result<()> {
    match planned.info.select {
        Some(_) => {
            let sql = format!("USE {}", quoted(&planned.info.database));
            connection.execute(&sql).await
        }
        None => Ok(()),
    }
}
