//! Files of at most 500 lines and functions of at most 60. Tests, at the end of a file or in a `tests` folder, may have longer functions.

use std::path::Path;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 60;

/// Says how long the file is when it is too long.
pub(crate) fn long_file(_: &Path, text: &str) -> Vec<String> {
    let lines = production(text).count();
    (lines > FILE_LINES)
        .then(|| format!("{lines} lines"))
        .into_iter()
        .collect()
}

/// The functions that are too long. A function ends at the first closing brace with the indent of its `fn`.
pub(crate) fn long_functions(path: &Path, text: &str) -> Vec<String> {
    if path.components().any(|part| part.as_os_str() == "tests")
        && !path.starts_with("tests/stack/src")
    {
        return Vec::new();
    }
    let mut long = Vec::new();
    let mut open: Option<(usize, &str, &str)> = None;
    for (number, line) in production(text).enumerate() {
        if let Some((indent, name)) = signature(line) {
            open = Some((number, indent, name));
        } else if let Some((from, indent, name)) = open
            && line.strip_prefix(indent) == Some("}")
        {
            let lines = number - from;
            if lines > FUNCTION_LINES {
                long.push(format!("{name} has {lines} lines"));
            }
            open = None;
        }
    }
    long
}

fn production(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
}

/// Indent and name of a function whose body begins here or below.
fn signature(line: &str) -> Option<(&str, &str)> {
    let words = line.trim_start();
    let indent = &line[..line.len() - words.len()];
    if line.trim_end().ends_with(';') {
        return None;
    }
    let mut rest = words;
    loop {
        if let Some(name) = rest.strip_prefix("fn ") {
            let end = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            return Some((indent, &name[..end.unwrap_or(name.len())]));
        }
        let (word, after) = rest.split_once(' ')?;
        let visible = word == "pub" || word.starts_with("pub(");
        if !visible && !["const", "async", "unsafe"].contains(&word) {
            return None;
        }
        rest = after.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(head: &str, lines: usize) -> String {
        format!("{head} {{\n{}}}\n", "    x();\n".repeat(lines - 1))
    }

    #[test]
    fn finds_the_function_that_is_too_long() {
        let path = Path::new("");
        let text =
            function("pub(crate) async fn fits()", 60) + &function("pub const fn long()", 61);
        assert_eq!(long_functions(path, &text), ["long has 61 lines"]);
        let in_tests = format!("#[cfg(test)]\n{}", function("fn long()", 61));
        assert!(long_functions(path, &in_tests).is_empty());
        assert!(long_functions(path, "    fn declared(&self);\n").is_empty());
    }

    #[test]
    fn counts_a_file_up_to_its_tests() {
        let path = Path::new("");
        assert!(long_file(path, &"x\n".repeat(500)).is_empty());
        assert_eq!(long_file(path, &"x\n".repeat(501)), ["501 lines"]);
        let with_tests = "x\n".repeat(500) + "#[cfg(test)]\n" + &"x\n".repeat(500);
        assert!(long_file(path, &with_tests).is_empty());
    }
}
