//! Requests at a steady rate, as tools and boards send them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use e2e::{Outcome, configs::file_source};
use reqwest::{Client, Method};
use tokio::{sync::Mutex, task::JoinSet, time::sleep_until};

use super::{crowd, figure::Figures};
use crate::tool::Tool;

/// Requests a second.
const RATE: usize = 200;
/// What is sent before it counts.
const WARM_UP_SECONDS: u64 = 5;
/// A request that has no answer by then counts as this long.
const PATIENCE: Duration = Duration::from_secs(90);

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// About one connector.
    One(&'static str),
    /// The names of all.
    Names,
    /// All with their states, as a board asks once a second.
    All,
    /// Another configuration, another state.
    Change,
}

/// One request.
struct Taken {
    kind: Kind,
    status: u16,
    took: Duration,
}

/// Sends for some seconds.
pub(super) fn measure(tool: &Tool, count: usize, seconds: u64, figures: &mut Figures) -> Outcome {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build()?;
    let base = format!("http://{}", tool.rest().address());
    let taken = runtime.block_on(send(base, count, seconds))?;
    let kind = tool.kind();
    let mut tell = |what: &str, bar: Option<f64>, belongs: fn(Kind) -> bool| {
        let (p50, p99) = percentiles(&taken, belongs);
        figures.add(kind, format!("REST p50, {what}"), (p50, "ms"), None);
        figures.add(kind, format!("REST p99, {what}"), (p99, "ms"), bar);
    };
    tell("all requests", Some(5.0), |_| true);
    tell("one connector", None, |kind| matches!(kind, Kind::One(_)));
    tell("names of all", None, |kind| kind == Kind::Names);
    tell("all with their states", None, |kind| kind == Kind::All);
    tell("changes", None, |kind| kind == Kind::Change);
    let refused = taken.iter().filter(|one| one.status >= 400).count();
    let share = refused as f64 / taken.len() as f64 * 100.0;
    figures.add(
        kind,
        "REST requests refused (409, 500, no answer)",
        (share, "%"),
        0.0,
    );
    Ok(())
}

async fn send(base: String, count: usize, seconds: u64) -> Outcome<Vec<Taken>> {
    let client = Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let taken = Arc::new(Mutex::new(Vec::new()));
    let mut running = JoinSet::new();
    let begin = tokio::time::Instant::now();
    let warm = RATE * WARM_UP_SECONDS as usize;
    for number in 0..RATE * seconds as usize + warm {
        let due = begin + Duration::from_secs(1) * number as u32 / RATE as u32;
        // Timers are a millisecond late at most; that is not the server's.
        sleep_until(due).await;
        let (client, base, taken) = (client.clone(), base.clone(), Arc::clone(&taken));
        running.spawn(async move {
            let kind = kind(number);
            let name = crowd::name(number % count);
            let one = one(&client, &base, kind, &name, number).await?;
            if number >= warm {
                taken.lock().await.push(one);
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(std::mem::take(&mut *taken.lock().await))
}

/// Of 200: 4 changes, 1 for all states, 5 for the names, the others about one connector.
fn kind(number: usize) -> Kind {
    match number % RATE {
        13 | 63 | 113 | 163 => Kind::Change,
        100 => Kind::All,
        at if at % 40 == 7 => Kind::Names,
        at => Kind::One(["/status", "", "/config", "/tasks", "/status"][at % 5]),
    }
}

async fn one(client: &Client, base: &str, kind: Kind, name: &str, number: usize) -> Outcome<Taken> {
    let request = match kind {
        Kind::One(what) => client.get(format!("{base}/connectors/{name}{what}")),
        Kind::Names => client.get(format!("{base}/connectors")),
        Kind::All => client.get(format!("{base}/connectors?expand=status")),
        Kind::Change => change(client, base, name, number),
    };
    let started = Instant::now();
    let status = match request.send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            answer.bytes().await?;
            status
        }
        Err(error) if error.is_timeout() => 599,
        Err(error) => return Err(error.into()),
    };
    let took = started.elapsed();
    match status {
        // Kafka Connect asks for patience while it moves tasks about: an answer, if not a good one.
        200..300 | 409 | 500.. => Ok(Taken { kind, status, took }),
        status => Err(format!("{kind:?} of {name}: {status}").into()),
    }
}

/// A configuration that differs from the one before, or a pause and a resumption.
fn change(client: &Client, base: &str, name: &str, number: usize) -> reqwest::RequestBuilder {
    let to = |method, what| client.request(method, format!("{base}/connectors/{name}/{what}"));
    match number % RATE {
        13 => to(Method::PUT, "pause"),
        63 => to(Method::PUT, "resume"),
        _ => {
            let mut config = file_source("/nowhere", name);
            config["batch.size"] = (1000 + number).to_string().into();
            let request = to(Method::PUT, "config").body(config.to_string());
            request.header("Content-Type", "application/json")
        }
    }
}

/// In milliseconds.
fn percentiles(taken: &[Taken], belongs: fn(Kind) -> bool) -> (f64, f64) {
    let of_kind = taken.iter().filter(|one| belongs(one.kind));
    let mut all: Vec<f64> = of_kind.map(|one| one.took.as_secs_f64() * 1000.0).collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (all.len() as f64 * share) as usize;
        all.get(index.min(all.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    (at(0.5), at(0.99))
}
