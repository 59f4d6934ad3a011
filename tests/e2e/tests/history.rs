//! Exactly once as a reader sees it: transfers between accounts, bound to the source's transactions, while the workers are killed,
//! frozen and cut off. Nothing is lost, doubled or out of order, and no reader of committed records ever sees half a transaction.

use std::time::Duration;

use e2e::{
    ALL, FleetScene, Outcome, Plot,
    bank::{self, Seen},
    rounds,
};
use stack::wait_until;

const SOURCE: &str = "bank";
const SLOT: &str = "bank_slot";
const TOPIC: &str = "transfers";
const LIMIT: Duration = Duration::from_secs(120);
/// Everything in one topic, in the order of the source.
const IN_ONE: &[(&str, &str)] = &[
    ("transaction.boundary", "connector"),
    ("transforms", "one"),
    (
        "transforms.one.type",
        "org.apache.kafka.connect.transforms.RegexRouter",
    ),
    ("transforms.one.regex", ".*"),
    ("transforms.one.replacement", TOPIC),
    ("topic.creation.default.partitions", "1"),
    ("topic.creation.default.replication.factor", "1"),
];

struct Scene(FleetScene);

fn scene() -> Outcome<Scene> {
    let scene = FleetScene::start(Plot {
        source: SOURCE,
        tables: "public.accounts,public.ledger",
        properties: IN_ONE,
        make: bank::tables,
        load: bank::transfer,
    })?;
    Ok(Scene(scene))
}

impl Scene {
    /// What a reader of committed records sees at this moment: it must be whole.
    fn look(&self) -> Outcome<Seen> {
        let records = self.0.fleet.members[0].worker.read(TOPIC)?;
        let values: Vec<String> = records.into_iter().map(|(_, value)| value).collect();
        let seen = Seen::read(&values)?;
        seen.assert_whole()?;
        Ok(seen)
    }

    /// Does something to whoever runs the source, and looks until the transfers go on.
    fn strike(&self, round: u32) -> Outcome {
        let before = self.look()?.transactions;
        let owner = self.0.fleet.owner(round as usize % 3, SOURCE)?;
        let fellow = &self.0.fleet.members[owner];
        match round % 3 {
            0 => fellow.worker.server().kill9()?,
            1 => fellow.worker.server().pause()?,
            _ => fellow.host.cut()?,
        }
        wait_until("the transfers to go on", LIMIT, || {
            let seen = self
                .look()
                .map_err(|error| stack::Error::new(error.to_string()))?;
            Ok(seen.transactions > before + 20)
        })?;
        match round % 3 {
            0 => fellow.worker.server().start()?,
            1 => fellow.worker.server().resume()?,
            _ => fellow.host.heal()?,
        }
        self.look().map(drop)
    }

    fn finish(mut self) -> Outcome {
        self.0.fleet.wait_for_rest(0, &ALL)?;
        self.0.load.finish(SLOT)?;
        self.look()?.assert_complete(&self.0.postgres)
    }
}

#[test]
fn no_transfer_is_ever_seen_in_part() -> Outcome {
    let scene = scene()?;
    for round in 0..rounds(3, 18) {
        scene.0.load.wait_for(2)?;
        scene.strike(round)?;
    }
    scene.finish()
}
