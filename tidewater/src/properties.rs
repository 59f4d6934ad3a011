//! Java's `.properties` files (`java.util.Properties.load`), since that is what a worker's configuration is written in.

use connect_core::Properties;

/// Reads a whole file. Nothing in it is an error: what is no property is a name without a value.
pub(crate) fn parse(text: &str) -> Properties {
    let mut properties = Properties::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut logical = line.trim_start().to_owned();
        if logical.is_empty() || logical.starts_with(['#', '!']) {
            continue;
        }
        while continues(&logical) {
            logical.pop();
            match lines.next() {
                Some(next) => logical.push_str(next.trim_start()),
                None => break,
            }
        }
        let (name, value) = split(&logical);
        properties.insert(unescape(name), unescape(value));
    }
    properties
}

/// An odd number of backslashes at the end: the next line belongs to this one.
fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}

/// Name and value: the first `=`, `:` or blank that is not escaped parts them.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if !escaped && (matches!(c, '=' | ':') || c.is_whitespace()) {
            let rest = line[at..].trim_start();
            let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
            return (&line[..at], rest.trim_start());
        }
        escaped = c == '\\' && !escaped;
    }
    (line, "")
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => out.push(unicode(&mut chars)),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn unicode(chars: &mut std::str::Chars<'_>) -> char {
    let digits: String = chars.by_ref().take(4).collect();
    u32::from_str_radix(&digits, 16)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_java_reads_them() {
        let read = parse(
            "# comment\n! too\n\na=1\n b : two words \nc 3\nd\\=e=f\\n\\u00fcg\nlist=x,\\\n   y\nempty=\nalone\n",
        );
        let expected = [
            ("a", "1"),
            ("b", "two words "),
            ("c", "3"),
            ("d=e", "f\n\u{fc}g"),
            ("list", "x,y"),
            ("empty", ""),
            ("alone", ""),
        ];
        let expected = expected.map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(read, Properties::from(expected));
    }
}
