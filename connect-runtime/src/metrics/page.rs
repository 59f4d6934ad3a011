//! Prometheus' text format.

use std::{collections::BTreeMap, fmt::Write};

use super::latency::{BOUNDS_MS, Latency};

/// Numbers by name; each name has its lines together, as the format asks for.
#[derive(Default)]
pub(super) struct Page(BTreeMap<String, Family>);

/// The lines of one name: what follows the name, and the number.
struct Family {
    kind: &'static str,
    lines: Vec<(String, f64)>,
}

impl Page {
    /// One number. Its name's `-` and `.` become `_`.
    pub(super) fn put(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let kind = match name.ends_with("_total") || name.ends_with("-total") {
            true => "counter",
            false => "gauge",
        };
        self.line(name, kind, written("", labels, None), value);
    }

    /// A histogram in seconds.
    pub(super) fn put_latency(&mut self, name: &str, labels: &[(&str, &str)], of: &Latency) {
        let counts = of.cumulative();
        let mut line = |text, value| self.line(name, "histogram", text, value);
        let bounds = BOUNDS_MS.iter().map(|ms| (*ms as f64 / 1000.0).to_string());
        let bounds = bounds.chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(&counts) {
            line(written("_bucket", labels, Some(&bound)), *count as f64);
        }
        line(written("_sum", labels, None), of.sum_seconds());
        let count = counts.last().copied().unwrap_or(0);
        line(written("_count", labels, None), count as f64);
    }

    fn line(&mut self, name: &str, kind: &'static str, text: String, value: f64) {
        let family = self.0.entry(name.replace(['-', '.'], "_"));
        let lines = Vec::new();
        let family = family.or_insert(Family { kind, lines });
        family.lines.push((text, value));
    }

    /// Everything.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for (name, family) in &self.0 {
            // Writing to a String never fails.
            let _ = writeln!(out, "# TYPE {name} {}", family.kind);
            for (after, value) in &family.lines {
                let _ = writeln!(out, "{name}{after} {value}");
            }
        }
        out
    }
}

/// What follows a name: a suffix, and labels, with the bound of a bucket as the last.
fn written(suffix: &str, labels: &[(&str, &str)], bound: Option<&str>) -> String {
    let bound = bound.map(|bound| ("le", bound));
    let all = labels.iter().copied().chain(bound);
    let all: Vec<String> = all.map(|(name, value)| label(name, value)).collect();
    match all.is_empty() {
        true => suffix.to_owned(),
        false => format!("{suffix}{{{}}}", all.join(",")),
    }
}

fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_lines_together_and_labels_are_escaped() {
        let mut page = Page::default();
        page.put("a_total", &[("connector", "x\"y\\z")], 1.0);
        page.put("b-c", &[], 0.5);
        page.put("a_total", &[("connector", "p"), ("task", "0")], 2.0);
        let expected = "# TYPE a_total counter\n\
            a_total{connector=\"x\\\"y\\\\z\"} 1\n\
            a_total{connector=\"p\",task=\"0\"} 2\n\
            # TYPE b_c gauge\n\
            b_c 0.5\n";
        assert_eq!(page.text(), expected);
    }

    #[test]
    fn a_histogram_counts_up_to_all() {
        let (mut page, latency) = (Page::default(), Latency::default());
        latency.take(3, 2);
        page.put_latency("l_seconds", &[("task", "0")], &latency);
        let text = page.text();
        for line in [
            "# TYPE l_seconds histogram",
            "l_seconds_bucket{task=\"0\",le=\"0.002\"} 0",
            "l_seconds_bucket{task=\"0\",le=\"0.005\"} 2",
            "l_seconds_bucket{task=\"0\",le=\"+Inf\"} 2",
            "l_seconds_sum{task=\"0\"} 0.006",
            "l_seconds_count{task=\"0\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
