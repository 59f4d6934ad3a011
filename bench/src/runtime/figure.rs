//! One number and what it has to be.

use serde_json::{Value, json};

use crate::tool::ToolKind;

/// One number of one tool.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    tool: ToolKind,
    what: String,
    value: f64,
    unit: &'static str,
    /// At most this, where there is a bar.
    bar: Option<f64>,
}

/// All numbers so far, in the order of measuring.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<Figure>);

impl Figures {
    /// Keeps a number, and prints it.
    pub(crate) fn add(
        &mut self,
        tool: ToolKind,
        what: impl Into<String>,
        (value, unit): (f64, &'static str),
        bar: impl Into<Option<f64>>,
    ) {
        let figure = Figure {
            tool,
            what: what.into(),
            value,
            unit,
            bar: bar.into(),
        };
        println!("{}", figure.row());
        self.0.push(figure);
    }

    pub(crate) fn into_all(self) -> Vec<Figure> {
        self.0
    }
}

impl Figure {
    fn row(&self) -> String {
        let Self {
            tool, what, unit, ..
        } = self;
        let name = tool_name(*tool);
        format!("| {name} | {what} | {} {unit} |", number(self.value))
    }

    /// As JSON.
    pub(crate) fn object(&self) -> Value {
        json!({
            "tool": tool_name(self.tool),
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "bar": self.bar,
        })
    }
}

/// The head of the rows that are printed while measuring.
pub(crate) fn head() -> &'static str {
    "| tool | what | figure |\n|---|---|---|"
}

/// A row per number: ours, the peer's, the bar.
pub(crate) fn comparison(all: &[Figure]) -> String {
    let of = |tool: ToolKind, what: &str| all.iter().find(|f| f.tool == tool && f.what == what);
    let mut text = String::from(
        "| what | unit | Tidewater | Kafka Connect | bar | |\n|---|---|---|---|---|---|\n",
    );
    for ours in all.iter().filter(|f| f.tool == ToolKind::Tidewater) {
        let theirs = of(ToolKind::Debezium, &ours.what);
        let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number);
        let verdict = match ours.bar {
            None => "",
            Some(bar) if ours.value <= bar => "reached",
            Some(_) => "MISSED",
        };
        text += &format!(
            "| {} | {} | {} | {} | {} | {verdict} |\n",
            ours.what,
            ours.unit,
            number(ours.value),
            cell(theirs.map(|f| f.value)),
            cell(ours.bar),
        );
    }
    text
}

fn tool_name(tool: ToolKind) -> &'static str {
    match tool {
        ToolKind::Tidewater => "Tidewater",
        ToolKind::Debezium => "Kafka Connect",
    }
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_reached_or_missed() {
        let mut figures = Figures::default();
        figures.add(ToolKind::Tidewater, "restart", (49.0, "ms"), 50.0);
        figures.add(ToolKind::Tidewater, "move", (1500.0, "ms"), 1000.0);
        figures.add(ToolKind::Debezium, "restart", (2500.0, "ms"), None);
        let text = comparison(&figures.into_all());
        assert!(
            text.contains("| restart | ms | 49.0 | 2500 | 50.0 | reached |"),
            "{text}"
        );
        assert!(
            text.contains("| move | ms | 1500 | – | 1000 | MISSED |"),
            "{text}"
        );
    }
}
