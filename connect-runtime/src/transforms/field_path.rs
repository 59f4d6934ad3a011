//! Paths to fields: a plain name, or names with dots between them (`field.syntax.version=V2`).

/// Splits a path as Kafka Connect's `SingleFieldPath` does: a name with dots stands between backticks, and a backtick
/// of the name that would end it has a backslash before it.
pub(super) fn split(path: &str) -> Result<Vec<String>, String> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        match rest.strip_prefix('`') {
            Some(quoted) => rest = take_quoted(path, quoted, &mut steps)?,
            None => match rest.split_once('.') {
                Some((step, after)) => {
                    steps.push(step.to_owned());
                    rest = after;
                }
                None => {
                    steps.push(rest.to_owned());
                    rest = "";
                }
            },
        }
    }
    if path.ends_with('.') {
        steps.push(String::new());
    }
    Ok(steps)
}

/// Reads up to the closing backtick; gives what comes after it and its dot.
fn take_quoted<'a>(
    path: &str,
    quoted: &'a str,
    steps: &mut Vec<String>,
) -> Result<&'a str, String> {
    let open = path.len() - quoted.len() - 1;
    let incomplete = || {
        format!(
            "Incomplete backtick pair in path: [{path}], consider adding a backslash before backtick at position \
             {open} to escape it"
        )
    };
    let mut step = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('`').ok_or_else(incomplete)?;
        let unescaped = before.strip_suffix('\\');
        match (unescaped, after.strip_prefix('.')) {
            (Some(_), _) if after.is_empty() => return Err(incomplete()),
            (Some(before), Some(_)) => {
                step.push_str(before);
                step.push('`');
            }
            (None, Some(next)) => {
                step.push_str(before);
                steps.push(step);
                return Ok(next);
            }
            (_, None) if after.is_empty() => {
                step.push_str(before);
                steps.push(step);
                return Ok(after);
            }
            // One that no dot follows belongs to the name.
            _ => {
                step.push_str(before);
                step.push('`');
            }
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // As in the documentation of Kafka Connect's KIP-821.
    #[test]
    fn paths_are_split_as_kafka_connect_does() {
        for (path, steps) in [
            ("foo", &["foo"][..]),
            ("foo.bar.baz", &["foo", "bar", "baz"]),
            ("`foo.bar`.baz", &["foo.bar", "baz"]),
            ("foo.`bar.baz`", &["foo", "bar.baz"]),
            ("`foo`bar`.baz", &["foo`bar", "baz"]),
            (r"`foo\`.bar`.baz", &["foo`.bar", "baz"]),
            ("foo.", &["foo", ""]),
            (".foo", &["", "foo"]),
            ("", &[]),
        ] {
            assert_eq!(split(path).unwrap(), steps, "{path}");
        }
        assert!(split("`foo").unwrap_err().contains("position 0"));
        assert!(split(r"a.`foo\`").unwrap_err().contains("position 2"));
    }
}
