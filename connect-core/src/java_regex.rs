//! Java's regular expressions and replacements, by way of ours.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// A Java pattern, as `Matcher.matches` and `Matcher.replaceFirst` use it.
#[derive(Debug)]
pub struct JavaRegex {
    whole: Regex,
    part: Regex,
}

/// A replacement text with references to groups.
#[derive(Debug)]
pub struct Replacement(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Group(usize),
}

impl JavaRegex {
    /// Translates a pattern; the error says what is wrong with it or cannot be done here.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let translated = translate(pattern)?;
        let compile = |pattern: &str| {
            Regex::new(pattern)
                .map_err(|err| format!("Invalid regular expression: {}", cause(&err)))
        };
        // Alone first, so that an unbalanced group cannot be closed by ours.
        let part = compile(&translated)?;
        let whole = compile(&format!(r"\A(?:{translated})\z"))?;
        Ok(Self { whole, part })
    }

    /// Whether all of the text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// Whether some of the text matches.
    pub fn finds(&self, text: &str) -> bool {
        self.part.is_match(text)
    }

    /// When all of the text matches: the text with its first match replaced, as Kafka Connect's `RegexRouter` does it.
    pub fn replace_first(&self, text: &str, replacement: &Replacement) -> Option<String> {
        if !self.matches(text) {
            return None;
        }
        let groups = self.part.captures(text)?;
        let found = groups.get(0)?;
        let mut new = text.get(..found.start())?.to_owned();
        for part in &replacement.0 {
            match part {
                Part::Text(text) => new.push_str(text),
                Part::Group(at) => new.push_str(groups.get(*at).map_or("", |group| group.as_str())),
            }
        }
        new.push_str(text.get(found.end()..)?);
        Some(new)
    }
}

impl Replacement {
    /// Reads `$1`, `${name}` and `\` as Java does; the error says what is wrong.
    pub fn new(text: &str, regex: &JavaRegex) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(letter) = rest.next() {
            match letter {
                '\\' => plain.push(rest.next().ok_or("character to be escaped is missing")?),
                '$' => {
                    let group = group(&mut rest, &regex.part)?;
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Group(group));
                }
                letter => plain.push(letter),
            }
        }
        parts.push(Part::Text(plain));
        Ok(Self(parts))
    }
}

/// Reads what follows a `$`: as many digits as make a group that exists, or a name in braces.
fn group(rest: &mut Peekable<Chars<'_>>, regex: &Regex) -> Result<usize, String> {
    let most = regex.captures_len() - 1;
    if rest.next_if_eq(&'{').is_some() {
        let name: String = std::iter::from_fn(|| rest.next_if(|c| *c != '}')).collect();
        rest.next()
            .ok_or("named capturing group is missing trailing '}'")?;
        let found = regex.capture_names().position(|known| known == Some(&name));
        return found.ok_or_else(|| format!("No group with name {{{name}}}"));
    }
    let digit = |rest: &mut Peekable<Chars<'_>>| rest.peek().and_then(|c| c.to_digit(10));
    let mut number = digit(rest).ok_or("Illegal group reference")? as usize;
    rest.next();
    if number > most {
        return Err(format!("No group {number}"));
    }
    while let Some(next) = digit(rest) {
        let longer = number * 10 + next as usize;
        if longer > most {
            break;
        }
        number = longer;
        rest.next();
    }
    Ok(number)
}

/// The last line of a syntax error: the ones before draw a picture.
fn cause(err: &regex::Error) -> String {
    let text = err.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern.chars().peekable();
    let mut depth = 0u32;
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => escape(&mut rest, &mut out)?,
            '[' => {
                depth += 1;
                out.push('[');
            }
            ']' => {
                depth = depth.saturating_sub(1);
                out.push(']');
            }
            '(' if depth == 0 => {
                out.push('(');
                check_group(&rest)?;
            }
            '*' | '+' | '?' | '}' if depth == 0 => {
                out.push(letter);
                if rest.peek() == Some(&'+') {
                    return Err(cannot("a possessive quantifier"));
                }
            }
            // In our classes these would be operators.
            '~' | '-' if depth > 0 && rest.peek() == Some(&letter) => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    Ok(out)
}

fn check_group(rest: &Peekable<Chars<'_>>) -> Result<(), String> {
    let mut rest = rest.clone();
    if rest.next() != Some('?') {
        return Ok(());
    }
    match (rest.next(), rest.next()) {
        (Some('='), _) | (Some('!'), _) => Err(cannot("a lookahead")),
        (Some('<'), Some('=' | '!')) => Err(cannot("a lookbehind")),
        (Some('>'), _) => Err(cannot("an atomic group")),
        (Some('d' | 'U'), _) => Err(cannot("this flag")),
        _ => Ok(()),
    }
}

fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    let letter = rest
        .next()
        .ok_or("Unexpected internal error: the pattern ends with a backslash")?;
    match letter {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.push_str(r"[ \t\n\x0B\f\r]"),
        'S' => out.push_str(r"[^ \t\n\x0B\f\r]"),
        'h' => {
            out.push_str(r"[ \t\u{A0}\u{1680}\u{180e}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]")
        }
        'v' => out.push_str(r"[\n\x0B\f\r\u{85}\u{2028}\u{2029}]"),
        'R' => out.push_str(r"(?:\r\n|[\n\x0B\f\r\u{85}\u{2028}\u{2029}])"),
        'e' => out.push_str(r"\x1B"),
        'Z' => out.push_str(r"(?:\r?\n)?\z"),
        '<' | '>' => out.push(letter),
        'b' => out.push_str(r"(?-u:\b)"),
        'B' => out.push_str(r"(?-u:\B)"),
        'Q' => quoted(rest, out),
        'E' => {}
        'p' | 'P' => property(letter, rest, out)?,
        '1'..='9' | 'k' => return Err(cannot("a reference to an earlier group")),
        'G' | 'X' | 'c' | '0' | 'N' => return Err(cannot("this escape")),
        letter => {
            out.push('\\');
            out.push(letter);
        }
    }
    Ok(())
}

/// Everything up to `\E` stands for itself.
fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut text = String::new();
    for letter in rest.by_ref() {
        text.push(letter);
        if text.ends_with("\\E") {
            text.truncate(text.len() - 2);
            break;
        }
    }
    out.push_str(&regex::escape(&text));
}

/// Java's POSIX classes; the Unicode ones are named alike here.
fn property(kind: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    if rest.next_if_eq(&'{').is_none() {
        let letter = rest.next().ok_or("Unknown character property")?;
        out.push('\\');
        out.push(kind);
        out.push(letter);
        return Ok(());
    }
    let name: String = std::iter::from_fn(|| rest.next_if(|c| *c != '}')).collect();
    rest.next().ok_or("Unclosed character family")?;
    let posix = [
        "Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank",
        "Cntrl", "XDigit", "Space",
    ];
    if posix.contains(&name.as_str()) {
        let not = if kind == 'P' { "^" } else { "" };
        out.push_str(&format!("[[:{not}{}:]]", name.to_ascii_lowercase()));
        return Ok(());
    }
    let name = name
        .strip_prefix("Is")
        .or(name.strip_prefix("In"))
        .unwrap_or(&name);
    out.push_str(&format!("\\{kind}{{{name}}}"));
    Ok(())
}

fn cannot(what: &str) -> String {
    format!(
        "The pattern has {what}, which this program's regular expressions cannot do; write it without"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(pattern: &str, replacement: &str, text: &str) -> Option<String> {
        let regex = JavaRegex::new(pattern).unwrap();
        regex.replace_first(text, &Replacement::new(replacement, &regex).unwrap())
    }

    // Answers of Java's `Matcher.matches` and `Matcher.replaceFirst`.
    #[test]
    fn patterns_and_replacements_are_read_as_java_does() {
        for (pattern, replacement, text, expected) in [
            (
                r"([^.]+)\.([^.]+)\.([^.]+)",
                "$3",
                "srv.public.orders",
                Some("orders"),
            ),
            (r"(.*)\.(.*)", r"$2-\$1\\", "a.b", Some(r"b-$1\")),
            (r"(?<db>\w+)\.(\w+)", "${db}_$2", "x.y", Some("x_y")),
            (r"(a)(b)?.*", "$1$2$10", "ac", Some("aa0")),
            (r"\Qa.b\E(.*)", "z$1", "a.bc", Some("zc")),
            (r"\Qa.b\E(.*)", "z$1", "axbc", None),
            (r"a|ab", "X", "ab", Some("Xb")),
            (r"\p{Alpha}+-\d{2}", "n", "abc-12", Some("n")),
            (r"\p{Alpha}+-\d{2}", "n", "äbc-12", None),
            (r"(?i)ORDERS", "o", "orders", Some("o")),
            (r".*", "", "t", Some("")),
            (r"[\w.--]+", "x", "a.b-c", Some("x")),
            (r"<a\>", "x", "<a>", Some("x")),
        ] {
            let found = replace(pattern, replacement, text);
            assert_eq!(found.as_deref(), expected, "{pattern} {replacement} {text}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_told() {
        for (pattern, word) in [
            (r"(?=a)b", "lookahead"),
            (r"(?<!a)b", "lookbehind"),
            (r"(?>a)b", "atomic"),
            (r"(a)\1", "earlier group"),
            (r"a++", "possessive"),
            (r"a{2}+", "possessive"),
            (r"(a", "unclosed group"),
            (r"a)b(", "unopened group"),
            (r"[a", "unclosed"),
            ("a\\", "backslash"),
        ] {
            let why = JavaRegex::new(pattern).unwrap_err();
            assert!(why.contains(word), "{pattern}: {why}");
        }
        let regex = JavaRegex::new("(a)").unwrap();
        for bad in ["$2", "$", "$x", "\\", "${a}", "${a"] {
            assert!(Replacement::new(bad, &regex).is_err(), "{bad}");
        }
    }
}
