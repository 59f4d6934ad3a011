//! Start and stop of one worker.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use connect_core::{Result, plugin::Plugin};
use connect_log::{Log, Member, MemberSpec};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
    time::{Instant, timeout},
};

use crate::{
    change::Changes,
    cluster::Cluster,
    config_provider::Providers,
    configs::Configs,
    guards::Guarded,
    herder::{Herder, actor::Actor, leader::Leader},
    kept::Keeps,
    log_health::LogHealth,
    logs::Logs,
    metrics::Metrics,
    offsets::{Offsets, OwnTopics},
    outside::Ways,
    place::{Card, Place},
    plugins::Plugins,
    reload::Current,
    shared::Shared,
    spans::Traces,
    stage::Stage,
    statuses::Statuses,
    stop::{Stopper, stop},
    worker_config::WorkerConfig,
};

/// Requests that wait for the leader; more wait at the sender.
const COMMANDS: usize = 64;
/// How long the last statuses may take to be stored.
const LAST_STATUSES: Duration = Duration::from_secs(2);

/// Starts workers.
pub struct Runtime;

/// Where it is told what a worker does.
#[derive(Clone, Default)]
pub struct Witness {
    /// Where the program files what is logged of connectors.
    pub logs: Logs,
    /// Where spans go.
    pub traces: Traces,
}

/// A worker that runs. Dropping it stops nothing: call [`RunningWorker::stop`].
pub struct RunningWorker {
    shared: Arc<Shared>,
    member: Arc<Member>,
    actor: (Stopper, JoinHandle<()>),
    leader: (Stopper, JoinHandle<()>),
    /// What follows the internal topics, and writes statuses.
    others: JoinSet<()>,
}

impl Runtime {
    /// Joins the group and reads the internal topics, then runs what is this worker's part. Must be called within a Tokio runtime.
    pub async fn start(
        config: WorkerConfig,
        log: Arc<dyn Log>,
        plugins: Vec<Plugin>,
    ) -> Result<(Herder, RunningWorker)> {
        Self::start_with(config, log, plugins, Witness::default()).await
    }

    /// The same, with what the program wants to be told.
    pub async fn start_with(
        config: WorkerConfig,
        log: Arc<dyn Log>,
        plugins: Vec<Plugin>,
        witness: Witness,
    ) -> Result<(Herder, RunningWorker)> {
        let member = log.join(membership(&config)).await?;
        let place = Place::new(member.standing());
        let by: Arc<str> = format!("{:016x}", RandomState::new().hash_one(Instant::now())).into();
        let changes = Changes::default();
        let (configs, cluster, offsets, statuses, cluster_id) = tokio::try_join!(
            Configs::open(&log, &config, &by, &changes),
            Cluster::open(&log, &config, &by, &place, &changes),
            Offsets::open(&log, &config, &place),
            Statuses::open(&log, &config, &place),
            log.cluster_id(),
        )?;
        let shared = Arc::new(Shared {
            plugins: Plugins::new(plugins),
            providers: Providers::new(&config)?,
            cluster_id,
            log,
            log_health: LogHealth::default(),
            by,
            numbers: Arc::new(AtomicU64::new(0)),
            place,
            changes,
            cluster: Arc::new(cluster),
            desired: Arc::clone(configs.desired()),
            configs: Arc::new(configs),
            statuses: Arc::new(statuses),
            offsets: Arc::new(offsets),
            own_topics: OwnTopics::default(),
            stage: Stage::default(),
            metrics: Metrics::default(),
            ways: Ways::default(),
            guarded: Guarded::default(),
            keeps: Keeps::default(),
            logs: witness.logs,
            traces: witness.traces,
            current: Current::new(config.clone()),
            config,
        });
        Ok(run(shared, member))
    }
}

fn run(shared: Arc<Shared>, member: Member) -> (Herder, RunningWorker) {
    let member = Arc::new(member);
    let (commands, received) = mpsc::channel(COMMANDS);
    let (stop_actor, actor_stop) = stop();
    let (stop_leader, leader_stop) = stop();
    let actor = Actor::new(Arc::clone(&shared)).run(actor_stop);
    let leader = Leader::new(Arc::clone(&shared)).run(received, leader_stop);
    let worker = RunningWorker {
        shared: Arc::clone(&shared),
        member: Arc::clone(&member),
        actor: (stop_actor, tokio::spawn(actor)),
        leader: (stop_leader, tokio::spawn(leader)),
        others: followers(&shared),
    };
    let herder = Herder {
        shared,
        commands,
        member,
    };
    (herder, worker)
}

fn followers(shared: &Arc<Shared>) -> JoinSet<()> {
    let mut others = JoinSet::new();
    let (configs, cluster) = (Arc::clone(&shared.configs), Arc::clone(&shared.cluster));
    others.spawn(async move { configs.follow().await });
    others.spawn(async move { cluster.follow().await });
    let offsets = Arc::clone(&shared.offsets);
    others.spawn(async move { offsets.follow().await });
    let (reads, writes) = (Arc::clone(&shared.statuses), Arc::clone(&shared.statuses));
    others.spawn(async move { reads.follow().await });
    others.spawn(async move { writes.run().await });
    let looks = Arc::clone(shared);
    others.spawn(async move { looks.log_health.look(&*looks.log).await });
    others
}

fn membership(config: &WorkerConfig) -> MemberSpec {
    let worker = config.worker_id();
    MemberSpec {
        group: config.group_id.clone(),
        client_id: format!("{}-worker", config.group_id),
        instance: Some(worker.clone()),
        card: Card::new(worker).text(),
        session: config.session_timeout.0,
        rebalance: config.rebalance_timeout.0,
        heartbeat: config.heartbeat_interval.0,
    }
}

impl RunningWorker {
    /// Lets others take over, then stops every task: each finishes what is in hand until the deadline, then it is dropped.
    pub async fn stop(mut self, within: Duration) {
        let deadline = Instant::now() + within;
        let (stopper, actor) = self.actor;
        stopper.stop_by(deadline);
        if let Err(error) = actor.await {
            tracing::error!(%error, "the worker ended badly");
        }
        let stored = timeout(LAST_STATUSES, self.shared.statuses.flushed()).await;
        if stored.is_err() {
            tracing::warn!("the last statuses could not be stored");
        }
        let (stopper, leader) = self.leader;
        stopper.stop_by(deadline);
        if let Err(error) = leader.await {
            tracing::error!(%error, "the leader ended badly");
        }
        self.member.leave().await;
        self.shared.logs.close();
        self.others.shutdown().await;
    }
}
