//! Every seed as it is, cut at every length, and changed a little: the short form of fuzzing.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use fuzz::{TARGETS, Target};

/// The seeds of a target. None is missing: without seeds a target proves nothing.
fn seeds(target: &Target) -> Vec<Vec<u8>> {
    // Tests run in the folder of their package.
    let folder = Path::new("seeds").join(target.name);
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no seeds", target.name);
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit.max(1)
    }

    /// A few bytes changed, removed, repeated, or taken from another input.
    fn change(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            let len = self.below(9).min(input.len() - at);
            match self.below(5) {
                0 => input.insert(at, self.below(256) as u8),
                1 => drop(input.drain(at..at + len)),
                2 => input.extend_from_within(at..at + len),
                3 => input[at..at + len].fill([0, 1, 0x7f, 0x80, 0xff][self.below(5)]),
                _ => {
                    let from = self.below(other.len());
                    let to = (from + self.below(40)).min(other.len());
                    input.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
    }
}

fn run(name: &str) {
    let target = target(name);
    let seeds = seeds(target);
    let mut dice = Dice(1);
    for seed in &seeds {
        (target.run)(seed);
        let step = 1 + seed.len() * 4 / target.rounds as usize;
        for end in (0..seed.len()).step_by(step) {
            (target.run)(&seed[..end]);
        }
        for _ in 0..target.rounds {
            let mut input = seed.clone();
            let other = &seeds[dice.below(seeds.len())];
            dice.change(&mut input, other);
            (target.run)(&input);
        }
    }
}

/// A test of each target.
macro_rules! tests {
    ($($name:ident)+) => {
        const TESTED: &[&str] = &[$(stringify!($name)),+];
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )+
    };
}

tests! { binlog payload compressed pieces mysql_json decimal pgoutput copy extension offset signal json registered transformed block batches member answer file }

#[test]
fn every_target_has_its_test_and_seeds_that_are_understood() {
    let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    let mut tested = TESTED.to_vec();
    names.sort_unstable();
    tested.sort_unstable();
    assert_eq!(names, tested);
    let obeyed = seeds(target("signal")).into_iter();
    let obeyed = obeyed.flat_map(|seed| postgres_source::fuzz::signals(&seed));
    assert!(obeyed.count() > 1, "snapshots of both kinds begin");
    for seed in seeds(target("registered")) {
        assert!(fuzz::is_read(&seed), "the record fits its schema");
    }
    for seed in seeds(target("transformed")) {
        assert!(fuzz::is_transformed(&seed), "a geometry or a time");
    }
    for seed in seeds(target("binlog")) {
        assert!(
            mysql_source::fuzz::events(&seed).unwrap() > 0,
            "rows have values"
        );
    }
    for seed in seeds(target("payload")) {
        assert!(mysql_source::fuzz::payload(&seed).unwrap() > 4, "events");
    }
    for seed in seeds(target("compressed")) {
        assert!(mysql_source::fuzz::inflated(&seed).unwrap() > seed.len() / 2);
    }
    for seed in seeds(target("pieces")) {
        assert!(mysql_source::fuzz::pieces(&seed).unwrap() > 100);
    }
    for seed in seeds(target("batches")) {
        assert!(connect_log::kafka::fuzz::batches(&seed, true).unwrap() >= 40);
    }
    for seed in seeds(target("pgoutput")) {
        let batch = postgres_source::fuzz::stream(&seed).unwrap();
        assert!(!batch.is_empty(), "a captured stream has records");
    }
}
