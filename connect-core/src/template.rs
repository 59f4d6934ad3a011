//! Names made from records: `inventory:{after.sku}`, `{topic}-{key.id}`. For keys, indices, document ids.

use crate::{
    Datum, Error, Result,
    batch::Row,
    change::source_of,
    json::{self, Style},
};

/// A text with parts of a record in braces, compiled once.
///
/// `{topic}` (also `${topic}`), `{partition}`, `{offset}`, `{key}` (a key of several fields is joined by the separator),
/// `{key.NAME}`, `{after.NAME}` (the row as it is; for a delete as it was), `{source.NAME}`. `{{` and `}}` stand for braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
    separator: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Topic,
    Partition,
    Offset,
    Key,
    KeyField(Box<str>),
    RowField(Box<str>),
    SourceField(Box<str>),
}

impl Template {
    /// Compiles a text; the error says what is wrong with it.
    pub fn parse(text: &str, separator: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                literal.push_str(&from[..1]);
                rest = after;
                continue;
            }
            let (name, after) = from
                .strip_prefix('{')
                .and_then(|inner| inner.split_once('}'))
                .ok_or_else(|| format!("a brace is not closed or not opened in {text}"))?;
            if literal.ends_with('$') {
                literal.pop();
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::parse(name)?);
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self {
            pieces,
            separator: separator.into(),
        })
    }

    /// Appends the text for a record; `side` is the row that `{after.NAME}` reads. On an error `out` has a part of it.
    ///
    /// A part that the record does not have, or has as null, is an error that rejects the record.
    pub fn render(&self, row: Row<'_>, side: Option<Datum<'_>>, out: &mut Vec<u8>) -> Result<()> {
        for piece in &self.pieces {
            if !self.write(piece, row, side, out) {
                return Err(Error::record(
                    "the record has no value for a part of its target's name",
                )
                .context("part", piece.text())
                .context("topic", row.topic()));
            }
        }
        Ok(())
    }

    /// Whether it reads the row, so that a delete without the old row cannot be named.
    pub fn reads_row(&self) -> bool {
        self.pieces.iter().any(|p| matches!(p, Piece::RowField(_)))
    }

    /// Whether all records of a topic have the same name.
    pub fn is_per_topic(&self) -> bool {
        let fixed = |p: &Piece| matches!(p, Piece::Literal(_) | Piece::Topic);
        self.pieces.iter().all(fixed)
    }

    /// Whether it has this part, such as `topic` or `key`.
    pub fn has(&self, name: &str) -> bool {
        self.pieces.iter().any(|p| p.text() == name)
    }

    /// What precedes the first part that is neither text nor the topic, and what follows the last; `None` when there is
    /// no such part. For finding all names of a topic.
    pub fn frame(&self, topic: &str) -> Option<(String, String)> {
        let varies = |p: &Piece| !matches!(p, Piece::Literal(_) | Piece::Topic);
        let (first, last) = (
            self.pieces.iter().position(varies)?,
            self.pieces.iter().rposition(varies)?,
        );
        let fixed = |pieces: &[Piece]| {
            let texts = pieces.iter().map(|p| match p {
                Piece::Literal(text) => text.as_str(),
                _ => topic,
            });
            texts.collect::<String>()
        };
        Some((
            fixed(&self.pieces[..first]),
            fixed(&self.pieces[last + 1..]),
        ))
    }

    fn write(
        &self,
        piece: &Piece,
        row: Row<'_>,
        side: Option<Datum<'_>>,
        out: &mut Vec<u8>,
    ) -> bool {
        let record = row.record();
        match piece {
            Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Topic => out.extend_from_slice(row.topic().as_bytes()),
            Piece::Partition => json::write_integer(i64::from(record.partition), out),
            Piece::Offset => json::write_integer(record.offset, out),
            Piece::Key => return write_key(row.key(), &self.separator, out),
            Piece::KeyField(name) => return write_field(Some(row.key()), name, out),
            Piece::RowField(name) => return write_field(side, name, out),
            Piece::SourceField(name) => return write_field(source_of(row), name, out),
        }
        true
    }
}

impl Piece {
    fn parse(name: &str) -> Result<Self, String> {
        match name {
            "topic" => return Ok(Self::Topic),
            "partition" => return Ok(Self::Partition),
            "offset" => return Ok(Self::Offset),
            "key" => return Ok(Self::Key),
            _ => {}
        }
        match name.split_once('.') {
            Some((_, "")) | None => {}
            Some(("key", field)) => return Ok(Self::KeyField(field.into())),
            Some(("after" | "value", field)) => return Ok(Self::RowField(field.into())),
            Some(("source", field)) => return Ok(Self::SourceField(field.into())),
            Some(_) => {}
        }
        Err(format!(
            "{{{name}}} is none of {{topic}}, {{partition}}, {{offset}}, {{key}}, {{key.NAME}}, {{after.NAME}}, {{source.NAME}}"
        ))
    }

    fn text(&self) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Topic => "topic".into(),
            Self::Partition => "partition".into(),
            Self::Offset => "offset".into(),
            Self::Key => "key".into(),
            Self::KeyField(name) => format!("key.{name}"),
            Self::RowField(name) => format!("after.{name}"),
            Self::SourceField(name) => format!("source.{name}"),
        }
    }
}

/// Appends a key: a scalar as it is, the fields of a struct or map joined. False for no key.
fn write_key(key: Datum<'_>, separator: &str, out: &mut Vec<u8>) -> bool {
    use crate::datum::View;
    if !matches!(key.view(), View::Struct | View::Map) {
        return json::write_plain(key, Style::default(), out);
    }
    let entries = key.entries();
    for (at, (_, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(separator.as_bytes());
        }
        if !json::write_plain(*value, Style::default(), out) {
            return false;
        }
    }
    !entries.is_empty()
}

fn write_field(of: Option<Datum<'_>>, name: &str, out: &mut Vec<u8>) -> bool {
    let Some(of) = of else { return false };
    let found = of.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        of.get(outer)?.get(inner)
    });
    found.is_some_and(|datum| json::write_plain(datum, Style::default(), out))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Batch, Field, Record, Route, Schema, Type, Value};

    fn render(template: &str, key: Value, value: Value) -> Result<String> {
        let schema = Arc::new(Schema::structure([
            Field::new("id", Schema::of(Type::Int32)),
            Field::new("sku", Schema::of(Type::String)),
        ]));
        let route = Route::new("shop.items", Some(Arc::clone(&schema)), Some(schema));
        let mut batch = Batch::default();
        let at = batch.route_index(&route);
        let key = batch.push_value(&key, route.key().map(|s| &**s));
        let value = batch.push_value(&value, route.value().map(|s| &**s));
        batch.push(Record::new(at, key, value));
        let row = batch.row(0).unwrap();
        let side = Some(row.value()).filter(|v| !v.is_null());
        let mut out = Vec::new();
        let template = Template::parse(template, ":").unwrap();
        template.render(row, side, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn pair(id: i64, sku: &str) -> Value {
        Value::Map(vec![
            ("id".into(), Value::Int(id)),
            ("sku".into(), sku.into()),
        ])
    }

    #[test]
    fn parts_are_filled_in() {
        let of = |text| render(text, pair(7, "k"), pair(7, "é-1")).unwrap();
        assert_eq!(of("inventory:{after.sku}"), "inventory:é-1");
        assert_eq!(of("{topic}:{key}"), "shop.items:7:k");
        assert_eq!(of("${topic}/{key.id}"), "shop.items/7");
        assert_eq!(of("{{{key.id}}}"), "{7}");
    }

    #[test]
    fn a_missing_part_rejects_the_record() {
        let err = render("{after.sku}", pair(1, "a"), Value::Null).unwrap_err();
        assert!(err.to_string().contains("part = after.sku"));
        assert_eq!(err.verdict(), crate::Verdict::Reject);
        assert!(render("{key.none}", pair(1, "a"), pair(1, "a")).is_err());
        assert!(render("{key}", Value::Null, pair(1, "a")).is_err());
    }

    #[test]
    fn wrong_texts_are_refused() {
        for bad in ["{", "}", "{topic", "{nothing}", "{key.}", "a{b}c"] {
            assert!(Template::parse(bad, ":").is_err(), "{bad}");
        }
    }

    #[test]
    fn the_fixed_frame_of_a_topic_is_known() {
        let parse = |text| Template::parse(text, ":").unwrap();
        let frame = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(parse("{topic}:{key}").frame("t"), frame("t:", ""));
        assert_eq!(
            parse("a{key.x}-{after.y}:{topic}").frame("t"),
            frame("a", ":t")
        );
        assert_eq!(parse("{topic}").frame("t"), None);
        assert!(parse("x-{topic}").is_per_topic() && !parse("{key}").is_per_topic());
    }
}
