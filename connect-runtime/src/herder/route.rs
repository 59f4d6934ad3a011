//! How a request finds the worker that does it.

use std::{collections::BTreeMap, time::Duration};

use connect_core::{Error, Result};
use connect_log::Standing;
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use super::{
    Herder, REQUEST_TIMEOUT,
    command::{Answer, Command, Order},
};
use crate::{
    cluster::{Request, Whom},
    error::{MOVED, STOPPING, TIMEOUT},
    seats::Unit,
};

/// Before a request is sent again, since the leader has changed.
const PAUSE: Duration = Duration::from_millis(20);
/// How long an answer waits until this worker knows what it says.
const FOLLOW: Duration = Duration::from_secs(2);

/// Levels by logger.
pub type Levels = BTreeMap<String, (String, i64)>;

impl Herder {
    /// Asks the leader, on whatever worker it is; while there is none, the request waits.
    pub(super) async fn ask(&self, order: Order) -> Result<Answer> {
        let asked = async {
            let answer = self.ask_until_led(&order).await?;
            let _known_or_late = timeout(FOLLOW, self.until_known(&order)).await;
            Ok(answer)
        };
        self.within(REQUEST_TIMEOUT, asked).await
    }

    /// Whether this worker's loop answers.
    pub(super) async fn ping(&self, limit: Duration) -> Result<()> {
        self.within(limit, self.ask_here(Order::Ping)).await?;
        match (self.shared.place.standing(), self.member.trouble()) {
            (None, Some(trouble)) => Err(Error::new(&STOPPING, trouble)),
            _ => Ok(()),
        }
    }

    /// Gives a message to the first task of a connector, on whatever worker it is.
    pub(super) async fn tell_task(&self, name: &str, message: String) -> Result<()> {
        let owner = {
            let known = self.shared.cluster.known();
            let assignment = known.assignments.get(name);
            assignment.and_then(|a| a.seat(Unit::Task(0))?.on.clone())
        };
        let me = self
            .shared
            .place
            .standing()
            .map(|standing| standing.view.me);
        match (me, owner) {
            (Some(me), Some(owner)) if me != owner => {
                let request = Request {
                    whom: Whom::Member(owner),
                    order: Order::Signal {
                        name: name.to_owned(),
                        message,
                    },
                };
                let asked = self.shared.cluster.ask(&me, &request);
                let answered = self.within(REQUEST_TIMEOUT, asked).await?;
                answered.result().map(drop)
            }
            _ => self.shared.ways.send(name, message),
        }
    }

    /// The levels that loggers were given for all workers, with the time at which they were (milliseconds since 1970-01-01), once
    /// they differ from these.
    pub async fn levels_after(&self, known: &Levels) -> Levels {
        let mut changes = self.shared.changes.listen();
        loop {
            {
                let desired = self.shared.desired.read();
                if desired.levels != *known {
                    return desired.levels.clone();
                }
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn ask_until_led(&self, order: &Order) -> Result<Answer> {
        let mut place = self.shared.place.listen();
        loop {
            let standing = place.wait_for(Option::is_some).await;
            let standing = standing.ok().and_then(|standing| standing.clone());
            let Some(standing) = standing else {
                return Err(stopping());
            };
            let answer = if standing.view.is_leader() {
                self.ask_here(order.clone()).await
            } else {
                self.ask_elsewhere(order, &standing).await
            };
            match answer {
                Err(error) if error.code() == &MOVED => sleep(PAUSE).await,
                answer => return answer,
            }
        }
    }

    async fn ask_here(&self, order: Order) -> Result<Answer> {
        let (reply, answer) = oneshot::channel();
        let command = Command { order, reply };
        self.commands.send(command).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }

    /// Asks through the log. In another life of this worker the question is another one.
    async fn ask_elsewhere(&self, order: &Order, standing: &Standing) -> Result<Answer> {
        let me = &standing.view.me;
        let request = Request {
            whom: Whom::Leader,
            order: order.clone(),
        };
        let mut place = self.shared.place.listen();
        let is_other = |standing: &Option<Standing>| {
            standing
                .as_ref()
                .is_none_or(|standing| standing.view.me != *me)
        };
        tokio::select! {
            answered = self.shared.cluster.ask(me, &request) => answered?.result(),
            _ = place.wait_for(is_other) => Err(Error::new(&MOVED, "This worker has lost its place")),
        }
    }

    /// Waits until this worker knows of a change, so that who asks next is told of it.
    async fn until_known(&self, order: &Order) {
        let mut changes = self.shared.changes.listen();
        while !self.is_known(order) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn is_known(&self, order: &Order) -> bool {
        let desired = self.shared.desired.read();
        let connector = |name: &String| desired.connectors.get(name);
        match order {
            Order::Create { name, config, .. } | Order::Put { name, config, .. } => {
                connector(name).is_some_and(|connector| connector.config == *config)
            }
            Order::Delete { name } => connector(name).is_none(),
            Order::SetTarget { name, target } => {
                connector(name).is_none_or(|connector| connector.target == *target)
            }
            _ => true,
        }
    }

    async fn within<T>(
        &self,
        limit: Duration,
        asked: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match timeout(limit, asked).await {
            Ok(answer) => answer,
            Err(_) => {
                let stage = self.shared.stage.summary();
                Err(Error::new(&TIMEOUT, format!("Request timed out.{stage}")))
            }
        }
    }
}

fn stopping() -> Error {
    Error::new(&STOPPING, "The worker is being stopped")
}
