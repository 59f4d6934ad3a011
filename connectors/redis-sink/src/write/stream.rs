//! Records as entries of a stream: the key as `_key`, then each field of the value, nested ones as JSON. A tombstone has
//! `_deleted` in place of fields.

use connect_core::{
    Result,
    batch::Row,
    json::{write_integer, write_plain},
};

use super::{Pipeline, Writer, is_row};
use crate::{
    config::StreamId,
    resp::{command, word},
};

impl Writer {
    pub(super) fn stream_entry(&mut self, row: Row<'_>, to: &mut Pipeline) -> Result<()> {
        self.keys.stream(row, &mut self.key)?;
        self.read_entry(row);
        let out = to.command();
        let limit = if self.stream_length.is_some() { 3 } else { 0 };
        command(3 + limit + self.fields.count, out);
        word(b"XADD", out);
        word(&self.key, out);
        if let Some(length) = &self.stream_length {
            word(b"MAXLEN", out);
            word(b"~", out);
            word(length, out);
        }
        self.value.clear();
        let offset = row.record().offset;
        if self.stream_id == StreamId::Offset && offset >= 0 {
            write_integer(offset, &mut self.value);
            // The id 0-0 is not allowed, and offsets begin with 0.
            self.value.extend_from_slice(b"-1");
        } else {
            self.value.push(b'*');
        }
        word(&self.value, out);
        out.extend_from_slice(&self.fields.bytes);
        Ok(())
    }

    fn read_entry(&mut self, row: Row<'_>) {
        self.fields.clear();
        self.value.clear();
        if write_plain(row.key(), self.style, &mut self.value) {
            self.fields.push(b"_key");
            self.fields.push(&self.value);
        }
        let value = row.value();
        if value.is_null() {
            self.fields.push(b"_deleted");
            self.fields.push(b"true");
            return;
        }
        let entries = match is_row(value) {
            true => value.entries(),
            false => vec![("value".into(), value)],
        };
        for (name, value) in entries {
            if self.placeholder.is(value) {
                continue;
            }
            self.value.clear();
            if write_plain(value, self.style, &mut self.value) {
                self.fields.push(name.as_bytes());
                self.fields.push(&self.value);
            }
        }
        if self.fields.count == 0 {
            self.fields.push(b"_empty");
            self.fields.push(b"true");
        }
    }
}
