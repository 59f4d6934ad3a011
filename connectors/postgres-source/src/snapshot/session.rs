//! A connection within a snapshot, which reads parts of tables.

use std::{sync::Arc, time::Duration};

use cdc::{
    context::Context,
    snapshot::{Connect, Marks, Part, Reader, Step},
};
use connect_core::{Batch, Error, Result};

use super::{
    Planned, begin,
    prepare::Moment,
    reader::{Budget, Emit, Rows},
};
use crate::{
    PostgresConfig,
    change::ChangeWriter,
    error::ServerError,
    options::Isolation,
    task::{snapshot_connection, target},
    wire::{Connection, Vigil},
};

/// The server has no connection left.
const TOO_MANY: &str = "53300";

/// A connection, and what it is reading.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    vigil: Vigil,
    writer: ChangeWriter,
    lsn: u64,
    reading: Option<(Arc<Planned>, Rows)>,
    budget: Budget,
}

impl Session {
    /// Of a connection whose transaction has the snapshot.
    pub(super) fn new(
        connection: Connection,
        vigil: Vigil,
        moment: Moment,
        context: Option<Context>,
    ) -> Self {
        Self {
            connection,
            vigil,
            writer: moment.writer().with_context(context),
            lsn: moment.lsn,
            reading: None,
            budget: Budget::default(),
        }
    }
}

impl Reader for Session {
    type Table = Planned;

    fn begin(&mut self, out: &mut Batch) -> i64 {
        self.budget = Budget::default();
        self.writer.begin_batch(out)
    }

    async fn start(&mut self, table: &Arc<Planned>, part: &Part) -> Result<()> {
        let starting = Rows::start(&mut self.connection, table, &part.range);
        let rows = self.vigil.over(starting).await?;
        self.reading = Some((Arc::clone(table), rows));
        Ok(())
    }

    async fn step(&mut self, marks: Marks, out: &mut Batch) -> Result<Step> {
        let Some((planned, rows)) = &mut self.reading else {
            return Ok(Step::End);
        };
        let mut emit = Emit {
            planned,
            writer: &mut self.writer,
            lsn: self.lsn,
            marks,
        };
        let frames = self.connection.frames();
        let step = rows.step(frames, &mut emit, &mut self.budget, out).await?;
        self.vigil.heard(step != Step::Waiting).await?;
        Ok(step)
    }

    fn has_all(&self) -> bool {
        self.reading
            .as_ref()
            .is_some_and(|(_, rows)| rows.has_all())
    }

    fn last_key(&self) -> Option<Vec<String>> {
        self.reading.as_ref()?.1.last_key()
    }

    async fn close(self) {
        self.connection.close().await;
    }
}

/// What the threads need.
#[derive(Debug)]
pub(crate) struct Workers {
    /// How to reach the server.
    pub config: Arc<PostgresConfig>,
    /// What records say of the task, if they do.
    pub context: Option<Context>,
    /// After this much silence the server is asked whether it is there.
    pub silence_limit: Duration,
}

/// How the threads come to their connections within an exported snapshot.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) workers: Workers,
    pub(super) moment: Moment,
    /// The name under which the snapshot was exported.
    pub(super) exported: String,
}

impl Connect for Sessions {
    type Reader = Session;

    async fn connect(&self, _number: usize) -> Result<Session> {
        let config = &self.workers.config;
        let mut connection = snapshot_connection(config).await?;
        let exported = Some(self.exported.as_str());
        begin(&mut connection, Isolation::RepeatableRead, exported).await?;
        let vigil = Vigil::new(target(config), self.workers.silence_limit);
        let vigil = vigil.over_process(&mut connection).await?;
        let context = self.workers.context.clone();
        Ok(Session::new(connection, vigil, self.moment, context))
    }

    fn is_refused(&self, error: &Error) -> bool {
        let cause = std::error::Error::source(error);
        let server = cause.and_then(|cause| cause.downcast_ref::<ServerError>());
        server.is_some_and(|server| server.state == TOO_MANY)
    }
}
