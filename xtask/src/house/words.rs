//! Words and names that the house does not want.

use std::{env, path::Path};

use super::Sources;
use crate::workspace;

/// What must not be in a Rust file, and why. Cut in two, so that this file passes.
const BANNED: [(&str, &str); 6] = [
    (
        concat!("Future", "Producer"),
        "loses order and sleeps on a full queue",
    ),
    (
        concat!("async", "_trait"),
        "the traits have a boxed twin instead",
    ),
    (concat!("unbounded", "_channel"), "nothing is unbounded"),
    (concat!("todo", "!("), "unfinished"),
    (concat!("unimplemented", "!("), "unfinished"),
    (concat!("#[", "ignore"), "a test that never runs"),
];

const VAGUE: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "manager"];

/// The banned words in a file.
pub(crate) fn banned(_: &Path, text: &str) -> Vec<String> {
    let found = BANNED.iter().filter(|(word, _)| text.contains(word));
    found.map(|(word, why)| format!("{word}: {why}")).collect()
}

/// A file name that says nothing of the domain.
pub(crate) fn vague_name(path: &Path, _: &str) -> Vec<String> {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    VAGUE
        .contains(&stem.as_str())
        .then(|| "name it after what it holds".to_owned())
        .into_iter()
        .collect()
}

/// The files that name the folder of this checkout or the home of this user.
pub(crate) fn machine_paths(all: &Sources) -> Vec<String> {
    let home = env::var("HOME").unwrap_or_default();
    let root = workspace::root().unwrap_or_default().display().to_string();
    let paths: Vec<String> = [home, root]
        .iter()
        .filter(|path| path.len() > 3)
        .map(|path| format!("{path}/"))
        .collect();
    let named = |text: &str| paths.iter().any(|path| text.contains(path.as_str()));
    let files = all.text.iter().filter(|(_, text)| named(text));
    files.map(|(path, _)| path.display().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words_and_names() {
        let path = Path::new("src/utils.rs");
        assert_eq!(banned(path, concat!("fn a() { todo", "!() }")).len(), 1);
        assert!(banned(path, "fn a() {}").is_empty());
        assert_eq!(vague_name(path, "").len(), 1);
        assert!(vague_name(Path::new("src/slot.rs"), "").is_empty());
    }
}
