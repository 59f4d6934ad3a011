//! Rows as JSON, in a string or a RedisJSON document; plain values as strings.

use connect_core::{
    Datum, Result,
    json::{self, write_plain, write_string},
};

use super::{Pipeline, Writer, is_row};
use crate::{
    config::Kind,
    resp::{whole, word},
};

impl Writer {
    pub(super) fn read_document(&mut self, after: Datum<'_>) -> Result<()> {
        self.value.clear();
        self.fields.clear();
        self.absent.clear();
        if !is_row(after) {
            match self.kind {
                Kind::Json => json::write(after, self.style, &mut self.value),
                _ => _ = write_plain(after, self.style, &mut self.value),
            }
            return Ok(());
        }
        let mut name_in_quotes = Vec::new();
        self.value.push(b'{');
        for (name, value) in after.entries() {
            if self.placeholder.is(value) {
                name_in_quotes.clear();
                write_string(name.as_bytes(), &mut name_in_quotes);
                self.absent.push(&name_in_quotes);
                continue;
            }
            if self.value.len() > 1 {
                self.value.push(b',');
            }
            write_string(name.as_bytes(), &mut self.value);
            self.value.push(b':');
            json::write(value, self.style, &mut self.value);
        }
        self.value.push(b'}');
        Ok(())
    }

    pub(super) fn write_document(&self, to: &mut Pipeline) {
        let out = to.command();
        // Invariant 3: what the source did not send keeps its value.
        if self.absent.count > 0 {
            self.call_script(1 + self.absent.count, out);
            word(&self.value, out);
            out.extend_from_slice(&self.absent.bytes);
        } else if self.kind == Kind::Json {
            whole(&[b"JSON.SET", &self.key, b"$", &self.value], out);
        } else {
            whole(&[b"SET", &self.key, &self.value], out);
        }
    }
}
