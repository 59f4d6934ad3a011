//! Several workers of one group, each on a host of its own, with a broker and a database that all of them reach.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use serde_json::Value;
use stack::{Host, Kafka, KafkaOptions, Network, Postgres, Proxy, Stack, wait_until};

use crate::{LogKind, Outcome, Rest, Worker, WorkerOptions};

/// How long the group may take to come to rest.
const LIMIT: Duration = Duration::from_secs(120);

/// The workers, and what they need.
pub struct Fleet {
    /// The workers.
    pub members: Vec<Fellow>,
    /// The broker.
    pub kafka: Kafka,
    address: Ipv4Addr,
    options: WorkerOptions,
    network: Network,
}

/// One worker on its host.
pub struct Fellow {
    /// The worker.
    pub worker: Worker,
    /// Its host.
    pub host: Host,
}

impl Fleet {
    /// Starts so many workers.
    pub fn start(
        stack: &Stack,
        count: usize,
        adapt: impl Fn(WorkerOptions) -> WorkerOptions,
    ) -> Outcome<Self> {
        let network = Network::new()?;
        let address = network.address();
        let kafka = stack.kafka_with(KafkaOptions::default().outside(address))?;
        let bootstrap = kafka.outside().unwrap_or_default().to_owned();
        let options = WorkerOptions::on(LogKind::Kafka(bootstrap))
            .set("group.id", "fleet")
            .set("config.storage.replication.factor", "1");
        let mut fleet = Self {
            members: Vec::new(),
            kafka,
            address,
            options: adapt(options),
            network,
        };
        for _ in 0..count {
            fleet.add(stack)?;
        }
        Ok(fleet)
    }

    /// Starts a worker more.
    pub fn add(&mut self, stack: &Stack) -> Outcome {
        self.add_as(stack, |options| options)
    }

    /// The same, with options of its own.
    pub fn add_as(
        &mut self,
        stack: &Stack,
        adapt: impl Fn(WorkerOptions) -> WorkerOptions,
    ) -> Outcome {
        let host = self.network.host()?;
        let worker = Worker::start_on(stack, adapt(self.options.clone()), &host)?;
        self.members.push(Fellow { worker, host });
        Ok(())
    }

    /// This machine's address, as the hosts see it.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A way for the hosts to a database on this machine.
    pub fn way_to(&self, postgres: &Postgres) -> Outcome<Proxy> {
        let target = format!("127.0.0.1:{}", postgres.port());
        Ok(Proxy::at(self.address, &target)?)
    }

    /// The API of a worker.
    pub fn rest(&self, at: usize) -> &Rest {
        self.members[at].worker.rest()
    }

    /// The worker with this name: `10.1.2.3:8083`.
    pub fn named(&self, name: &str) -> Option<usize> {
        let is_it = |fellow: &Fellow| fellow.worker.rest().address() == name;
        self.members.iter().position(is_it)
    }

    /// Which worker runs a connector's first task, as another one tells.
    pub fn owner(&self, asked: usize, connector: &str) -> Outcome<usize> {
        let status = self
            .rest(asked)
            .get(&format!("/connectors/{connector}/status"))?;
        let name = status["tasks"][0]["worker_id"].as_str().unwrap_or_default();
        self.named(name)
            .ok_or_else(|| format!("no worker is called {name}: {status}").into())
    }

    /// Waits until every connector runs, and gives how many tasks each worker has, as one of them tells.
    pub fn wait_for_rest(&self, asked: usize, alive: &[usize]) -> Outcome<BTreeMap<usize, usize>> {
        let mut last = String::new();
        let mut found = BTreeMap::new();
        let waited = wait_until("every task to run", LIMIT, || {
            let Ok(all) = self.rest(asked).get("/connectors?expand=status") else {
                return Ok(false);
            };
            match self.placed(&all, alive) {
                Ok(placed) => {
                    found = placed;
                    Ok(true)
                }
                Err(why) => {
                    last = why;
                    Ok(false)
                }
            }
        });
        waited.map_err(|error| format!("{error}: {last}"))?;
        Ok(found)
    }

    fn placed(&self, all: &Value, alive: &[usize]) -> Result<BTreeMap<usize, usize>, String> {
        let mut placed: BTreeMap<usize, usize> = alive.iter().map(|at| (*at, 0)).collect();
        for (name, connector) in all.as_object().into_iter().flatten() {
            let status = &connector["status"];
            let tasks = status["tasks"].as_array().cloned().unwrap_or_default();
            if tasks.is_empty() {
                return Err(format!("{name} has no tasks: {status}"));
            }
            for one in std::iter::once(&status["connector"]).chain(&tasks) {
                let worker = one["worker_id"].as_str().unwrap_or_default();
                let at = self.named(worker).filter(|at| alive.contains(at));
                let (Some(at), "RUNNING") = (at, one["state"].as_str().unwrap_or_default()) else {
                    return Err(format!("{name}: {one}"));
                };
                if one.get("id").is_some() {
                    *placed.entry(at).or_default() += 1;
                }
            }
        }
        Ok(placed)
    }
}
