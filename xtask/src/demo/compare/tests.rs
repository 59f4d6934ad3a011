use serde_json::json;

use super::*;

/// A sink in memory.
struct Memory {
    plain: bool,
    held: Vec<(&'static str, &'static str, Value)>,
}

impl Mirror for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn is_plain(&self) -> bool {
        self.plain
    }

    fn beat(&mut self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn rows(&mut self) -> Result<u64> {
        Ok(self.held.len() as u64)
    }

    fn writes(&mut self) -> Result<u64> {
        Ok(0)
    }

    fn fetch(&mut self, table: &str, keys: &[&str]) -> Result<Vec<Option<Document>>> {
        let find = |key: &&str| {
            let found = self.held.iter().find(|it| it.0 == table && it.1 == *key)?;
            found.2.as_object().cloned()
        };
        Ok(keys.iter().map(find).collect())
    }

    fn keys(&mut self) -> Result<Vec<(String, String)>> {
        let pair = |it: &(&str, &str, Value)| (it.0.to_owned(), it.1.to_owned());
        Ok(self.held.iter().map(pair).collect())
    }
}

fn truth() -> Truth {
    let columns = [
        ("id", Form::Integer),
        ("name", Form::Text),
        ("score", Form::Single),
        ("gift", Form::Bool),
        ("tags", Form::Items),
    ];
    let copy = "1\t1\ta\\nb\t0.1\ttrue\t[\"x\", null]\n2\t2\t\\N\t\\N\t\\N\t\\N\n";
    let column = |(name, form): &(&str, Form)| Column {
        name: (*name).to_owned(),
        form: *form,
    };
    Truth {
        table: "items".to_owned(),
        columns: columns.iter().map(column).collect(),
        lines: copy.to_owned(),
        row: crate::demo::postgres::row,
    }
}

fn search() -> Memory {
    let first = json!({"id": 1, "name": "a\nb", "score": 1e-1, "gift": true, "tags": ["x", null]});
    let second = json!({"id": 2, "name": null, "score": null});
    Memory {
        plain: false,
        held: vec![("items", "1", first), ("items", "2", second)],
    }
}

fn redis() -> Memory {
    let first =
        json!({"id": "1", "name": "a\nb", "score": "0.1", "gift": "true", "tags": "[\"x\",null]"});
    let second = json!({"id": "2"});
    Memory {
        plain: true,
        held: vec![("items", "1", first), ("items", "2", second)],
    }
}

fn compared(mut memory: Memory) -> Finding {
    let mut known = HashSet::new();
    let finding = rows(&truth(), &mut memory, &mut known).unwrap();
    let mut findings = Findings::from([("items".to_owned(), finding)]);
    extra(&mut memory, &known, &mut findings).unwrap();
    findings.remove("items").unwrap()
}

fn counts(finding: &Finding) -> [u64; 4] {
    [
        finding.equal,
        finding.different,
        finding.missing,
        finding.extra,
    ]
}

#[test]
fn equal_sinks_are_equal() {
    for memory in [search(), redis()] {
        let finding = compared(memory);
        assert!(finding.is_clean(), "{finding:?}");
        assert_eq!(finding.equal, 2);
    }
}

#[test]
fn each_corrupted_column_is_found() {
    let wrong: [(&str, Value); 7] = [
        ("id", json!(3)),
        ("id", json!("1")),
        ("name", json!("a b")),
        ("name", json!(null)),
        ("score", json!(0.100_001)),
        ("gift", json!("true")),
        ("tags", json!(["x"])),
    ];
    for (name, value) in wrong {
        let mut memory = search();
        memory.held[0].2[name] = value;
        let finding = compared(memory);
        assert_eq!(counts(&finding), [1, 1, 0, 0], "{name}");
        assert!(finding.examples[0].starts_with(&format!("1: {name} ")));
    }
    for (name, value) in [
        ("id", "01"),
        ("name", "a"),
        ("score", "x"),
        ("gift", "t"),
        ("tags", "{x}"),
    ] {
        let mut memory = redis();
        memory.held[0].2[name] = value.into();
        assert_eq!(counts(&compared(memory)), [1, 1, 0, 0], "{name}");
    }
}

#[test]
fn a_null_is_not_an_empty_text_and_a_column_too_many_is_found() {
    let mut memory = redis();
    memory.held[1].2["name"] = "".into();
    assert_eq!(counts(&compared(memory)), [1, 1, 0, 0]);
    let mut memory = search();
    memory.held[1].2["surplus"] = 1.into();
    assert_eq!(counts(&compared(memory)), [1, 1, 0, 0]);
}

#[test]
fn rows_that_are_missing_or_too_many_are_found() {
    let mut memory = search();
    memory.held.pop();
    assert_eq!(counts(&compared(memory)), [1, 0, 1, 0]);
    let mut memory = redis();
    memory.held.push(("items", "3", json!({"id": "3"})));
    assert_eq!(counts(&compared(memory)), [2, 0, 0, 1]);
}
