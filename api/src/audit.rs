//! The audit log: who asked for what, when, from where, and what came of it. A line of JSON each, and no secret.

use std::{
    fs::{File, OpenOptions},
    io::Write,
};

use connect_core::{Error, Result};
use parking_lot::Mutex;
use serde::Serialize;

use crate::settings::RestConfig;

/// Where lines go.
pub(crate) struct Audit {
    target: Target,
    reads: bool,
}

enum Target {
    Nowhere,
    Log,
    File(Mutex<File>),
}

/// A request and its answer.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    /// RFC 3339, in UTC.
    pub(crate) time: String,
    /// The login, the token's name or the certificate's subject; null for nobody.
    pub(crate) who: Option<&'a str>,
    pub(crate) role: Option<&'static str>,
    pub(crate) from: String,
    pub(crate) method: &'a str,
    /// Without the query.
    pub(crate) path: &'a str,
    pub(crate) connector: Option<String>,
    pub(crate) status: u16,
    pub(crate) milliseconds: u64,
}

impl Audit {
    /// Opens the file.
    pub(crate) fn new(config: &RestConfig) -> Result<Self> {
        let target = match config.audit.as_deref() {
            None => Target::Nowhere,
            Some("log") => Target::Log,
            Some(path) => {
                let opened = OpenOptions::new().create(true).append(true).open(path);
                let file = opened.map_err(|error| {
                    Error::config(format!("rest.audit.log: {path} cannot be written"))
                        .caused_by(error)
                })?;
                Target::File(Mutex::new(file))
            }
        };
        Ok(Self {
            target,
            reads: config.audit_reads,
        })
    }

    /// Whether a request is told: all that change something or were refused, and reads where these are wanted.
    pub(crate) fn wants(&self, is_read: bool, status: u16) -> bool {
        let is_refused = matches!(status, 401 | 403 | 429);
        !matches!(self.target, Target::Nowhere) && (!is_read || is_refused || self.reads)
    }

    /// Writes a line before the answer is sent.
    pub(crate) fn tell(&self, line: &Line<'_>) {
        let Ok(mut text) = serde_json::to_string(line) else {
            return;
        };
        match &self.target {
            Target::Nowhere => {}
            Target::Log => tracing::info!(target: "audit", "{text}"),
            Target::File(file) => {
                text.push('\n');
                if let Err(error) = file.lock().write_all(text.as_bytes()) {
                    tracing::error!(%error, line = text.trim_end(), "the audit log cannot be written");
                }
            }
        }
    }
}
