//! Requests as text.
//!
//! ```text
//! == what it is about
//! PUT /connectors/a/config
//! Accept: text/plain
//! > {"body": "of lines"}
//! @differs 400 The heading of its reason
//! @wait a RUNNING 1
//! ```

use e2e::Outcome;

/// Stands for a body's part that is larger than any worker takes.
const LARGE: &str = "${large}";
const LARGE_BYTES: usize = 5 << 20;

/// A request, and what comes of it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Names it in reports.
    pub name: String,
    /// `GET`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Beyond the usual ones, or instead of them; an empty value leaves one out.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Option<String>,
    /// Why the answers differ.
    pub differs: Option<Reason>,
    /// What has to come about before the next request.
    pub waits: Vec<Wait>,
}

/// A deliberate difference.
#[derive(Debug, Clone)]
pub struct Reason {
    /// Our status.
    pub ours: u16,
    /// The heading in `docs/compatibility.md`.
    pub heading: String,
}

/// A connector in a state, and so many tasks in the same.
#[derive(Debug, Clone)]
pub struct Wait {
    pub(crate) connector: String,
    pub(crate) state: String,
    pub(crate) tasks: usize,
}

/// Reads a file of requests; `#` begins a comment.
pub fn parse(text: &str) -> Outcome<Vec<Request>> {
    let mut all: Vec<Request> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let read = match (line.strip_prefix("== "), all.last_mut()) {
            (Some(name), _) => {
                all.push(Request {
                    name: name.to_owned(),
                    ..Request::default()
                });
                Some(())
            }
            (None, Some(request)) => request.line(line),
            (None, None) => None,
        };
        read.ok_or_else(|| format!("line {number} is none of a request: {line}"))?;
    }
    Ok(all)
}

impl Request {
    fn line(&mut self, line: &str) -> Option<()> {
        if let Some(body) = line.strip_prefix('>') {
            let more = body.strip_prefix(' ').unwrap_or(body);
            let more = more.replace(LARGE, &"x".repeat(LARGE_BYTES));
            self.body = Some(match self.body.take() {
                Some(before) => format!("{before}\n{more}"),
                None => more,
            });
        } else if let Some(reason) = line.strip_prefix("@differs ") {
            let (ours, heading) = reason.split_once(' ')?;
            self.differs = Some(Reason {
                ours: ours.parse().ok()?,
                heading: heading.to_owned(),
            });
        } else if let Some(wait) = line.strip_prefix("@wait ") {
            let mut words = wait.split(' ').map(str::to_owned);
            self.waits.push(Wait {
                connector: words.next()?,
                state: words.next()?,
                tasks: words.next()?.parse().ok()?,
            });
        } else if self.method.is_empty() {
            let (method, path) = line.split_once(' ')?;
            (self.method, self.path) = (method.to_owned(), path.to_owned());
        } else {
            let (name, value) = line.split_once(':')?;
            self.headers
                .push((name.to_owned(), value.trim().to_owned()));
        }
        Some(())
    }
}

#[test]
fn requests_are_read() {
    let text = "# c\n== a b\nPUT /x?y=z\nAccept: t/p\n> {\n> }\n@differs 400 Some words\n@wait n RUNNING 2\n== c\nGET /\n";
    let read = parse(text).expect("requests");
    assert_eq!(
        (read.len(), read[0].name.as_str(), read[0].path.as_str()),
        (2, "a b", "/x?y=z")
    );
    assert_eq!(read[0].body.as_deref(), Some("{\n}"));
    assert_eq!(
        read[0].differs.as_ref().expect("a reason").heading,
        "Some words"
    );
    assert_eq!(read[0].waits[0].tasks, 2);
    assert!(parse("GET /").is_err() && parse("== a\nnonsense").is_err());
}
