//! Expressions over records: CEL, and the simple ones of Groovy, which are translated to it.
//!
//! An expression sees `key`, `value`, `topic`, `header` (also called `headers`: each has its `value`), `keySchema` and `valueSchema` (each with
//! `name` and `version`). It is compiled once; of a record only the parts are read that it names. It has no loops
//! but those of CEL's macros over lists that are there, and these do not nest, so that its cost is bounded.

mod applied;
mod bind;
mod functions;
mod groovy;
mod needs;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use cel::{Context, Env, Program, Value as Cel};
use connect_core::{Batch, Error, Result};

pub(super) use applied::{Applied, First, Languages, NullHandling};
use needs::{Need, Needs};

/// The longest text of an expression, also when it is translated.
const LONGEST: usize = 16 * 1024;

/// What an expression sees.
const VARIABLES: [&str; 7] = [
    "key",
    "value",
    "topic",
    "header",
    "headers",
    "keySchema",
    "valueSchema",
];

/// An expression that was compiled.
pub(super) struct Expression {
    text: String,
    program: Program,
    needs: Vec<(&'static str, Need)>,
    context: Context<'static, 'static>,
}

/// What an expression makes of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Null,
    Bool(bool),
    Text(String),
    /// Something else, as it is shown.
    Other(String),
}

impl Expression {
    /// Compiles an expression in a `language`. The error says what to write instead.
    pub(super) fn new(language: &str, text: &str) -> Result<Self, String> {
        let cel = match language.trim() {
            "cel" | "jsr223.cel" => text.to_owned(),
            "jsr223.groovy" | "groovy" => groovy::translated(text).map_err(|why| {
                format!("{why}. Only simple expressions of Groovy are understood: write it in CEL, with language=cel")
            })?,
            other => {
                return Err(format!(
                    "There is no language {other} here: write the expression in CEL, with language=cel"
                ));
            }
        };
        Self::compiled(text, &cel)
    }

    fn compiled(text: &str, cel: &str) -> Result<Self, String> {
        // Invariant 4: nothing unbounded.
        if text.len() > LONGEST || cel.len() > LONGEST {
            return Err("The expression is too long".to_owned());
        }
        let env = Arc::new(Env::stdlib());
        let program = env.compile(cel).map_err(|errors| {
            let lines: Vec<String> = errors.to_string().lines().map(str::to_owned).collect();
            format!("The expression is not valid: {}", lines.join(" "))
        })?;
        let found = Needs::of(program.expression())?;
        let mut context = Context::with_env(env);
        functions::add(&mut context, cel)?;
        Ok(Self {
            text: text.to_owned(),
            program,
            needs: found,
            context,
        })
    }

    /// What it makes of the record at `index`.
    pub(super) fn answer(&mut self, batch: &Batch, index: usize) -> Result<Answer> {
        let Some(row) = batch.row(index) else {
            return Ok(Answer::Null);
        };
        for (name, need) in &self.needs {
            let value = bind::variable(name, row, need);
            self.context.add_variable_from_value(*name, value);
        }
        let made = self.program.execute(&self.context).map_err(|err| {
            let text = &self.text;
            Error::record(format!("Error while evaluating expression '{text}': {err}"))
        })?;
        Ok(match made {
            Cel::Null => Answer::Null,
            Cel::Bool(b) => Answer::Bool(b),
            Cel::String(text) => Answer::Text(text.to_string()),
            other => Answer::Other(functions::text_of(&other)),
        })
    }

    /// The error for an answer of the wrong kind.
    pub(super) fn is_not(&self, answer: &Answer, kind: &str) -> Error {
        let shown = match answer {
            Answer::Null => "null".to_owned(),
            Answer::Bool(b) => b.to_string(),
            Answer::Text(text) | Answer::Other(text) => text.clone(),
        };
        Error::record(format!(
            "Value '{shown}' returned by the expression is not a {kind}"
        ))
        .context("expression", &self.text)
    }
}
