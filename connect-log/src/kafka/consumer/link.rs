//! A task per broker: one connection, one request at a time; the next is on its way while the reader takes what came.

use std::sync::Arc;

use connect_core::Result;
use kafka_protocol::{messages::FetchRequest, protocol::Request};
use tokio::time::{sleep, sleep_until};

use super::{
    ask::{Broker, Job, WITHOUT_IDS},
    plan::{Plan, Shared},
};
use crate::{UNAUTHORIZED, kafka::wire::Connection};

const FETCH: i16 = 17;
const LIST_OFFSETS: i16 = 7;

/// A connection to a broker.
struct Line {
    connection: Connection,
    address: String,
    /// Whether it has ever served. Brokers close connections that are idle.
    is_proven: bool,
}

/// Fetches from a broker what the plan wants, for as long as this is polled.
pub(super) async fn serve(shared: Arc<Shared>, broker: i32) {
    let mut changed = shared.watch_wanted();
    let mut line: Option<Line> = None;
    loop {
        changed.mark_unchanged();
        let job = of(&shared, broker).job(&shared.plan());
        if let Job::Wait(until) = job {
            tokio::select! {
                // 1. Something else is wanted. It fails only when the reader is gone, and this with it.
                _ = changed.changed() => {}
                // 2. What had to rest can be asked for again.
                () = rest(until) => {}
            }
            continue;
        }
        let was_proven = line.as_ref().is_some_and(|line| line.is_proven);
        if let Err(error) = work(&shared, broker, &mut line, &job).await {
            line = None;
            tracing::debug!(broker, error = %error.report(), "a broker did not answer a reader");
            if error.code() == &UNAUTHORIZED {
                shared.cluster.health.ill_because(&error);
            }
            // An idle connection that was closed is no trouble.
            if !was_proven {
                shared.change(|plan| plan.places.is_stale = true);
                sleep(shared.settings.backoff).await;
            }
        }
    }
}

async fn rest(until: Option<tokio::time::Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn of(shared: &Shared, id: i32) -> Broker<'_> {
    Broker {
        id,
        settings: &shared.settings,
    }
}

async fn work(shared: &Shared, broker: i32, line: &mut Option<Line>, job: &Job) -> Result<()> {
    let address = shared.plan().places.address(broker).map(str::to_owned);
    let Some(address) = address else {
        shared.change(|plan| plan.places.is_stale = true);
        sleep(shared.settings.backoff).await;
        return Ok(());
    };
    let line = match line {
        Some(found) if found.address == address => found,
        _ => line.insert(Line {
            connection: shared.cluster.open(&address).await?,
            address,
            is_proven: false,
        }),
    };
    let is_news = match job {
        Job::List => list(shared, broker, &mut line.connection).await?,
        _ => fetch(shared, broker, &mut line.connection).await?,
    };
    line.is_proven = true;
    shared.cluster.health.well();
    if is_news {
        shared.arrived.notify_one();
    }
    Ok(())
}

async fn list(shared: &Shared, broker: i32, connection: &mut Connection) -> Result<bool> {
    let (request, asked) = of(shared, broker).list(&shared.plan());
    let answer = connection.ask(&request, LIST_OFFSETS).await?;
    Ok(change(shared, |plan| {
        of(shared, broker).listed(plan, asked, answer)
    }))
}

async fn fetch(shared: &Shared, broker: i32, connection: &mut Connection) -> Result<bool> {
    let newest = connection.version(FetchRequest::KEY, FETCH)?;
    let (request, asked, version) = {
        let plan = shared.plan();
        let with_ids = |plan: &Plan| {
            let mut topics = plan.parts.keys();
            topics.all(|of| !plan.places.id(&of.topic).is_nil())
        };
        let version = if with_ids(&plan) {
            newest
        } else {
            newest.min(WITHOUT_IDS)
        };
        let (request, asked) = of(shared, broker).fetch(&plan, version);
        (request, asked, version)
    };
    if asked.is_empty() {
        return Ok(false);
    }
    let answer = connection.ask(&request, version).await?;
    Ok(change(shared, |plan| {
        of(shared, broker).fetched(plan, asked, answer)
    }))
}

/// The plan with an answer; the keeper hears when it has to look after something.
fn change(shared: &Shared, take: impl FnOnce(&mut Plan) -> bool) -> bool {
    let (is_news, matters) = {
        let mut plan = shared.plan();
        let is_news = take(&mut plan);
        (
            is_news,
            std::mem::take(&mut plan.has_moved) | plan.places.is_stale,
        )
    };
    if matters {
        shared.change(|_| {});
    }
    is_news
}
