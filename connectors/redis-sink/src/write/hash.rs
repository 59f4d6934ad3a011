//! Rows as hashes: each field as text, nested values as JSON.

use connect_core::{Datum, Result, json::write_plain};

use super::{Pipeline, Words, Writer, is_row, not_a_row};
use crate::{
    config::HashMode,
    resp::{command, whole, word},
};

impl Writer {
    pub(super) fn read_fields(&mut self, after: Datum<'_>) -> Result<()> {
        if !is_row(after) {
            return Err(not_a_row());
        }
        self.fields.clear();
        self.nulls.clear();
        self.absent.clear();
        for (name, value) in after.entries() {
            if self.placeholder.is(value) {
                self.absent.push(name.as_bytes());
                continue;
            }
            self.value.clear();
            if write_plain(value, self.style, &mut self.value) {
                self.fields.push(name.as_bytes());
                self.fields.push(&self.value);
            } else {
                self.nulls.push(name.as_bytes());
            }
        }
        self.value.clear();
        Ok(())
    }

    pub(super) fn write_hash(&self, to: &mut Pipeline) {
        match (self.hash_mode, self.absent.count) {
            (HashMode::Merge, _) => {
                self.with_key(b"HSET", &self.fields, to);
                self.with_key(b"HDEL", &self.nulls, to);
            }
            (HashMode::Replace, 0) => {
                whole(&[b"DEL", &self.key], to.command());
                self.with_key(b"HSET", &self.fields, to);
            }
            // Invariant 3: what the source did not send keeps its value.
            (HashMode::Replace, absent) => {
                let out = to.command();
                self.call_script(1 + absent + self.fields.count, out);
                word(absent.to_string().as_bytes(), out);
                out.extend_from_slice(&self.absent.bytes);
                out.extend_from_slice(&self.fields.bytes);
            }
        }
    }

    fn with_key(&self, name: &[u8], words: &Words, to: &mut Pipeline) {
        if words.count == 0 {
            return;
        }
        let out = to.command();
        command(2 + words.count, out);
        word(name, out);
        word(&self.key, out);
        out.extend_from_slice(&words.bytes);
    }
}
