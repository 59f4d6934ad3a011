//! A source that counts, over an upstream that forgets what it was told is safe.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use connect_core::{
    Batch, Cell, Error, Field, Finding, Position, Record, Result, Route, Schema, SourceConnector,
    SourceTask, Start, TaskPlan, Type, config::Rules, plugin::About,
};

connect_core::codes! {
    /// The upstream has forgotten rows that were never made durable.
    GAP = "test.gap", Fail, "This must never happen.";
    /// The upstream is away.
    AWAY = "test.away", Retry, "Wait.";
}

/// A server with rows 1, 2, 3, … of which it forgets those that are safe.
#[derive(Default)]
pub struct Upstream {
    state: Mutex<State>,
    pub changed: tokio::sync::Notify,
}

#[derive(Default, Clone)]
pub struct State {
    /// Rows that exist.
    pub rows: u64,
    /// Rows that were forgotten.
    pub pruned: u64,
    /// Positions at which it was opened.
    pub opens: Vec<u64>,
    /// How often it was closed.
    pub closes: u32,
    /// The next opens fail.
    pub away: u32,
    /// The task panics when it comes to this row.
    pub panic_at: Option<u64>,
    /// The open never ends.
    pub hangs: bool,
    /// A poll blocks its thread for ever.
    pub blocks: bool,
    /// This row has a value that no converter takes.
    pub bad_row: Option<u64>,
    /// This row is as long as this.
    pub long_row: Option<(u64, usize)>,
    /// Polls that gave rows.
    pub polls: u64,
    /// Tasks that are open and have neither been closed nor dropped.
    pub open: u32,
    /// The most that were open at a time.
    pub most_open: u32,
    /// How often it was prepared, to the end or not.
    pub prepares: u32,
    /// Tasks that were prepared, not opened and are there.
    pub waiting: u32,
    /// Those that were prepared and then opened.
    pub heirs: u32,
    /// What preparing does.
    pub preparing: Preparing,
}

/// How a task is prepared.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub enum Preparing {
    /// At once.
    #[default]
    Works,
    /// It never ends.
    Hangs,
    /// It panics.
    Panics,
}

static UPSTREAMS: LazyLock<Mutex<HashMap<String, Arc<Upstream>>>> = LazyLock::new(Mutex::default);

impl Upstream {
    pub fn named(name: &str) -> Arc<Self> {
        Arc::clone(
            UPSTREAMS
                .lock()
                .unwrap()
                .entry(name.to_owned())
                .or_default(),
        )
    }

    pub fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_waiters();
    }

    pub fn get(&self) -> State {
        self.state.lock().unwrap().clone()
    }

    /// Waits until it has forgotten exactly so many rows, since it was told that they are safe.
    pub async fn told(&self, rows: u64) {
        super::worker::until("the upstream is told", async || {
            (self.get().pruned == rows).then_some(())
        })
        .await;
    }
}

connect_core::config! {
    /// Counts.
    pub struct CountingConfig;
    group "Counting" {
        /// Which upstream.
        upstream: String = required, "upstream", High;
        /// Where to.
        topic: String = required, "topic", High;
        /// Rows per poll.
        batch: u32 = "10", "batch.size", Low;
        /// A secret.
        password: Option<connect_core::Secret> = none, "upstream.password", Low;
    }
}
impl Rules for CountingConfig {}

pub struct Counting;

pub struct CountingTask {
    config: CountingConfig,
    task: u64,
    tasks: u64,
    upstream: Arc<Upstream>,
    route: Arc<Route>,
    at: u64,
    start: Option<Start>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Prepared,
    Open,
    Closed,
}

impl SourceConnector for Counting {
    type Config = CountingConfig;
    type Task = CountingTask;
    const ABOUT: About = About {
        class: "test.CountingSourceConnector",
        aliases: &[("io.example.Counting", "io.example.CountingTask")],
        task_class: "test.CountingSourceTask",
        version: "1.2.3",
        summary: "Counts.",
    };

    async fn check(_config: &CountingConfig) -> Vec<Finding> {
        Vec::new()
    }

    fn plan(config: &CountingConfig, max: usize) -> Result<Vec<TaskPlan>> {
        assert_ne!(config.batch, 0, "no batch has no rows");
        let plan = |task| TaskPlan::from([("task".into(), format!("{task}/{max}"))]);
        Ok((0..max).map(plan).collect())
    }

    fn task(config: CountingConfig, plan: TaskPlan) -> Result<CountingTask> {
        let (task, tasks) = plan["task"].split_once('/').unwrap();
        let id = Field::new("id", Schema::of(Type::Int64));
        let text = Field::new("text", Schema::of(Type::String));
        let value = Arc::new(Schema::structure([id.clone(), text]));
        let key = Arc::new(Schema::structure([id]));
        Ok(CountingTask {
            task: task.parse().unwrap(),
            tasks: tasks.parse().unwrap(),
            upstream: Upstream::named(&config.upstream),
            route: Route::new(config.topic.as_str(), Some(key), Some(value)),
            at: 0,
            start: None,
            stage: Stage::New,
            config,
        })
    }
}

impl CountingTask {
    fn partition(&self) -> String {
        format!(
            "{{\"upstream\":\"{}\",\"task\":{}}}",
            self.config.upstream, self.task
        )
    }

    /// Counts what becomes of it.
    fn enter(&mut self, stage: Stage) {
        let before = std::mem::replace(&mut self.stage, stage);
        self.upstream.set(|state| {
            state.waiting -= u32::from(before == Stage::Prepared);
            state.open -= u32::from(before == Stage::Open);
            state.heirs += u32::from((before, stage) == (Stage::Prepared, Stage::Open));
            state.waiting += u32::from(stage == Stage::Prepared);
            state.open += u32::from(stage == Stage::Open);
            state.most_open = state.most_open.max(state.open);
        });
    }

    /// Tells the upstream what it can forget.
    fn feedback(&self) {
        let safe = self.start.as_ref().and_then(|start| start.safe.latest());
        if let Some(safe) = safe {
            self.upstream
                .set(|state| state.pruned = state.pruned.max(safe.order));
        }
    }
}

impl Drop for CountingTask {
    fn drop(&mut self) {
        self.enter(Stage::Closed);
    }
}

impl SourceTask for CountingTask {
    async fn prepare(&mut self) {
        self.upstream.set(|state| state.prepares += 1);
        self.enter(Stage::Prepared);
        match self.upstream.get().preparing {
            Preparing::Works => {}
            Preparing::Hangs => std::future::pending().await,
            Preparing::Panics => panic!("it cannot be prepared"),
        }
    }

    async fn open(&mut self, start: Start) -> Result<()> {
        let state = self.upstream.get();
        if state.hangs {
            std::future::pending::<()>().await;
        }
        if state.away > 0 {
            self.upstream.set(|state| state.away -= 1);
            return Err(Error::new(&AWAY, "the upstream is away"));
        }
        let partition = self.partition();
        let stored = start
            .stored
            .iter()
            .find(|position| *position.partition == *partition);
        self.at = stored.map_or(0, |position| {
            let json: serde_json::Value = serde_json::from_str(&position.offset).unwrap();
            json["row"].as_u64().unwrap()
        });
        start.meter.gauge("test-opened-at").set(self.at as i64);
        let at = self.at;
        self.upstream.set(|state| state.opens.push(at));
        if self.tasks == 1 && at < self.upstream.get().pruned {
            return Err(Error::new(
                &GAP,
                format!("asked for {at}, but it is forgotten"),
            ));
        }
        self.start = Some(start);
        self.enter(Stage::Open);
        Ok(())
    }

    async fn poll(&mut self, out: &mut Batch) -> Result<()> {
        self.feedback();
        let state = self.upstream.get();
        if state.blocks {
            // The worst a connector can do: it never gives its thread back.
            loop {
                std::thread::park();
            }
        }
        if state.rows <= self.at {
            let changed = self.upstream.changed.notified();
            let _ = tokio::time::timeout(Duration::from_millis(20), changed).await;
            return Ok(());
        }
        let route = out.route_index(&self.route);
        let until = state.rows.min(self.at + u64::from(self.config.batch));
        for row in self.at + 1..=until {
            assert_ne!(state.panic_at, Some(row), "row {row} makes the task panic");
            if row % self.tasks != self.task {
                continue;
            }
            let key = out.push_nest(&[Cell::Int(row as i64)]);
            let len = state
                .long_row
                .filter(|(at, _)| *at == row)
                .map_or(0, |(_, len)| len);
            let text = out.push_bytes(format!("row {row}{}", "x".repeat(len)).as_bytes());
            let id = if state.bad_row == Some(row) {
                Cell::Null
            } else {
                Cell::Int(row as i64)
            };
            let value = out.push_nest(&[id, text]);
            out.push(Record::new(route, key, value));
        }
        self.at = until;
        out.set_position(Position {
            partition: self.partition().into(),
            offset: format!("{{\"row\":{}}}", self.at).into(),
            order: self.at,
        });
        self.upstream.set(|state| state.polls += 1);
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        self.feedback();
        self.upstream.set(|state| state.closes += 1);
        self.enter(Stage::Closed);
        Ok(())
    }
}
