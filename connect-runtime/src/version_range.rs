//! Versions of plugins that a request asks for (KIP-891): `1.2`, `latest`, or a range such as `[1.0,2.0)`.

use std::{cmp::Ordering, fmt};

use connect_core::{Error, Result};

use crate::error::BAD_REQUEST;

/// A range of versions; an empty bound is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionRange {
    low: String,
    low_counts: bool,
    high: String,
    high_counts: bool,
}

impl VersionRange {
    /// Reads a range; a version alone is the range of itself, and `latest` or nothing is every one. 400 for anything else.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let spec = text.trim();
        let invalid = || {
            let what = format!("Invalid version specification: {text}");
            Error::new(&BAD_REQUEST, what)
        };
        if spec.is_empty() || spec == "latest" {
            return Ok(Self::between("", true, "", true));
        }
        let Some(rest) = spec.strip_prefix(['[', '(']) else {
            let is_plain = !spec.contains([',', ']', ')', '[', '(']);
            let exactly = Self::between(spec, true, spec, true);
            return is_plain.then_some(exactly).ok_or_else(invalid);
        };
        let inner = rest.strip_suffix([']', ')']).ok_or_else(invalid)?;
        let (low_counts, high_counts) = (spec.starts_with('['), spec.ends_with(']'));
        let (low, high) = match inner.split_once(',') {
            Some(bounds) => bounds,
            None if low_counts && high_counts && !inner.is_empty() => (inner, inner),
            None => return Err(invalid()),
        };
        if inner.contains(['[', '(', ']', ')']) || high.contains(',') {
            return Err(invalid());
        }
        let (low, high) = (low.trim(), high.trim());
        let is_reversed = !low.is_empty() && !high.is_empty() && compare(low, high).is_gt();
        if is_reversed {
            return Err(invalid());
        }
        Ok(Self::between(
            low.trim(),
            low_counts,
            high.trim(),
            high_counts,
        ))
    }

    fn between(low: &str, low_counts: bool, high: &str, high_counts: bool) -> Self {
        Self {
            low: low.to_owned(),
            low_counts,
            high: high.to_owned(),
            high_counts,
        }
    }

    /// Whether a version is in it.
    pub(crate) fn contains(&self, version: &str) -> bool {
        let above = match compare(version, &self.low) {
            _ if self.low.is_empty() => true,
            Ordering::Equal => self.low_counts,
            order => order == Ordering::Greater,
        };
        let below = match compare(version, &self.high) {
            _ if self.high.is_empty() => true,
            Ordering::Equal => self.high_counts,
            order => order == Ordering::Less,
        };
        above && below
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.low_counts { '[' } else { '(' };
        let close = if self.high_counts { ']' } else { ')' };
        write!(f, "{open}{},{}{close}", self.low, self.high)
    }
}

/// By numbers between dots; then what follows, where nothing is later than something (`2.0-rc1` comes before `2.0`).
fn compare(a: &str, b: &str) -> Ordering {
    let (a_numbers, a_rest) = split(a);
    let (b_numbers, b_rest) = split(b);
    let rest = || match (a_rest.is_empty(), b_rest.is_empty()) {
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => a_rest.cmp(b_rest),
    };
    a_numbers.cmp(&b_numbers).then_with(rest)
}

/// The numbers, without zeros at the end, and what follows a hyphen or plus.
fn split(version: &str) -> (Vec<u64>, &str) {
    let at = version.find(['-', '+']).unwrap_or(version.len());
    let (numbers, rest) = version.split_at(at);
    let mut numbers: Vec<u64> = numbers.split('.').map(|n| n.parse().unwrap_or(0)).collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    (numbers, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_what_lies_between_their_bounds() {
        for (range, version, is_in) in [
            ("1.2.3", "1.2.3", true),
            ("1.2", "1.2.0", true),
            ("1.2.3", "4.3.0", false),
            ("[4.3.0]", "4.3.0", true),
            ("[1.0,2.0)", "2.0-rc1", true),
            ("[1.0,2.0)", "2.0", false),
            ("(1.0,2.0]", "1.0", false),
            ("[1.9,)", "1.10", true),
            ("(,1.9]", "1.10", false),
            ("latest", "0.1.0", true),
        ] {
            let parsed = VersionRange::parse(range).unwrap();
            assert_eq!(parsed.contains(version), is_in, "{version} in {range}");
        }
        assert_eq!(VersionRange::parse("1.2").unwrap().to_string(), "[1.2,1.2]");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["[", "]", "[]", "(1.0)", "[1,2", "1,2", "[1,2,3]", "[[1,2]"] {
            let refused = VersionRange::parse(text).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("Invalid version specification: {text}")
            );
        }
    }
}
