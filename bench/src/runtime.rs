//! The runtime beside a real Kafka Connect: its REST API with many connectors, how long a task pauses when it is restarted,
//! moved or its worker is gone, and what exactly-once costs.

mod crowd;
mod figure;
mod once;
mod pauses;
mod pulse;
mod requests;

use e2e::Outcome;
use stack::{Kafka, KafkaOptions, Stack};

use crate::{arguments::Arguments, database::Database, tool::ToolKind};
use figure::Figures;
pub(crate) use figure::{Figure, comparison};

/// What the parts need.
struct Bench<'a> {
    arguments: &'a Arguments,
    stack: &'a Stack,
    database: &'a dyn Database,
}

impl Bench<'_> {
    /// A broker with its default delays, and its own clock on every record.
    fn kafka(&self) -> Outcome<Kafka> {
        let options = KafkaOptions::default()
            .full_speed()
            .set("log.message.timestamp.type", "LogAppendTime")
            .set("auto.create.topics.enable", "true");
        Ok(self.stack.kafka_with(options)?)
    }

    fn is_asked_for(&self, part: &str) -> bool {
        let only = self.arguments.only.as_deref();
        only.is_none_or(|only| part.contains(only))
    }
}

/// Measures all parts, printing each figure as it is known, and gives all.
pub(crate) fn run(
    arguments: &Arguments,
    stack: &Stack,
    database: &dyn Database,
) -> Outcome<Vec<Figure>> {
    let bench = Bench {
        arguments,
        stack,
        database,
    };
    type Part = fn(&Bench<'_>, ToolKind, &mut Figures) -> Outcome;
    let parts: [(&str, Part); 3] = [
        ("rest", crowd::measure),
        ("pauses", pauses::measure),
        ("once", once::measure),
    ];
    let mut figures = Figures::default();
    println!("{}", figure::head());
    for (name, part) in parts {
        for kind in arguments.tools() {
            if bench.is_asked_for(name) {
                part(&bench, kind, &mut figures)?;
            }
        }
    }
    Ok(figures.into_all())
}
