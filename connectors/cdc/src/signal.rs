//! Signals: what people tell a running connector, in Debezium's words.

use std::fmt;

use regex::Regex;

/// A signal as it came: a row of the signal table, a line of a file, a record of a topic, a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Its name, which its notifications carry.
    pub id: String,
    /// What kind, as in `execute-snapshot`.
    pub kind: String,
    /// The rest as a JSON object; may be empty.
    pub data: String,
}

/// What a signal asks for.
#[derive(Debug, Clone)]
pub enum Order {
    /// `log`: a line in the log, where `{}` stands for the position.
    Log(String),
    /// `execute-snapshot`
    Execute(Execute),
    /// `stop-snapshot`: of the tables whose names match; of all when there are none.
    Stop(Vec<String>),
    /// `pause-snapshot`
    Pause,
    /// `resume-snapshot`
    Resume,
    /// `snapshot-window-open`: a mark of our own in the stream.
    WindowOpen,
    /// `snapshot-window-close`: a mark of our own in the stream.
    WindowClose,
}

/// A snapshot on demand.
#[derive(Debug, Clone)]
pub struct Execute {
    /// Whether the stream waits meanwhile.
    pub blocking: bool,
    /// Names of tables: regular expressions, anchored.
    pub collections: Vec<String>,
    /// Which rows of which tables; of a blocking snapshot whole statements.
    pub conditions: Vec<Condition>,
    /// The column in whose order rows are read instead of the key.
    pub surrogate_key: Option<String>,
}

/// One of `additional-conditions`.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The tables it is for, as it was given.
    pub collection: String,
    pattern: Regex,
    /// SQL.
    pub filter: String,
}

/// Why a signal cannot be obeyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Signal {
    /// Reads `{"id":…,"type":…,"data":{…}}`.
    pub fn of_json(text: &[u8]) -> Result<Self, Malformed> {
        let value: serde_json::Value = serde_json::from_slice(text)
            .map_err(|error| Malformed(format!("it is no JSON: {error}")))?;
        let text = |key: &str| value.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let missing = |key: &str| Malformed(format!("\"{key}\" is missing"));
        let data = match value.get("data") {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(data) => data.to_string(),
        };
        Ok(Self {
            id: text("id").ok_or_else(|| missing("id"))?,
            kind: text("type").ok_or_else(|| missing("type"))?,
            data,
        })
    }

    /// What it asks for.
    pub fn order(&self) -> Result<Order, Malformed> {
        let data = match self.data.trim() {
            "" => serde_json::json!({}),
            text => serde_json::from_str(text)
                .map_err(|error| Malformed(format!("its data is no JSON: {error}")))?,
        };
        if !data.is_object() {
            return Err(Malformed("its data is no JSON object".to_owned()));
        }
        Ok(match self.kind.as_str() {
            "log" => match data["message"].as_str() {
                Some(message) if !message.is_empty() => Order::Log(message.to_owned()),
                _ => return Err(Malformed("\"message\" is missing".to_owned())),
            },
            "execute-snapshot" => Order::Execute(execute(&data)?),
            "stop-snapshot" => {
                if is_blocking(&data)? {
                    let what = "a blocking snapshot cannot be stopped";
                    return Err(Malformed(what.to_owned()));
                }
                Order::Stop(collections(&data)?)
            }
            "pause-snapshot" => Order::Pause,
            "resume-snapshot" => Order::Resume,
            "snapshot-window-open" => Order::WindowOpen,
            "snapshot-window-close" => Order::WindowClose,
            other => return Err(Malformed(format!("nobody knows the type \"{other}\""))),
        })
    }
}

fn execute(data: &serde_json::Value) -> Result<Execute, Malformed> {
    let collections = collections(data)?;
    if collections.is_empty() {
        return Err(Malformed("\"data-collections\" is missing".to_owned()));
    }
    for name in &collections {
        pattern(name, false)?;
    }
    let conditions = data["additional-conditions"].as_array();
    let conditions = conditions.into_iter().flatten().map(condition);
    let surrogate = data["surrogate-key"].as_str().map(str::trim);
    Ok(Execute {
        blocking: is_blocking(data)?,
        collections,
        conditions: conditions.collect::<Result<_, _>>()?,
        surrogate_key: surrogate.filter(|k| !k.is_empty()).map(str::to_owned),
    })
}

fn is_blocking(data: &serde_json::Value) -> Result<bool, Malformed> {
    let kind = data["type"].as_str().unwrap_or("incremental");
    match kind.to_ascii_lowercase().as_str() {
        "incremental" => Ok(false),
        "blocking" => Ok(true),
        _ => Err(Malformed(format!(
            "nobody knows a snapshot of type \"{kind}\""
        ))),
    }
}

fn collections(data: &serde_json::Value) -> Result<Vec<String>, Malformed> {
    let Some(items) = data.get("data-collections").filter(|v| !v.is_null()) else {
        return Ok(Vec::new());
    };
    let wrong = || Malformed("\"data-collections\" is no list of names".to_owned());
    let name = |item: &serde_json::Value| item.as_str().map(|text| text.trim().to_owned());
    let items = items.as_array().ok_or_else(wrong)?;
    items
        .iter()
        .map(name)
        .collect::<Option<_>>()
        .ok_or_else(wrong)
}

fn condition(value: &serde_json::Value) -> Result<Condition, Malformed> {
    let text = |key: &str| {
        let missing = || Malformed(format!("a condition has no \"{key}\""));
        value[key].as_str().ok_or_else(missing)
    };
    let (collection, filter) = (text("data-collection")?, text("filter")?);
    Ok(Condition {
        collection: collection.to_owned(),
        pattern: pattern(collection, true)?,
        filter: filter.to_owned(),
    })
}

/// An anchored expression.
fn pattern(text: &str, blind: bool) -> Result<Regex, Malformed> {
    let flags = if blind { "(?i)" } else { "" };
    Regex::new(&format!("{flags}^(?:{text})$"))
        .map_err(|_| Malformed(format!("\"{text}\" is no regular expression")))
}

/// The names that match, each once, in the order of the patterns; a pattern that matches none stands for itself.
pub fn expand<'a>(
    patterns: &[String],
    names: impl Iterator<Item = &'a str> + Clone,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in patterns {
        let before = all.len();
        let mut matched = false;
        if let Ok(pattern) = pattern(text, false) {
            for name in names.clone().filter(|name| pattern.is_match(name)) {
                matched = true;
                if !all.iter().any(|known| known == name) {
                    all.push(name.to_owned());
                }
            }
        }
        if !matched && before == all.len() && !all.contains(text) {
            all.push(text.clone());
        }
    }
    all
}

impl Execute {
    /// What a signal with this data asks for; `None` when it cannot be obeyed.
    pub fn of_data(data: &str) -> Option<Self> {
        let signal = Signal {
            id: String::new(),
            kind: "execute-snapshot".to_owned(),
            data: data.to_owned(),
        };
        match signal.order() {
            Ok(Order::Execute(execute)) => Some(execute),
            _ => None,
        }
    }

    /// The statement that gives the rows of a table in a blocking snapshot, where that is not the table itself.
    pub fn statement(&self, name: &str) -> Option<String> {
        let statement = self.filter(name)?;
        Some(statement.trim_end_matches(';').to_owned())
    }

    /// The filter of a table.
    pub fn filter(&self, name: &str) -> Option<&str> {
        let of = |one: &&Condition| one.pattern.is_match(name);
        let filter = self.conditions.iter().find(of).map(|one| one.filter.trim());
        filter.filter(|filter| !filter.is_empty())
    }
}

/// The message of a `log` signal with the position in it.
pub fn logged(message: &str, position: &str) -> String {
    message.replacen("{}", position, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(kind: &str, data: &str) -> Result<Order, Malformed> {
        let (id, kind, data) = ("1".to_owned(), kind.to_owned(), data.to_owned());
        Signal { id, kind, data }.order()
    }

    #[test]
    fn a_snapshot_names_tables_conditions_and_a_key() {
        let data = r#"{"data-collections": ["public\\.a.*", " public.b "], "type": "INCREMENTAL",
            "additional-conditions": [{"data-collection": "PUBLIC.b", "filter": "x > 1"}], "surrogate-key": "n"}"#;
        let Ok(Order::Execute(execute)) = order("execute-snapshot", data) else {
            panic!("it can be obeyed");
        };
        assert!(!execute.blocking);
        assert_eq!(execute.surrogate_key.as_deref(), Some("n"));
        assert_eq!(execute.filter("public.b"), Some("x > 1"));
        assert_eq!(execute.filter("public.a"), None);
        let names = ["public.a1", "public.a2", "public.c"];
        assert_eq!(
            expand(&execute.collections, names.into_iter()),
            ["public.a1", "public.a2", "public.b"],
            "what matches nothing stands for itself"
        );
    }

    #[test]
    fn what_cannot_be_obeyed_says_why() {
        for (kind, data, why) in [
            ("execute-snapshot", "{}", "\"data-collections\" is missing"),
            ("execute-snapshot", "[]", "its data is no JSON object"),
            (
                "execute-snapshot",
                r#"{"data-collections": [1]}"#,
                "\"data-collections\" is no list of names",
            ),
            (
                "execute-snapshot",
                r#"{"data-collections": ["("]}"#,
                "\"(\" is no regular expression",
            ),
            (
                "execute-snapshot",
                r#"{"data-collections": ["a"], "type": "x"}"#,
                "nobody knows a snapshot of type \"x\"",
            ),
            (
                "execute-snapshot",
                r#"{"data-collections": ["a"], "additional-conditions": [{}]}"#,
                "a condition has no \"data-collection\"",
            ),
            ("log", "", "\"message\" is missing"),
            ("dance", "", "nobody knows the type \"dance\""),
        ] {
            assert_eq!(order(kind, data).unwrap_err().0, why);
        }
        assert!(order("log", "{").is_err());
        assert!(matches!(order("stop-snapshot", ""), Ok(Order::Stop(all)) if all.is_empty()));
    }

    #[test]
    fn signals_are_read_from_json() {
        let signal =
            Signal::of_json(br#"{"id":"1","type":"log","data":{"message":"at {}"}}"#).unwrap();
        assert!(matches!(signal.order(), Ok(Order::Log(m)) if logged(&m, "7") == "at 7"));
        assert!(Signal::of_json(b"{}").is_err() && Signal::of_json(b"\xff").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, kind: String, data: String) {
            let _ = Signal::of_json(&bytes);
            let _ = order(&kind, &data);
        }
    }
}
