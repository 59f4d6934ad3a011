//! The flags of the command.

use std::time::Duration;

use super::{Result, database::Source};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// The database.
    pub(super) source: Source,
    /// Compare the sinks with the tables at the end.
    pub(super) check: bool,
    /// Topics in Kafka rather than in the embedded log.
    pub(super) kafka: bool,
    /// How long the workload runs once both sinks are in step; until Ctrl-C when `None`.
    pub(super) length: Option<Duration>,
    /// Rows before the workload.
    pub(super) rows: u32,
}

/// The flags in words.
pub(crate) const USAGE: &str =
    "[--source postgres|mysql|mariadb] [--check] [--kafka] [--seconds N] [--rows N]";
const CHECK_LENGTH: Duration = Duration::from_secs(10);
const ROWS: u32 = 120_000;
const FEWEST_ROWS: u32 = 1_000;

impl Options {
    /// [`USAGE`].
    pub(super) fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self {
            source: Source::Postgres,
            check: false,
            kafka: false,
            length: None,
            rows: ROWS,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--source" => {
                    let source = words.next().and_then(|word| Source::named(word));
                    options.source =
                        source.ok_or_else(|| format!("--source needs a database: {USAGE}"))?;
                }
                "--check" => options.check = true,
                "--kafka" => options.kafka = true,
                "--seconds" => {
                    options.length = Some(Duration::from_secs(number(word, words.next())?.into()));
                }
                "--rows" => options.rows = number(word, words.next())?.max(FEWEST_ROWS),
                other => {
                    return Err(format!("{other}? {USAGE}").into());
                }
            }
        }
        if options.check {
            options.length.get_or_insert(CHECK_LENGTH);
        }
        Ok(options)
    }
}

fn number(flag: &str, word: Option<&String>) -> Result<u32> {
    word.and_then(|word| word.replace(['_', ','], "").parse().ok())
        .ok_or_else(|| format!("{flag} needs a number").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Options> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn a_check_ends_by_itself() {
        let check = parse("--check --kafka").unwrap();
        assert_eq!(check.length, Some(CHECK_LENGTH));
        assert!(check.kafka && check.rows >= 100_000);
        assert_eq!(parse("").unwrap().length, None);
        let short = parse("--check --seconds 3 --rows 5_000").unwrap();
        assert_eq!(
            (short.length, short.rows),
            (Some(Duration::from_secs(3)), 5000)
        );
        assert_eq!(parse("--source mysql").unwrap().source, Source::Mysql);
        assert!(parse("--source").is_err() && parse("--source db2").is_err());
        assert!(parse("--rows").is_err() && parse("--rows x").is_err() && parse("--no").is_err());
    }
}
