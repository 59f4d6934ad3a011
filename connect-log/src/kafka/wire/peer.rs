//! The coordinator of a group or of a producer's transactions.

use std::time::Duration;

use connect_core::{Error, Result};
use kafka_protocol::{
    ResponseError,
    messages::FindCoordinatorRequest,
    protocol::{Request, StrBytes},
};
use tokio::time::Instant;

use super::{
    cluster::{Cluster, address},
    codes::{Verdict, verdict},
    connection::{Connection, unavailable},
};

/// The most that one step may take, over all its repetitions.
const LIMIT: Duration = Duration::from_secs(60);
/// While the markers of the last transaction are being written, the next one waits. It takes a few milliseconds.
const SHORT_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
const FIND_COORDINATOR: i16 = 3;

/// What a coordinator is of. Source: KIP-98.
#[derive(Debug, Clone, Copy)]
pub(in crate::kafka) enum Kind {
    Group = 0,
    Transactions = 1,
}

/// The coordinator of something, found anew when it moves.
pub(in crate::kafka) struct Peer {
    kind: Kind,
    key: StrBytes,
    /// The most that an answer may take, if not what all may.
    answer: Option<Duration>,
    connection: Option<Connection>,
}

/// How often and how long something has been tried.
pub(in crate::kafka) struct Retry {
    started: Instant,
    pause: Duration,
}

impl Retry {
    pub(in crate::kafka) fn new() -> Self {
        Self {
            started: Instant::now(),
            pause: SHORT_PAUSE,
        }
    }

    /// Waits a while before the next try, or gives up with the reason of the last one.
    pub(in crate::kafka) async fn pause(&mut self, cluster: &Cluster, why: Error) -> Result<()> {
        if self.started.elapsed() + self.pause > LIMIT {
            return Err(cluster.health.explain(why));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// What is done, and in which version at most.
#[derive(Clone, Copy)]
pub(in crate::kafka) struct Asked {
    pub(in crate::kafka) doing: &'static str,
    pub(in crate::kafka) newest: i16,
}

impl Peer {
    /// Connects with the first question.
    pub(in crate::kafka) fn new(kind: Kind, key: StrBytes) -> Self {
        Self {
            kind,
            key,
            answer: None,
            connection: None,
        }
    }

    /// Answers may take so long: members wait for each other.
    pub(in crate::kafka) fn within(mut self, answer: Duration) -> Self {
        self.answer = Some(answer);
        self
    }

    pub(in crate::kafka) fn is_of(&mut self, key: &StrBytes) {
        if self.key != *key {
            self.key = key.clone();
            self.connection = None;
        }
    }

    /// Asks until there is a lasting answer. All these requests may be repeated.
    pub(in crate::kafka) async fn ask<R: Request>(
        &mut self,
        cluster: &Cluster,
        request: &R,
        asked: Asked,
        code: impl Fn(&R::Response) -> i16,
    ) -> Result<R::Response> {
        let mut retry = Retry::new();
        loop {
            let error = match self.try_once(cluster, request, asked.newest).await {
                Ok(answer) => match verdict(asked.doing, code(&answer)) {
                    Verdict::Done => return Ok(answer),
                    Verdict::Again(error) => {
                        if !is_busy(code(&answer)) {
                            self.connection = None;
                        }
                        error
                    }
                    Verdict::OutOfOrder(error) | Verdict::Never(error) => return Err(error),
                },
                Err(error) if error.code() == &crate::UNAUTHORIZED => return Err(error),
                Err(error) => {
                    self.connection = None;
                    error
                }
            };
            retry.pause(cluster, error).await?;
        }
    }

    async fn try_once<R: Request>(
        &mut self,
        cluster: &Cluster,
        request: &R,
        newest: i16,
    ) -> Result<R::Response> {
        if self.connection.is_none() {
            self.connection = Some(self.find(cluster).await?);
        }
        match &mut self.connection {
            Some(connection) => connection.ask(request, newest).await,
            None => Err(unavailable("the coordinator is not known")),
        }
    }

    /// Asks once; what the code of the answer means is the caller's business. After an error, or when this is dropped, the coordinator
    /// is looked for anew.
    pub(in crate::kafka) async fn ask_once<R: Request>(
        &mut self,
        cluster: &Cluster,
        request: &R,
        newest: i16,
    ) -> Result<R::Response> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.find(cluster).await?,
        };
        let answer = connection.ask(request, newest).await?;
        self.connection = Some(connection);
        cluster.health.well();
        Ok(answer)
    }

    /// The coordinator has moved.
    pub(in crate::kafka) fn forget(&mut self) {
        self.connection = None;
    }

    async fn find(&self, cluster: &Cluster) -> Result<Connection> {
        let request = FindCoordinatorRequest::default()
            .with_key(self.key.clone())
            .with_key_type(self.kind as i8);
        let answer = cluster.ask_any(&request, FIND_COORDINATOR).await?;
        match verdict("find a coordinator", answer.error_code) {
            Verdict::Done => {
                let address = address(&answer.host, answer.port);
                let connection = cluster.open(&address).await?;
                Ok(match self.answer {
                    Some(limit) => connection.within(limit),
                    None => connection,
                })
            }
            Verdict::Again(error) | Verdict::OutOfOrder(error) | Verdict::Never(error) => {
                Err(error)
            }
        }
    }
}

/// Whether it is the right coordinator, which has not done yet what it was told before.
fn is_busy(code: i16) -> bool {
    code == ResponseError::ConcurrentTransactions.code()
        || code == ResponseError::UnstableOffsetCommit.code()
}
