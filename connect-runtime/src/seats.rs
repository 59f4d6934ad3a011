//! Who has what: the seats of connectors and tasks among the workers, as values.
//!
//! A seat that changes hands is empty in between: first it is taken from the one who has it, who says when nothing of it runs any more
//! (or falls out of the group, which says the same), and only then it is given to the next one. So nothing ever runs twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::answers::TaskId;

/// What has a seat: a connector itself, or one of its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Unit {
    /// The connector itself: who has it watches over what the connector holds on its server.
    Connector,
    /// A task, from 0.
    Task(u32),
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connector => f.write_str("connector"),
            Self::Task(task) => write!(f, "{task}"),
        }
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.to_string()
    }
}

impl FromStr for Unit {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "connector" => Ok(Self::Connector),
            task => Ok(Self::Task(task.parse()?)),
        }
    }
}

impl TryFrom<String> for Unit {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// One seat.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seat {
    /// The member that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Counts up when it is to be started again.
    #[serde(default)]
    pub run: u64,
    /// The worker (`host:port`) that it belongs to: it goes back there when that worker comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
}

/// The seats of one connector.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Assignment {
    /// Grows with every assignment of whatever connector.
    pub version: u64,
    /// The connector itself.
    pub connector: Seat,
    /// Its tasks.
    pub tasks: Vec<Seat>,
    /// Seats that were taken from members who have not said yet that nothing runs there any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leaving: BTreeMap<Unit, String>,
    /// Why the connector has no tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// The newest assignment that it acts on.
    pub version: u64,
    /// What of older ones still runs there: `name` and unit.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub still: BTreeSet<(String, Unit)>,
    /// Whether it is about to stop, and everything has to go elsewhere.
    #[serde(default)]
    pub draining: bool,
    /// The share of a core that its tasks use, in thousandths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loads: BTreeMap<String, u32>,
}

impl Assignment {
    /// Every seat, by what has it.
    pub fn seats(&self) -> impl Iterator<Item = (Unit, &Seat)> {
        let tasks = self.tasks.iter().zip(0..);
        let tasks = tasks.map(|(seat, task)| (Unit::Task(task), seat));
        std::iter::once((Unit::Connector, &self.connector)).chain(tasks)
    }

    /// The seat of a unit.
    pub fn seat(&self, unit: Unit) -> Option<&Seat> {
        match unit {
            Unit::Connector => Some(&self.connector),
            Unit::Task(task) => self.tasks.get(task as usize),
        }
    }

    /// The seat of a unit, to be changed.
    pub fn seat_mut(&mut self, unit: Unit) -> Option<&mut Seat> {
        match unit {
            Unit::Connector => Some(&mut self.connector),
            Unit::Task(task) => self.tasks.get_mut(task as usize),
        }
    }

    /// Whether nothing of the connector's tasks runs anywhere, nor may any more.
    pub fn is_quiet(&self) -> bool {
        let tasks = self.tasks.iter().all(|seat| seat.on.is_none());
        tasks && self.leaving.keys().all(|unit| *unit == Unit::Connector)
    }

    /// Whether every seat is taken, and the connector's own is where that of its first task is.
    pub fn is_full(&self) -> bool {
        let together = self
            .tasks
            .first()
            .is_none_or(|first| first.on == self.connector.on);
        together && self.seats().all(|(_, seat)| seat.on.is_some())
    }

    /// What a member has of this connector.
    pub fn of<'a>(&'a self, member: &'a str) -> impl Iterator<Item = (Unit, &'a Seat)> {
        self.seats()
            .filter(move |(_, seat)| seat.on.as_deref() == Some(member))
    }
}

/// The task of a unit.
pub(crate) fn task_id(connector: &str, unit: Unit) -> Option<TaskId> {
    match unit {
        Unit::Connector => None,
        Unit::Task(task) => Some(TaskId::new(connector, task)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_survives_its_way() {
        let seat = |on: Option<&str>, run| Seat {
            on: on.map(str::to_owned),
            run,
            home: Some("h:1".to_owned()),
        };
        let assignment = Assignment {
            version: 7,
            connector: seat(Some("a"), 0),
            tasks: vec![seat(None, 3), seat(Some("b"), 1)],
            leaving: BTreeMap::from([
                (Unit::Task(0), "c".to_owned()),
                (Unit::Connector, "d".to_owned()),
            ]),
            failed: None,
        };
        let text = serde_json::to_string(&assignment).unwrap();
        assert_eq!(
            serde_json::from_str::<Assignment>(&text).unwrap(),
            assignment
        );
        for cut in 0..text.len() {
            assert!(serde_json::from_str::<Assignment>(&text[..cut]).is_err());
        }
        assert!(!assignment.is_quiet());
        assert_eq!(
            assignment.of("b").map(|(unit, _)| unit).collect::<Vec<_>>(),
            [Unit::Task(1)]
        );
    }
}
