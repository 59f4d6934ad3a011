//! Java's login settings (`sasl.jaas.config`), as far as they carry a user and a password.

use connect_core::{Error, Result};

/// User and password of a login module's options: `….PlainLoginModule required username="a" password="b";`.
///
/// The words of the setting never appear in an error: they hold the password.
pub(super) fn credentials(text: &str) -> Result<(String, String)> {
    let user = option(text, "username");
    let password = option(text, "password");
    match (user, password) {
        (Some(user), Some(password)) => Ok((user, password)),
        _ => Err(Error::new(
            &crate::SETTING,
            "`sasl.jaas.config` has no username and password; give `sasl.username` and `sasl.password` instead",
        )),
    }
}

/// The value of `name=value` or `name="value"`, with backslash escapes inside the quotes.
pub(super) fn option(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let at = rest.find(name)?;
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        let starts_word = before.chars().next_back().is_none_or(char::is_whitespace);
        match after.trim_start().strip_prefix('=') {
            Some(value) if starts_word => return Some(unquoted(value.trim_start())),
            _ => rest = after,
        }
    }
}

fn unquoted(text: &str) -> String {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = |c: char| c.is_whitespace() || c == ';';
        return text.split(end).next().unwrap_or_default().to_owned();
    };
    let mut value = String::new();
    let mut chars = text.chars().skip(1);
    while let Some(c) = chars.next() {
        match c {
            '\\' => value.extend(chars.next()),
            c if c == quote => break,
            c => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_values_are_read() {
        let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required\n  username=\"al\\\"ice\" password='p;w';";
        assert_eq!(
            credentials(plain).unwrap(),
            ("al\"ice".to_owned(), "p;w".to_owned())
        );
        let bare = "x.ScramLoginModule required username = bob password=secret;";
        assert_eq!(
            credentials(bare).unwrap(),
            ("bob".to_owned(), "secret".to_owned())
        );
    }

    #[test]
    fn an_error_holds_no_word_of_the_setting() {
        let err = credentials("x.Module required password=hunter2;").unwrap_err();
        assert!(!err.report().contains("hunter2"));
    }
}
