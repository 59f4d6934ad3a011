//! The rules of the house, each as a test.

mod lengths;
mod walls;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{tally::Tally, workspace};

/// A rule: its name, and what breaks it, one line each.
struct Rule {
    name: &'static str,
    broken: fn(&Sources) -> Vec<String>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "house::no_file_over_500_lines",
        broken: |all| over(all, lengths::long_file),
    },
    Rule {
        name: "house::no_function_over_60_lines",
        broken: |all| over(all, lengths::long_functions),
    },
    Rule {
        name: "house::no_banned_word",
        broken: |all| over(all, words::banned),
    },
    Rule {
        name: "house::no_vague_file_name",
        broken: |all| over(all, words::vague_name),
    },
    Rule {
        name: "house::no_path_of_this_machine",
        broken: words::machine_paths,
    },
    Rule {
        name: "house::no_dependency_through_a_wall",
        broken: |all| walls::broken(&all.packages),
    },
];

/// What the rules look at.
struct Sources {
    /// Rust files and their text.
    rust: Vec<(PathBuf, String)>,
    /// All text files that are not large.
    text: Vec<(PathBuf, String)>,
    packages: Vec<workspace::Package>,
}

/// Checks every rule, and prints as the test harness does.
pub(crate) fn run() -> Result<Tally, Box<dyn std::error::Error + Send + Sync>> {
    let sources = Sources::read()?;
    let mut tally = Tally::default();
    println!("\nrunning {} rules of the house", RULES.len());
    for Rule { name, broken } in RULES {
        let broken = broken(&sources);
        println!(
            "test {name} ... {}",
            if broken.is_empty() { "ok" } else { "FAILED" }
        );
        broken.iter().for_each(|line| println!("    {line}"));
        tally.add(Tally::one(broken.is_empty()));
    }
    Ok(tally)
}

impl Sources {
    fn read() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        const LARGE: u64 = 400_000;
        let root = workspace::root()?;
        let mut text = Vec::new();
        for file in workspace::files()? {
            let path = root.join(&file);
            if path
                .metadata()
                .is_ok_and(|data| data.is_file() && data.len() <= LARGE)
            {
                text.push((file, String::from_utf8_lossy(&fs::read(path)?).into_owned()));
            }
        }
        let is_rust =
            |(path, _): &&(PathBuf, String)| path.extension().is_some_and(|kind| kind == "rs");
        let rust = text.iter().filter(is_rust).cloned().collect();
        Ok(Self {
            rust,
            text,
            packages: workspace::packages()?,
        })
    }
}

/// What a rule for one file finds in all Rust files, with the file's name.
fn over(all: &Sources, rule: fn(&Path, &str) -> Vec<String>) -> Vec<String> {
    let found = |(path, text): &(PathBuf, String)| {
        let path = path.clone();
        rule(&path, text)
            .into_iter()
            .map(move |line| format!("{}: {line}", path.display()))
    };
    all.rust.iter().flat_map(found).collect()
}
