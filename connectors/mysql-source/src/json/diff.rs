//! Changes of a document (`Json_diff_vector` of the server): an operation, a path, and a value.
//!
//! This is rare and takes memory for a tree; everything else of the document stays where it lies.

use super::{Budget, Container, DEPTH, binary::Value, push_value, text};

/// A document of which parts have been taken apart.
pub(super) enum Tree<'a> {
    Object(Vec<(Vec<u8>, Tree<'a>)>),
    Array(Vec<Tree<'a>>),
    Whole(Value<'a>),
}

/// A step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(Vec<u8>),
    Item(usize),
}

const REPLACE: u8 = 0;
const INSERT: u8 = 1;
const REMOVE: u8 = 2;

/// The document after the changes; `None` when they do not fit it.
pub(super) fn changed<'a>(before: &'a [u8], mut diffs: &'a [u8]) -> Option<Tree<'a>> {
    let mut root = Tree::Whole(Value::root(before)?);
    while let Some((operation, rest)) = diffs.split_first() {
        let (path, rest) = sized(rest)?;
        let path = steps(path)?;
        diffs = rest;
        if *operation == REMOVE {
            remove(&mut root, &path)?;
            continue;
        }
        let (value, rest) = sized(diffs)?;
        diffs = rest;
        let value = Tree::Whole(Value::root(value)?);
        match *operation {
            REPLACE => *seek(&mut root, &path)? = value,
            INSERT => insert(&mut root, &path, value)?,
            _ => return None,
        }
    }
    Some(root)
}

/// Bytes behind a length as in the client protocol.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let wide = match first {
        0..=0xfa => return rest.split_at_checked(usize::from(*first)),
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        _ => return None,
    };
    let (len, rest) = rest.split_at_checked(wide)?;
    let len = len
        .iter()
        .rev()
        .fold(0u64, |len, byte| len << 8 | u64::from(*byte));
    rest.split_at_checked(usize::try_from(len).ok()?)
}

/// `$.name."other name"[3]`
fn steps(path: &[u8]) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix(b"$").unwrap_or(path);
    let mut steps = Vec::new();
    while let Some((first, behind)) = rest.split_first() {
        if steps.len() > DEPTH {
            return None;
        }
        let (step, after) = match first {
            b'[' => item(behind)?,
            b'.' => member(behind)?,
            _ => return None,
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

fn item(text: &[u8]) -> Option<(Step, &[u8])> {
    let end = memchr::memchr(b']', text)?;
    let (digits, behind) = text.split_at(end);
    let number = std::str::from_utf8(digits).ok()?.trim().parse().ok()?;
    Some((Step::Item(number), behind.get(1..)?))
}

fn member(text: &[u8]) -> Option<(Step, &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|b| matches!(b, b'.' | b'['));
        let (name, behind) = text.split_at(end.unwrap_or(text.len()));
        return (!name.is_empty()).then(|| (Step::Member(name.to_vec()), behind));
    };
    let mut at = 0;
    loop {
        match quoted.get(at)? {
            b'\\' => at += 2,
            b'"' => break,
            _ => at += 1,
        }
    }
    // The same text in quotes is a JSON string.
    let name: String = serde_json::from_slice(text.get(..at + 2)?).ok()?;
    Some((Step::Member(name.into_bytes()), quoted.get(at + 1..)?))
}

/// The value at the end of a path, taken apart as far as that.
fn seek<'t, 'a>(root: &'t mut Tree<'a>, path: &[Step]) -> Option<&'t mut Tree<'a>> {
    let mut at = root;
    for step in path {
        at.take_apart()?;
        at = match (at, step) {
            (Tree::Object(members), Step::Member(name)) => {
                let found = members.iter_mut().find(|(known, _)| known == name);
                &mut found?.1
            }
            (Tree::Array(items), Step::Item(index)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(at)
}

fn parent<'t, 'a, 's>(
    root: &'t mut Tree<'a>,
    path: &'s [Step],
) -> Option<(&'t mut Tree<'a>, &'s Step)> {
    let (last, before) = path.split_last()?;
    let parent = seek(root, before)?;
    parent.take_apart()?;
    Some((parent, last))
}

fn insert<'a>(root: &mut Tree<'a>, path: &[Step], value: Tree<'a>) -> Option<()> {
    match parent(root, path)? {
        (Tree::Array(items), Step::Item(index)) => {
            items.insert((*index).min(items.len()), value);
        }
        (Tree::Object(members), Step::Member(name)) => {
            // The server keeps members by the length of their names, then by their bytes.
            let order = |known: &[u8]| (known.len(), known.to_vec());
            let place = members.binary_search_by_key(&order(name), |(known, _)| order(known));
            members.insert(place.err()?, (name.clone(), value));
        }
        _ => return None,
    }
    Some(())
}

fn remove(root: &mut Tree<'_>, path: &[Step]) -> Option<()> {
    match parent(root, path)? {
        (Tree::Array(items), Step::Item(index)) if *index < items.len() => {
            items.remove(*index);
        }
        (Tree::Object(members), Step::Member(name)) => {
            let at = members.iter().position(|(known, _)| known == name)?;
            members.remove(at);
        }
        _ => return None,
    }
    Some(())
}

impl<'a> Tree<'a> {
    /// Makes an object or array of the document a vector.
    fn take_apart(&mut self) -> Option<()> {
        let Tree::Whole(value) = self else {
            return Some(());
        };
        let whole = |of: &Container<'a>, at| of.value(at).map(Tree::Whole);
        *self = match value {
            Value::Object(of) => Tree::Object(
                (0..of.count)
                    .map(|at| Some((of.name(at)?.to_vec(), whole(of, at)?)))
                    .collect::<Option<_>>()?,
            ),
            Value::Array(of) => Tree::Array(
                (0..of.count)
                    .map(|at| whole(of, at))
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        };
        Some(())
    }

    /// Appends the text.
    pub(super) fn push(&self, out: &mut Vec<u8>) -> Option<()> {
        self.push_within(DEPTH, out)
    }

    fn push_within(&self, depth: usize, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Tree::Whole(value) => {
                let mut budget = Budget(value.size());
                push_value(*value, depth, &mut budget, out)?;
            }
            Tree::Object(members) => {
                out.push(b'{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    text::push_string(name, out);
                    out.push(b':');
                    value.push_within(depth.checked_sub(1)?, out)?;
                }
                out.push(b'}');
            }
            Tree::Array(items) => {
                out.push(b'[');
                for (at, value) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    value.push_within(depth.checked_sub(1)?, out)?;
                }
                out.push(b']');
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let member = |name: &str| Step::Member(name.as_bytes().to_vec());
        let read = steps(br#"$.a."b \"c\""[3].d"#).unwrap();
        assert_eq!(
            read,
            [member("a"), member("b \"c\""), Step::Item(3), member("d")]
        );
        assert_eq!(steps(b"$").unwrap(), []);
        for bad in ["$.", "$[", "$[x]", "$x", "$.\"a", "$.\"a\\"] {
            assert_eq!(steps(bad.as_bytes()), None, "{bad}");
        }
    }
}
