//! Functions that CEL lacks: regular expressions that are compiled once, and what Groovy does with any value.

use std::sync::Arc;

use cel::{Context, ExecutionError, Value as Cel, extractors::This};
use connect_core::java_regex::JavaRegex;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Regular expressions that are kept; an expression that makes more of them compiles them again.
const MOST_PATTERNS: usize = 64;

/// Adds what `source` names.
pub(super) fn add(context: &mut Context<'_, '_>, source: &str) -> Result<(), String> {
    let added = [
        context.add_function("text", |value: Cel| text_of(&value)),
        context.add_function("truth", |value: Cel| truth(&value)),
        context.add_function("plus", |one: Cel, other: Cel| plus(&one, &other)),
        context.add_function("holds", |one: Cel, other: Cel| holds(&one, &other)),
        context.add_function("lower", |text: Arc<String>| text.to_lowercase()),
        context.add_function("upper", |text: Arc<String>| text.to_uppercase()),
        context.add_function("trim", |text: Arc<String>| text.trim().to_owned()),
    ];
    let patterns = Arc::new(Patterns::default());
    let whole = Arc::clone(&patterns);
    let matched = [
        context.add_function(
            "matches",
            move |This(text): This<Arc<String>>, pattern: Arc<String>| {
                patterns.test("matches", &pattern, |regex| regex.finds(&text))
            },
        ),
        context.add_function(
            "matchesAll",
            move |text: Arc<String>, pattern: Arc<String>| {
                whole.test("matchesAll", &pattern, |regex| regex.matches(&text))
            },
        ),
    ];
    let wrong = added.into_iter().chain(matched).find_map(Result::err);
    match wrong {
        Some(wrong) => Err(format!("{source}: {wrong}")),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Patterns(Mutex<FxHashMap<String, Arc<JavaRegex>>>);

impl Patterns {
    fn test(
        &self,
        function: &str,
        pattern: &str,
        test: impl Fn(&JavaRegex) -> bool,
    ) -> Result<bool, ExecutionError> {
        let known = self.0.lock().get(pattern).cloned();
        let regex = match known {
            Some(regex) => regex,
            None => {
                let made = JavaRegex::new(pattern);
                let made =
                    Arc::new(made.map_err(|why| ExecutionError::function_error(function, why))?);
                let mut all = self.0.lock();
                // Invariant 4: nothing unbounded.
                if all.len() >= MOST_PATTERNS {
                    all.clear();
                }
                all.insert(pattern.to_owned(), Arc::clone(&made));
                made
            }
        };
        Ok(test(&regex))
    }
}

/// A value as Java prints it.
pub(super) fn text_of(value: &Cel) -> String {
    let list = |items: &[Cel]| items.iter().map(text_of).collect::<Vec<_>>().join(", ");
    match value {
        Cel::Null => "null".to_owned(),
        Cel::Bool(b) => b.to_string(),
        Cel::Int(i) => i.to_string(),
        Cel::UInt(u) => u.to_string(),
        Cel::Float(f) => format!("{f:?}"),
        Cel::String(text) => text.to_string(),
        Cel::List(items) => format!("[{}]", list(items)),
        Cel::Bytes(bytes) => format!("{} bytes", bytes.len()),
        _ => "a value with parts".to_owned(),
    }
}

/// What Groovy takes for true.
fn truth(value: &Cel) -> bool {
    match value {
        Cel::Null => false,
        Cel::Bool(b) => *b,
        Cel::Int(i) => *i != 0,
        Cel::UInt(u) => *u != 0,
        Cel::Float(f) => *f != 0.0,
        Cel::String(text) => !text.is_empty(),
        Cel::List(items) => !items.is_empty(),
        _ => true,
    }
}

/// Groovy's `+`: a sum of numbers, or text with whatever.
fn plus(one: &Cel, other: &Cel) -> Result<Cel, ExecutionError> {
    let none = || ExecutionError::function_error("plus", "only numbers and text can be added");
    match (one, other) {
        (Cel::String(_), _) | (_, Cel::String(_)) => {
            let text = text_of(one) + &text_of(other);
            Ok(Cel::String(Arc::new(text)))
        }
        (Cel::Int(one), Cel::Int(other)) => one.checked_add(*other).map(Cel::Int).ok_or_else(none),
        _ => match (float(one), float(other)) {
            (Some(one), Some(other)) => Ok(Cel::Float(one + other)),
            _ => Err(none()),
        },
    }
}

fn float(value: &Cel) -> Option<f64> {
    match value {
        Cel::Int(i) => Some(*i as f64),
        Cel::UInt(u) => Some(*u as f64),
        Cel::Float(f) => Some(*f),
        _ => None,
    }
}

/// Whether text or a list holds something.
fn holds(one: &Cel, other: &Cel) -> Result<bool, ExecutionError> {
    match (one, other) {
        (Cel::String(text), Cel::String(part)) => Ok(text.contains(part.as_str())),
        (Cel::List(items), other) => Ok(items.contains(other)),
        _ => Err(ExecutionError::function_error(
            "contains",
            "only text and lists contain something",
        )),
    }
}
