//! Connectors as objects: the boxed twins of the static traits, for the runtime.

use std::{collections::BTreeSet, marker::PhantomData, sync::Arc};

use crate::{
    Batch, BoxFuture, Config, Finding, Properties, Rejects, Result, SinkConnector, SinkTask,
    SourceConnector, SourceTask, Start, TaskPlan,
    config::{Key, invalid},
    guard::Guard,
    meter::Meter,
    rewind::{Asked, OffsetChange, Rewind, refused},
    transform::TransformClass,
};

/// What a connector says of itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Its class name, as in `connector.class`.
    pub class: &'static str,
    /// Other class names that mean it, so that existing configurations work unchanged, each with its task's class name, so
    /// that Kafka Connect can run the tasks again that were stored here.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Its task's class name, as in `task.class`.
    pub task_class: &'static str,
    /// Its version.
    pub version: &'static str,
    /// One line for people.
    pub summary: &'static str,
}

/// Source or sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Reads a system into topics.
    Source,
    /// Writes topics into a system.
    Sink,
}

/// A connector that the program knows.
#[derive(Clone)]
pub struct Plugin {
    /// What it says of itself.
    pub about: About,
    /// Source or sink.
    pub direction: Direction,
    /// See [`SourceConnector::TELLS_TRANSACTIONS`].
    pub tells_transactions: bool,
    /// See [`SourceConnector::TRANSFORMS`].
    pub transforms: &'static [TransformClass],
    inner: Arc<dyn Connector>,
    of_source: Option<OfSource>,
}

/// What only sources do.
#[derive(Clone, Copy)]
struct OfSource {
    guard: fn(Properties, Guard) -> BoxFuture<'static, Result<()>>,
    wrong_offsets: fn(&Properties, &[OffsetChange]) -> Vec<String>,
    rewind: fn(Properties, Asked) -> BoxFuture<'static, Result<Rewind>>,
}

/// A boxed task.
pub enum BoxedTask {
    /// Of a source.
    Source(Box<dyn DynSourceTask>),
    /// Of a sink.
    Sink(Box<dyn DynSinkTask>),
}

impl Plugin {
    /// A source connector as an object.
    pub fn source<C: SourceConnector>() -> Self {
        let inner = Arc::new(Source::<C>(PhantomData));
        Self {
            about: C::ABOUT,
            direction: Direction::Source,
            tells_transactions: C::TELLS_TRANSACTIONS,
            transforms: C::TRANSFORMS,
            inner,
            of_source: Some(OfSource {
                guard: guard::<C>,
                wrong_offsets: wrong_offsets::<C>,
                rewind: rewind::<C>,
            }),
        }
    }

    /// A sink connector as an object.
    pub fn sink<C: SinkConnector>() -> Self {
        let inner = Arc::new(Sink::<C>(PhantomData));
        Self {
            about: C::ABOUT,
            direction: Direction::Sink,
            tells_transactions: false,
            transforms: &[],
            inner,
            of_source: None,
        }
    }

    /// Whether a `connector.class` means this one: full name, alias, or either one's simple name with or without `Connector`.
    pub fn answers_to(&self, class: &str) -> bool {
        is_called(self.about.class, class) || self.alias(class).is_some()
    }

    /// The `task.class` that belongs to a `connector.class`: that of the connector which the user named.
    pub fn task_class(&self, class: &str) -> &'static str {
        match self.alias(class) {
            Some((_, task)) if !is_called(self.about.class, class) => task,
            _ => self.about.task_class,
        }
    }

    fn alias(&self, class: &str) -> Option<&'static (&'static str, &'static str)> {
        let mut aliases = self.about.aliases.iter();
        aliases.find(|(full, _)| is_called(full, class))
    }

    /// Its properties.
    pub fn keys(&self) -> Vec<Key> {
        self.inner.keys()
    }

    /// Parses the properties and says everything that does not hold.
    pub fn validate(&self, given: &Properties) -> Vec<Finding> {
        self.inner.validate(given)
    }

    /// Validates, then reaches out to the servers and says everything it finds.
    pub fn check<'a>(&'a self, given: &'a Properties) -> BoxFuture<'a, Vec<Finding>> {
        self.inner.check(given)
    }

    /// Splits the work into at most `max` tasks.
    pub fn plan(&self, given: &Properties, max: usize) -> Result<Vec<TaskPlan>> {
        self.inner.plan(given, max)
    }

    /// See [`SourceConnector::guard`]. A sink has nothing to look after.
    pub async fn guard(&self, given: Properties, guard: Guard) -> Result<()> {
        match self.of_source {
            Some(source) => (source.guard)(given, guard).await,
            None => Ok(()),
        }
    }

    /// See [`SourceConnector::wrong_offsets`]. Nothing is known of those of a sink, nor of a configuration that does not hold.
    pub fn wrong_offsets(&self, given: &Properties, changes: &[OffsetChange]) -> Vec<String> {
        let source = self.of_source;
        source.map_or_else(Vec::new, |source| (source.wrong_offsets)(given, changes))
    }

    /// See [`SourceConnector::rewind`].
    pub async fn rewind(&self, given: Properties, asked: Asked) -> Result<Rewind> {
        match self.of_source {
            Some(source) => (source.rewind)(given, asked).await,
            None => Err(refused("it is no source")),
        }
    }

    /// A task.
    pub fn task(&self, given: &Properties, plan: TaskPlan) -> Result<BoxedTask> {
        self.inner.task(given, plan)
    }
}

/// Whether a class can be named so: in full, without its package, or without `Connector` too.
fn is_called(full: &str, class: &str) -> bool {
    let simple = full.rsplit('.').next().unwrap_or(full);
    class == full || class == simple || simple.strip_suffix("Connector") == Some(class)
}

trait Connector: Send + Sync {
    fn keys(&self) -> Vec<Key>;
    fn validate(&self, given: &Properties) -> Vec<Finding>;
    fn check<'a>(&'a self, given: &'a Properties) -> BoxFuture<'a, Vec<Finding>>;
    fn plan(&self, given: &Properties, max: usize) -> Result<Vec<TaskPlan>>;
    fn task(&self, given: &Properties, plan: TaskPlan) -> Result<BoxedTask>;
}

fn guard<C: SourceConnector>(given: Properties, guard: Guard) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move { C::guard(&parse(&given)?, guard).await })
}

fn wrong_offsets<C: SourceConnector>(given: &Properties, changes: &[OffsetChange]) -> Vec<String> {
    let config = C::Config::parse(given);
    config.map_or_else(|_| Vec::new(), |config| C::wrong_offsets(&config, changes))
}

fn rewind<C: SourceConnector>(
    given: Properties,
    asked: Asked,
) -> BoxFuture<'static, Result<Rewind>> {
    Box::pin(async move { C::rewind(&parse(&given)?, asked).await })
}

fn parse<C: Config>(given: &Properties) -> Result<C> {
    C::parse(given).map_err(|findings| invalid(&findings))
}

/// What is left of a configuration without the properties that do not hold; `None` when that is none. What is found only
/// then is added to the findings, which are not empty.
fn without_wrong<C: Config>(
    given: &Properties,
    findings: &mut Vec<Finding>,
) -> Option<(C, BTreeSet<String>)> {
    let mut left = given.clone();
    let mut wrong = BTreeSet::new();
    let mut told = findings.clone();
    loop {
        let before = left.len();
        for finding in told.iter().filter(|finding| finding.is_error()) {
            left.remove(&finding.key);
            wrong.insert(finding.key.clone());
        }
        if left.len() == before {
            return None;
        }
        match C::parse(&left) {
            Ok(config) => return Some((config, wrong)),
            Err(more) => told = more,
        }
        let is_new = |finding: &&Finding| !wrong.contains(&finding.key);
        findings.extend(told.iter().filter(is_new).cloned());
    }
}

macro_rules! twin {
    ($name:ident, $connector:ident, $variant:ident) => {
        struct $name<C>(PhantomData<fn() -> C>);

        impl<C: $connector> Connector for $name<C> {
            fn keys(&self) -> Vec<Key> {
                C::Config::keys()
            }

            fn validate(&self, given: &Properties) -> Vec<Finding> {
                C::Config::parse(given).err().unwrap_or_default()
            }

            fn check<'a>(&'a self, given: &'a Properties) -> BoxFuture<'a, Vec<Finding>> {
                Box::pin(async move {
                    match C::Config::parse(given) {
                        Ok(config) => C::check(&config).await,
                        Err(mut findings) => {
                            if let Some((config, wrong)) = without_wrong(given, &mut findings) {
                                findings.extend(C::check_despite(&config, &wrong).await);
                            }
                            findings
                        }
                    }
                })
            }

            fn plan(&self, given: &Properties, max: usize) -> Result<Vec<TaskPlan>> {
                C::plan(&parse(given)?, max)
            }

            fn task(&self, given: &Properties, plan: TaskPlan) -> Result<BoxedTask> {
                let task = C::task(parse(given)?, plan)?;
                Ok(BoxedTask::$variant(Box::new(task)))
            }
        }
    };
}

twin!(Source, SourceConnector, Source);
twin!(Sink, SinkConnector, Sink);

/// The boxed twin of [`SourceTask`].
pub trait DynSourceTask: Send {
    /// See [`SourceTask::prepare`].
    fn prepare(&mut self) -> BoxFuture<'_, ()>;
    /// See [`SourceTask::open`].
    fn open(&mut self, start: Start) -> BoxFuture<'_, Result<()>>;
    /// See [`SourceTask::poll`].
    fn poll<'a>(&'a mut self, out: &'a mut Batch) -> BoxFuture<'a, Result<()>>;
    /// See [`SourceTask::close`].
    fn close(&mut self) -> BoxFuture<'_, Result<()>>;
}

impl<T: SourceTask> DynSourceTask for T {
    fn prepare(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(SourceTask::prepare(self))
    }
    fn open(&mut self, start: Start) -> BoxFuture<'_, Result<()>> {
        Box::pin(SourceTask::open(self, start))
    }
    fn poll<'a>(&'a mut self, out: &'a mut Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(SourceTask::poll(self, out))
    }
    fn close(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(SourceTask::close(self))
    }
}

/// The boxed twin of [`SinkTask`].
pub trait DynSinkTask: Send {
    /// See [`SinkTask::open`].
    fn open(&mut self, meter: Meter) -> BoxFuture<'_, Result<()>>;
    /// See [`SinkTask::write`].
    fn write<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Rejects>>;
    /// See [`SinkTask::flush`].
    fn flush(&mut self) -> BoxFuture<'_, Result<()>>;
    /// See [`SinkTask::close`].
    fn close(&mut self) -> BoxFuture<'_, Result<()>>;
}

impl<T: SinkTask> DynSinkTask for T {
    fn open(&mut self, meter: Meter) -> BoxFuture<'_, Result<()>> {
        Box::pin(SinkTask::open(self, meter))
    }
    fn write<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Rejects>> {
        Box::pin(SinkTask::write(self, batch))
    }
    fn flush(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(SinkTask::flush(self))
    }
    fn close(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(SinkTask::close(self))
    }
}
