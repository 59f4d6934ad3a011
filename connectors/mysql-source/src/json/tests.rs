use proptest::prelude::*;

use super::*;

/// A document, to be written as the server writes it.
#[derive(Debug, Clone)]
enum Doc {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Array(Vec<Doc>),
    Object(Vec<(String, Doc)>),
}

impl Doc {
    /// Type and bytes; with offsets of four bytes, or of two.
    fn binary(&self, wide: usize) -> (u8, Vec<u8>) {
        match self {
            Self::Null => (4, vec![0]),
            Self::Bool(yes) => (4, vec![if *yes { 1 } else { 2 }]),
            Self::Int(n) => match i16::try_from(*n) {
                Ok(n) => (5, n.to_le_bytes().to_vec()),
                Err(_) => match i32::try_from(*n) {
                    Ok(n) => (7, n.to_le_bytes().to_vec()),
                    Err(_) => (9, n.to_le_bytes().to_vec()),
                },
            },
            Self::Uint(n) => match (u16::try_from(*n), u32::try_from(*n)) {
                (Ok(n), _) => (6, n.to_le_bytes().to_vec()),
                (_, Ok(n)) => (8, n.to_le_bytes().to_vec()),
                _ => (10, n.to_le_bytes().to_vec()),
            },
            Self::Double(n) => (11, n.to_le_bytes().to_vec()),
            Self::Text(text) => {
                let mut bytes = Vec::new();
                let mut len = text.len();
                while len > 0x7f {
                    bytes.push(len as u8 | 0x80);
                    len >>= 7;
                }
                bytes.push(len as u8);
                bytes.extend_from_slice(text.as_bytes());
                (12, bytes)
            }
            Self::Array(items) => {
                let items: Vec<(&str, &Doc)> = items.iter().map(|item| ("", item)).collect();
                (
                    if wide == 2 { 2 } else { 3 },
                    container(&items, wide, false),
                )
            }
            Self::Object(members) => {
                let members: Vec<(&str, &Doc)> = members.iter().map(|(n, v)| (&**n, v)).collect();
                (
                    if wide == 2 { 0 } else { 1 },
                    container(&members, wide, true),
                )
            }
        }
    }

    fn document(&self, wide: usize) -> Vec<u8> {
        let (kind, bytes) = self.binary(wide);
        [vec![kind], bytes].concat()
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(yes) => (*yes).into(),
            Self::Int(n) => (*n).into(),
            Self::Uint(n) => (*n).into(),
            Self::Double(n) => (*n).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Array(items) => items.iter().map(Self::json).collect(),
            Self::Object(members) => members.iter().map(|(n, v)| (n.clone(), v.json())).collect(),
        }
    }
}

fn container(entries: &[(&str, &Doc)], wide: usize, is_object: bool) -> Vec<u8> {
    let number = |n: usize| (n as u32).to_le_bytes()[..wide].to_vec();
    let name_entry = if is_object { wide + 2 } else { 0 };
    let head = 2 * wide + entries.len() * (name_entry + 1 + wide);
    let (mut names, mut values, mut data) = (Vec::new(), Vec::new(), Vec::new());
    if is_object {
        for (name, _) in entries {
            names.extend(number(head + data.len()));
            names.extend((name.len() as u16).to_le_bytes());
            data.extend_from_slice(name.as_bytes());
        }
    }
    for (_, value) in entries {
        let (kind, bytes) = value.binary(wide);
        values.push(kind);
        if matches!(kind, 4..=6) || (wide == 4 && matches!(kind, 7 | 8)) {
            let mut inline = bytes.clone();
            inline.resize(wide, 0);
            values.extend(inline);
        } else {
            values.extend(number(head + data.len()));
            data.extend(bytes);
        }
    }
    let size = head + data.len();
    [number(entries.len()), number(size), names, values, data].concat()
}

fn text(document: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    push(document, &mut out).ok()?;
    Some(String::from_utf8(out).unwrap())
}

fn object(members: &[(&str, Doc)]) -> Doc {
    Doc::Object(
        members
            .iter()
            .map(|(n, v)| ((*n).to_owned(), v.clone()))
            .collect(),
    )
}

fn opaque(column: u8, bytes: &[u8]) -> Vec<u8> {
    [&[15, column, bytes.len() as u8], bytes].concat()
}

#[test]
fn doubles_have_no_exponents() {
    for (number, expected) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.5, "1.5"),
        (9_999_999.0, "9999999.0"),
        (1e7, "10000000"),
        (12_345_678.5, "12345678.5"),
        (1e23, "99999999999999991611392"),
        (0.001, "0.001"),
        (0.000_976_562_5, "0.0009765625"),
        (
            -1e-4,
            "-0.000100000000000000004792173602385929598312941379845142364501953125",
        ),
    ] {
        assert_eq!(text(&Doc::Double(number).document(2)).unwrap(), expected);
    }
    assert_eq!(text(&Doc::Double(f64::NAN).document(2)), None);
}

#[test]
fn texts_are_escaped_as_java_does() {
    let doc = Doc::Text("a\"\\/\u{8}\t\u{c}\n\r\u{1}\u{1f}ä🦀".to_owned());
    let expected = "\"a\\\"\\\\/\\b\\t\\f\\n\\r\\u0001\\u001Fä🦀\"";
    assert_eq!(text(&doc.document(2)).unwrap(), expected);
}

#[test]
fn values_of_columns_are_shown() {
    let packed = |days: i64, time: i64, us: i64| (days << 41 | time << 24 | us).to_le_bytes();
    let (date, time) = ((2015 * 13 + 1) << 5 | 15, 23 << 12 | 24 << 6 | 25);
    let shown = |column, bytes: &[u8]| text(&opaque(column, bytes)).unwrap();
    assert_eq!(shown(10, &packed(date, 0, 0)), "\"2015-01-15\"");
    assert_eq!(
        shown(12, &packed(date, time, 120_000)),
        "\"2015-01-15 23:24:25.12\""
    );
    assert_eq!(shown(7, &packed(date, time, 0)), "\"2015-01-15 23:24:25\"");
    assert_eq!(shown(11, &packed(0, time, 3)), "\"23:24:25.000003\"");
    let negative = -(1i64 << 36 | 30 << 30 | 500_000);
    assert_eq!(shown(11, &negative.to_le_bytes()), "\"-01:30:00.5\"");
    let decimal = [14, 4, 0x81, 0x0D, 0xFB, 0x38, 0xD2, 0x04, 0xD2];
    assert_eq!(shown(246, &decimal), "1234567890.1234");
    assert_eq!(shown(252, b"foob"), "\"Zm9vYg==\"");
    for column in [7, 10, 11, 12, 246] {
        assert_eq!(text(&opaque(column, b"x")), None);
    }
}

#[test]
fn every_prefix_fails_politely() {
    let doc = object(&[
        ("a", Doc::Int(70_000)),
        (
            "bb",
            Doc::Array(vec![Doc::Text("x".repeat(200)), Doc::Null]),
        ),
        ("ccc", Doc::Double(2.5)),
    ]);
    for wide in [2, 4] {
        let whole = doc.document(wide);
        assert!(text(&whole).is_some());
        for end in 1..whole.len() {
            assert_eq!(text(&whole[..end]), None);
        }
    }
    assert_eq!(text(&[]).unwrap(), "{}");
}

#[test]
fn values_that_share_bytes_are_refused() {
    // An array of arrays that are all the same bytes.
    let inner = Doc::Array(vec![Doc::Text("x".repeat(50))]).binary(2).1;
    let mut bytes = vec![2u8];
    let head = 4 + 100 * 3;
    bytes.extend_from_slice(&100u16.to_le_bytes());
    bytes.extend_from_slice(&((head + inner.len()) as u16).to_le_bytes());
    for _ in 0..100 {
        bytes.push(2);
        bytes.extend_from_slice(&(head as u16).to_le_bytes());
    }
    bytes.extend_from_slice(&inner);
    assert_eq!(text(&bytes), None);
}

#[test]
fn changes_are_applied() {
    let before = object(&[
        ("a", Doc::Int(1)),
        ("c", Doc::Array(vec![Doc::Int(1), Doc::Int(2)])),
        ("d d", Doc::Text("x".to_owned())),
    ]);
    let change = |operation: u8, path: &str, value: Option<Doc>| {
        let mut bytes = vec![operation, path.len() as u8];
        bytes.extend_from_slice(path.as_bytes());
        if let Some(value) = value {
            let value = value.document(2);
            bytes.push(value.len() as u8);
            bytes.extend_from_slice(&value);
        }
        bytes
    };
    let after = |diffs: &[u8]| {
        let mut out = Vec::new();
        push_changed(&before.document(2), diffs, &mut out).ok()?;
        Some(String::from_utf8(out).unwrap())
    };
    let diffs = [
        change(0, "$.a", Some(Doc::Text("new".to_owned()))),
        change(1, "$.b", Some(Doc::Array(vec![]))),
        change(1, "$.b[0]", Some(Doc::Bool(true))),
        change(1, "$.c[1]", Some(object(&[("e", Doc::Null)]))),
        change(0, "$.c[1].e", Some(Doc::Int(5))),
        change(2, "$.\"d d\"", None),
    ]
    .concat();
    assert_eq!(
        after(&diffs).unwrap(),
        r#"{"a":"new","b":[true],"c":[1,{"e":5},2]}"#
    );
    let whole = change(0, "$", Some(Doc::Null));
    assert_eq!(after(&whole).unwrap(), "null");
    for end in 1..whole.len() {
        assert_eq!(after(&whole[..end]), None);
    }
    for wrong in [
        change(0, "$.x", Some(Doc::Null)),
        change(1, "$.a", Some(Doc::Null)),
        change(2, "$.c[2]", None),
        change(2, "$", None),
        change(1, "$.a.b", Some(Doc::Null)),
        change(3, "$.a", Some(Doc::Null)),
    ] {
        assert_eq!(after(&wrong), None);
    }
}

fn doc() -> impl Strategy<Value = Doc> {
    let leaf = prop_oneof![
        Just(Doc::Null),
        any::<bool>().prop_map(Doc::Bool),
        any::<i64>().prop_map(Doc::Int),
        any::<i32>().prop_map(|n| Doc::Int(n.into())),
        any::<u64>().prop_map(Doc::Uint),
        any::<u32>().prop_map(|n| Doc::Uint(n.into())),
        (-1e6..1e6).prop_map(Doc::Double),
        any::<String>().prop_map(Doc::Text),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Doc::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Doc::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn documents_come_back(doc in doc(), wide in prop_oneof![Just(2usize), Just(4)]) {
        let shown = text(&doc.document(wide)).unwrap();
        let parsed: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&doc.json().to_string()).unwrap();
        prop_assert_eq!(parsed, expected);
    }

    #[test]
    fn never_panic(document: Vec<u8>, diffs: Vec<u8>) {
        let _ = push(&document, &mut Vec::new());
        let _ = push_changed(&document, &diffs, &mut Vec::new());
    }

    #[test]
    fn damaged_documents_never_panic(doc in doc(), at: prop::sample::Index, byte: u8) {
        let mut bytes = doc.document(2);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = push(&bytes, &mut Vec::new());
    }
}
