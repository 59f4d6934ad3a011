//! A connection to the group's coordinator, found anew when it moves.

use std::time::Duration;

use connect_core::Result;
use kafka_protocol::{
    messages::FindCoordinatorRequest,
    protocol::{Request, StrBytes},
};

use crate::kafka::wire::{Cluster, Connection, Dial, Verdict, verdict};

const FIND_COORDINATOR: i16 = 3;

/// The coordinator of a group. It connects with the first question.
pub(in super::super) struct Coordinator {
    group: StrBytes,
    dial: Dial,
    connection: Option<Connection>,
}

impl Coordinator {
    /// `answer` is the most that an answer may take.
    pub(in super::super) fn new(group: StrBytes, dial: &Dial, answer: Duration) -> Self {
        let mut dial = dial.clone();
        dial.answer = answer;
        Self {
            group,
            dial,
            connection: None,
        }
    }

    /// Asks once; what the code of the answer means is the caller's business. After an error, or when this is dropped, the
    /// coordinator is looked for anew.
    pub(super) async fn ask<R: Request>(
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
    pub(super) fn forget(&mut self) {
        self.connection = None;
    }

    async fn find(&self, cluster: &Cluster) -> Result<Connection> {
        let request = FindCoordinatorRequest::default().with_key(self.group.clone());
        let answer = cluster.ask_any(&request, FIND_COORDINATOR).await?;
        match verdict("find the group's coordinator", answer.error_code) {
            Verdict::Done => {
                let address = format!("{}:{}", &*answer.host, answer.port);
                Connection::open(&address, &self.dial).await
            }
            Verdict::Again(error) | Verdict::OutOfOrder(error) | Verdict::Never(error) => {
                Err(error)
            }
        }
    }
}
