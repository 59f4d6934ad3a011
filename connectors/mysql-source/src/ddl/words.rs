//! The words of a statement, without comments; comments that only some servers obey are words
//! (<https://dev.mysql.com/doc/refman/9.4/en/comments.html>).

use super::Name;

/// A word of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// A keyword, a name or a number, as it stands there.
    Plain(String),
    /// A name in backticks or double quotes.
    Quoted(String),
    /// A text in single quotes.
    Text(String),
    /// Anything else.
    Symbol(char),
}

impl Word {
    /// Whether it is a keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Plain(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn name(self) -> Option<String> {
        match self {
            Self::Plain(name) | Self::Quoted(name) => Some(name),
            Self::Text(_) | Self::Symbol(_) => None,
        }
    }

    /// A text, in quotes of either kind.
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Quoted(text) => Some(text),
            Self::Plain(_) | Self::Symbol(_) => None,
        }
    }
}

/// The rest of a statement.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    rest: &'a str,
    /// Whether a backslash escapes in texts.
    escapes: bool,
}

impl<'a> Words<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            rest: sql,
            escapes: true,
        }
    }

    /// The same, where a backslash is like any other character (`NO_BACKSLASH_ESCAPES`).
    pub(super) fn without_escapes(sql: &'a str) -> Self {
        Self {
            rest: sql,
            escapes: false,
        }
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<Word> {
        self.skip_blanks();
        let first = self.rest.chars().next()?;
        match first {
            '`' | '"' => Some(Word::Quoted(self.quoted(first))),
            '\'' => Some(Word::Text(self.quoted(first))),
            first if is_plain(first) => {
                let end = self.rest.find(|c| !is_plain(c));
                let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                Some(Word::Plain(word.to_owned()))
            }
            symbol => {
                self.rest = &self.rest[symbol.len_utf8()..];
                Some(Word::Symbol(symbol))
            }
        }
    }

    /// The next word that is in no parentheses.
    pub(super) fn next_outside(&mut self) -> Option<Word> {
        let mut depth = 0usize;
        loop {
            match self.next()? {
                Word::Symbol('(') => depth += 1,
                Word::Symbol(')') => depth = depth.saturating_sub(1),
                word if depth == 0 => return Some(word),
                _ => {}
            }
        }
    }

    /// A keyword, in upper case.
    pub(super) fn keyword(&mut self) -> Option<String> {
        match self.next()? {
            Word::Plain(word) => Some(word.to_ascii_uppercase()),
            _ => None,
        }
    }

    /// A name without a dot.
    pub(super) fn identifier(&mut self) -> Option<String> {
        let mut ahead = self.clone();
        let name = ahead.next()?.name()?;
        *self = ahead;
        Some(name)
    }

    /// A table's name: `t`, `d.t`, `.t`.
    pub(super) fn name(&mut self) -> Option<Name> {
        let first = match self.skip_symbol('.') {
            true => None,
            false => Some(self.identifier()?),
        };
        let (database, table) = match first {
            None => (None, self.identifier()?),
            Some(database) if self.skip_symbol('.') => (Some(database), self.identifier()?),
            Some(table) => (None, table),
        };
        Some(Name { database, table })
    }

    /// A text in quotes.
    pub(super) fn text(&mut self) -> Option<String> {
        let mut ahead = self.clone();
        let text = ahead.next()?.text()?;
        *self = ahead;
        Some(text)
    }

    /// A text in quotes, and what stands between them.
    pub(super) fn text_as_written(&mut self) -> Option<(String, &'a str)> {
        self.skip_blanks();
        let before = self.rest;
        let text = self.text()?;
        let written = &before[..before.len() - self.rest.len()];
        let inside = written.len().saturating_sub(1).max(1);
        Some((text, written.get(1..inside).unwrap_or_default()))
    }

    /// `0x61`
    pub(super) fn hex(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let digits = self.rest.strip_prefix("0x")?;
        let count = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (hex, rest) = self.rest.split_at(2 + count);
        self.rest = rest;
        (count > 0).then_some(hex)
    }

    /// A number with sign, point and exponent, as it stands there.
    pub(super) fn number(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let bytes = self.rest.as_bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let is_sign = |at: usize| matches!(bytes.get(at), Some(b'+' | b'-'));
        let begin = usize::from(is_sign(0));
        let mut end = digits(begin);
        if bytes.get(end) == Some(&b'.') {
            end = digits(end + 1);
        }
        if !bytes.get(begin..end)?.iter().any(u8::is_ascii_digit) {
            return None;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let exponent = end + 1 + usize::from(is_sign(end + 1));
            if digits(exponent) > exponent {
                end = digits(exponent);
            }
        }
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(number)
    }

    /// Passes over what stands in parentheses, if it does.
    pub(super) fn skip_group(&mut self) -> bool {
        if !self.skip_symbol('(') {
            return false;
        }
        let mut depth = 1usize;
        while depth > 0 {
            match self.next() {
                Some(Word::Symbol('(')) => depth += 1,
                Some(Word::Symbol(')')) => depth -= 1,
                Some(_) => {}
                None => return false,
            }
        }
        true
    }

    /// Passes over everything up to a comma, a closing parenthesis or the end.
    pub(super) fn skip_clause(&mut self) {
        loop {
            let mut ahead = self.clone();
            match ahead.next() {
                None | Some(Word::Symbol(',' | ')')) => return,
                Some(Word::Symbol('(')) => {
                    if !self.skip_group() {
                        self.rest = "";
                    }
                }
                Some(_) => *self = ahead,
            }
        }
    }

    /// The next word, which stays.
    pub(super) fn peek(&self) -> Option<Word> {
        self.clone().next()
    }

    /// How many bytes are left, from the next word on.
    pub(super) fn left(&mut self) -> usize {
        self.skip_blanks();
        self.rest.len()
    }

    /// How many bytes are left behind the last word.
    pub(super) fn left_raw(&self) -> usize {
        self.rest.len()
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.peek().is_none()
    }

    /// Passes over a keyword; whether it was there.
    pub(super) fn skip(&mut self, keyword: &str) -> bool {
        self.skip_if(|word| word.is(keyword))
    }

    /// Passes over keywords if all are there; whether they were.
    pub(super) fn skip_all(&mut self, keywords: &[&str]) -> bool {
        let mut ahead = self.clone();
        let are_there = keywords.iter().all(|keyword| ahead.skip(keyword));
        if are_there {
            *self = ahead;
        }
        are_there
    }

    /// Passes over a symbol; whether it was there.
    pub(super) fn skip_symbol(&mut self, symbol: char) -> bool {
        self.skip_if(|word| *word == Word::Symbol(symbol))
    }

    /// Passes over one word; whether there was one.
    pub(super) fn skip_any(&mut self) -> bool {
        self.skip_if(|_| true)
    }

    fn skip_if(&mut self, wanted: impl FnOnce(&Word) -> bool) -> bool {
        let mut ahead = self.clone();
        let is_there = ahead.next().is_some_and(|word| wanted(&word));
        if is_there {
            *self = ahead;
        }
        is_there
    }

    /// Passes over everything up to a keyword, and over it.
    pub(super) fn skip_behind(&mut self, keyword: &str) -> Option<()> {
        while !self.next_outside()?.is(keyword) {}
        Some(())
    }

    /// Whether one of these keywords comes next.
    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        let next = self.clone().next();
        next.is_some_and(|word| keywords.iter().any(|keyword| word.is(keyword)))
    }

    fn skip_blanks(&mut self) {
        loop {
            let trimmed = self.rest.trim_start();
            let rest = match trimmed {
                line if line.starts_with('#') => behind(line, "\n"),
                line if is_line_comment(line) => behind(line, "\n"),
                // Words for servers of a version, and for MariaDB alone.
                block if block.starts_with("/*!") => versioned(&block[3..]),
                block if block.starts_with("/*M!") => versioned(&block[4..]),
                block if block.starts_with("/*") => behind(&block[2..], "*/"),
                // The end of such words.
                end if end.starts_with("*/") => &end[2..],
                word => {
                    self.rest = word;
                    return;
                }
            };
            self.rest = rest;
        }
    }

    /// Up to the same quote, which stands twice for itself; a backslash escapes in texts.
    fn quoted(&mut self, quote: char) -> String {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && quote != '`' && self.escapes {
                text.extend(chars.next().map(|(_, escaped)| unescaped(escaped)));
            } else if c != quote {
                text.push(c);
            } else if chars.next_if(|(_, next)| *next == quote).is_some() {
                text.push(quote);
            } else {
                end = at + quote.len_utf8();
                break;
            }
        }
        self.rest = &self.rest[end..];
        text
    }
}

/// <https://dev.mysql.com/doc/refman/9.4/en/string-literals.html>
fn unescaped(c: char) -> char {
    match c {
        '0' => '\0',
        'b' => '\u{8}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'Z' => '\u{1a}',
        other => other,
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

/// Two hyphens, and a blank or the end behind them.
fn is_line_comment(text: &str) -> bool {
    let rest = text.strip_prefix("--");
    rest.is_some_and(|rest| {
        rest.chars()
            .next()
            .is_none_or(|c| c.is_whitespace() || c.is_control())
    })
}

/// What follows an end; nothing without one.
fn behind<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

/// Five or six digits are a version.
fn versioned(text: &str) -> &str {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        5 | 6 => &text[digits..],
        _ => text,
    }
}
