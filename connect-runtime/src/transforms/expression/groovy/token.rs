//! The words and signs of a Groovy expression.

use std::{iter::Peekable, str::Chars};

/// A word, a literal or a sign.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Number(String),
    Text(Vec<Piece>),
    Sign(&'static str),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// What stands in `${}`, or a name after `$`.
    Expression(String),
}

impl Token {
    /// As it is shown in errors.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Name(name) | Self::Number(name) => name.clone(),
            Self::Text(_) => "a text".to_owned(),
            Self::Sign(sign) => (*sign).to_owned(),
        }
    }
}

/// Longer signs stand before those that they begin with.
const SIGNS: [&str; 30] = [
    "==~", "===", "?.", "?:", "==", "!=", "=~", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*",
    "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "in", "{", "}",
];

/// Splits an expression.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return Ok(found);
        };
        let (token, after) = match first {
            '\'' | '"' => quoted(rest, first)?,
            '0'..='9' => number(rest)?,
            '/' if begins_value(found.last()) => pattern(rest)?,
            _ if is_name(first) => name(rest),
            _ => sign(rest)?,
        };
        found.push(token);
        rest = after;
    }
}

/// Whether a value is to come, so that `/` begins a pattern.
fn begins_value(last: Option<&Token>) -> bool {
    match last {
        None => true,
        Some(Token::Sign(sign)) => !matches!(*sign, ")" | "]"),
        Some(_) => false,
    }
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn name(text: &str) -> (Token, &str) {
    let end = text.find(|letter| !is_name(letter)).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    match name {
        "in" => (Token::Sign("in"), after),
        _ => (Token::Name(name.to_owned()), after),
    }
}

fn sign(text: &str) -> Result<(Token, &str), String> {
    let found = SIGNS
        .iter()
        .find_map(|sign| Some((*sign, text.strip_prefix(sign)?)));
    match found {
        Some((sign @ ("{" | "}"), _)) => Err(format!("{sign} is not understood")),
        Some((sign, after)) => Ok((Token::Sign(sign), after)),
        None => Err(format!(
            "{} is not understood",
            text.chars().next().unwrap_or(' ')
        )),
    }
}

fn number(text: &str) -> Result<(Token, &str), String> {
    let mut end = digits(text);
    let fraction = text.get(end..).and_then(|rest| rest.strip_prefix('.'));
    if let Some(count) = fraction.map(digits).filter(|count| *count > 0) {
        end += 1 + count;
    }
    let (number, after) = text.split_at(end);
    let after = match number.contains('.') {
        true => after.trim_start_matches(['d', 'D', 'f', 'F', 'g', 'G']),
        false => after.trim_start_matches(['l', 'L', 'g', 'G', 'i', 'I']),
    };
    match after.chars().next() {
        Some(letter) if is_name(letter) => {
            Err(format!("The number {number}{letter} is not understood"))
        }
        _ => Ok((Token::Number(number.to_owned()), after)),
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `/…/`: only its own end is escaped.
fn pattern(text: &str) -> Result<(Token, &str), String> {
    let mut found = String::new();
    let mut rest = text.chars();
    rest.next();
    while let Some(letter) = rest.next() {
        match letter {
            '/' => return Ok((Token::Text(vec![Piece::Text(found)]), rest.as_str())),
            '\\' if rest.as_str().starts_with('/') => {
                rest.next();
                found.push('/');
            }
            letter => found.push(letter),
        }
    }
    Err("A pattern has no end".to_owned())
}

fn quoted(text: &str, quote: char) -> Result<(Token, &str), String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let body = text.get(1..).unwrap_or_default();
    let mut rest = body.chars().peekable();
    let mut used = 0;
    while let Some(letter) = rest.next() {
        used += letter.len_utf8();
        match letter {
            '\\' => {
                let escaped = rest.next().ok_or("A text has no end")?;
                used += escaped.len_utf8();
                plain.push(unescaped(escaped)?);
            }
            '$' if quote == '"' => {
                let (inner, length) = embedded(&mut rest)?;
                used += length;
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Expression(inner));
            }
            letter if letter == quote => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(plain));
                }
                return Ok((Token::Text(pieces), body.get(used..).unwrap_or_default()));
            }
            letter => plain.push(letter),
        }
    }
    Err("A text has no end".to_owned())
}

fn unescaped(letter: char) -> Result<char, String> {
    Ok(match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '\\' | '\'' | '"' | '$' => letter,
        _ => return Err(format!("\\{letter} is not understood")),
    })
}

/// What follows a `$`, and how many bytes that is.
fn embedded(rest: &mut Peekable<Chars<'_>>) -> Result<(String, usize), String> {
    let mut inner = String::new();
    if rest.next_if_eq(&'{').is_some() {
        for letter in rest.by_ref() {
            match letter {
                '}' => {
                    let length = inner.len() + 2;
                    return Ok((inner, length));
                }
                letter => inner.push(letter),
            }
        }
        return Err("A ${ has no end".to_owned());
    }
    while let Some(letter) = rest.next_if(|letter| is_name(*letter) || *letter == '.') {
        inner.push(letter);
    }
    match inner.is_empty() || inner.ends_with('.') {
        true => Err("A $ in a text is not understood: write \\$".to_owned()),
        false => {
            let length = inner.len();
            Ok((inner, length))
        }
    }
}
