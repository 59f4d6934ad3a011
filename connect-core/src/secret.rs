//! A value that never prints.

use std::{borrow::Cow, fmt};

/// A password or key. It has no `Display`, and its `Debug` is `[hidden]`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    // Invariant 7: secrets never print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// A text in which logins of URLs are hidden: `http://[hidden]@host`, for messages and answers that repeat a value.
///
/// Hides too much rather than too little: all up to the last `@` before a blank or comma.
pub fn without_logins(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let end = after
            .find(|c: char| c == ',' || c.is_whitespace())
            .unwrap_or(after.len());
        let (url, behind) = after.split_at(end);
        out.push_str(before);
        out.push_str("://");
        match url.rsplit_once('@') {
            // What hides nothing may hold another URL.
            None => rest = after,
            Some((_, host)) => {
                out.push_str("[hidden]@");
                out.push_str(host);
                rest = behind;
            }
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn logins_of_urls_are_hidden() {
        for (text, shown) in [
            ("plain", "plain"),
            ("a@b", "a@b"),
            ("http://h:1/x", "http://h:1/x"),
            ("http://u:p@h:1/x", "http://[hidden]@h:1/x"),
            (
                "a://u:p/@#@h, b://c b://x@y",
                "a://[hidden]@h, b://c b://[hidden]@y",
            ),
        ] {
            assert_eq!(super::without_logins(text), shown);
        }
    }

    #[test]
    fn secrets_never_print() {
        let debug = format!("{:?}", super::Secret::new("hunter2"));
        assert_eq!(debug, "[hidden]");
    }
}
