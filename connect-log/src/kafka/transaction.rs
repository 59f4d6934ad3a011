//! Transactions of one producer, on a thread of their own: librdkafka's calls for them wait for the cluster.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use connect_core::{Error, Result, error::INTERNAL};
use rdkafka::{
    TopicPartitionList,
    error::{KafkaError, KafkaResult},
    producer::{BaseProducer, Producer},
    types::RDKafkaErrorCode as Kafka,
};
use tokio::sync::oneshot;

use super::{
    admin,
    client::Health,
    delivery::Deliveries,
    error::{failed, failed_with},
    ledger::Ledger,
    native,
};
use crate::GroupCommit;

/// The most that beginning, committing or aborting may take; the call is not repeated after it.
const LIMIT: Duration = Duration::from_secs(60);

/// The transactional side of an appender.
pub(super) struct Transactions {
    calls: mpsc::SyncSender<Call>,
    health: Health,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Open,
    /// A commit or abort was begun and its end not seen.
    Unknown,
}

struct Call {
    what: What,
    answer: oneshot::Sender<KafkaResult<()>>,
}

enum What {
    Init,
    Begin,
    Commit(Option<(String, TopicPartitionList)>),
    Abort,
}

impl Transactions {
    /// Fences older producers of the same id.
    pub(super) async fn start(
        producer: Arc<BaseProducer<Deliveries>>,
        health: Health,
    ) -> Result<Self> {
        let (calls, inbox) = mpsc::sync_channel::<Call>(1);
        let run = move || {
            for call in inbox {
                let done = carry_out(&producer, call.what);
                // The caller has been dropped: the next call finds the state.
                let _ = call.answer.send(done);
            }
        };
        let thread = std::thread::Builder::new().name("kafka-transaction".to_owned());
        let started = thread.spawn(run);
        started.map_err(|err| Error::new(&INTERNAL, "could not start a thread").caused_by(err))?;
        let this = Self {
            calls,
            health,
            state: State::Idle,
        };
        this.call(What::Init)
            .await
            .map_err(|err| this.failed("start transactions", err))?;
        Ok(this)
    }

    /// Begins a transaction unless one is open.
    pub(super) async fn begin(&mut self) -> Result<()> {
        if self.state == State::Open {
            return Ok(());
        }
        self.call(What::Begin)
            .await
            .map_err(|err| self.failed("begin a transaction", err))?;
        self.state = State::Open;
        Ok(())
    }

    /// Commits what was sent, with the group's offsets. Nothing sent and no offsets: nothing happens.
    pub(super) async fn commit(
        &mut self,
        offsets: Option<&GroupCommit>,
        ledger: &Ledger,
    ) -> Result<()> {
        if offsets.is_some_and(|commit| !commit.offsets.is_empty()) {
            self.begin().await?;
        }
        if self.state == State::Idle {
            return Ok(());
        }
        if let Some(failure) = ledger.failure() {
            return Err(failure);
        }
        let offsets = offsets.map(group_list).transpose()?;
        self.state = State::Unknown;
        let done = self.call(What::Commit(offsets)).await;
        done.map_err(|err| self.failed("commit a transaction", err))?;
        self.state = State::Idle;
        Ok(())
    }

    /// Drops what was sent since the last commit.
    pub(super) async fn abort(&mut self) -> Result<()> {
        if self.state == State::Idle {
            return Ok(());
        }
        self.state = State::Unknown;
        let done = self.call(What::Abort).await;
        done.map_err(|err| self.failed("abort a transaction", err))?;
        self.state = State::Idle;
        Ok(())
    }

    async fn call(&self, what: What) -> KafkaResult<()> {
        let (answer, done) = oneshot::channel();
        // Never waits: there is one caller, and it has waited for its last answer unless it was dropped.
        let sent = self.calls.try_send(Call { what, answer });
        sent.map_err(|_| KafkaError::Global(Kafka::InProgress))?;
        done.await.map_err(|_| KafkaError::Canceled)?
    }

    fn failed(&self, doing: &'static str, cause: KafkaError) -> Error {
        self.health.explain(failed(doing, cause))
    }
}

fn group_list(commit: &GroupCommit) -> Result<(String, TopicPartitionList)> {
    let offsets = commit.offsets.iter();
    let list = admin::list(offsets.map(|(of, offset)| (of, Some(*offset))));
    let list = list.map_err(|code| failed_with("list offsets", code))?;
    Ok((commit.group.clone(), list))
}

fn carry_out(producer: &BaseProducer<Deliveries>, what: What) -> KafkaResult<()> {
    match what {
        What::Init => producer.init_transactions(LIMIT),
        What::Begin => producer.begin_transaction(),
        What::Commit(offsets) => {
            if let Some((group, list)) = offsets {
                native::send_group_offsets(producer, &group, &list, LIMIT)?;
            }
            producer.commit_transaction(LIMIT)
        }
        What::Abort => producer.abort_transaction(LIMIT),
    }
}
