//! A span around each request, if traces are wanted.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use connect_runtime::Traces;

/// Answers within a span; a body that goes on is not waited for.
pub(crate) async fn around(State(traces): State<Traces>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let parent = request.headers().get("traceparent");
    let parent = parent.and_then(|parent| parent.to_str().ok());
    let (method, route) = (request.method().as_str(), route(path));
    let span = traces.request(method, route.as_deref(), path, parent);
    let response = next.run(request).await;
    span.answered(response.status().as_u16());
    response
}

/// The path with names left out, so that there are few: `/connectors/{name}/tasks/{task}/status`. None for a path that nobody has.
fn route(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let known = match parts.as_mut_slice() {
        [_] => parts.first().is_some_and(|root| ROOTS.contains(root)),
        ["connectors", name] | ["connectors", name, _] => named(name, "{name}"),
        ["connectors", name, "tasks", task, ..] => named(name, "{name}") && named(task, "{task}"),
        ["connectors", name, "dead-letters", partition, offset] => {
            named(name, "{name}") && named(partition, "{partition}") && named(offset, "{offset}")
        }
        ["connectors", name, "dead-letters" | "offsets" | "topics", _] => named(name, "{name}"),
        ["connector-plugins", class, ..] => named(class, "{class}"),
        ["admin", "loggers"] => true,
        ["admin", "loggers", logger] => named(logger, "{logger}"),
        _ => false,
    };
    (known && parts.len() <= LONGEST).then(|| format!("/{}", parts.join("/")))
}

/// Paths of one part.
const ROOTS: [&str; 6] = [
    "",
    "connectors",
    "connector-plugins",
    "health",
    "metrics",
    "openapi.json",
];
/// The most parts that a path has.
const LONGEST: usize = 5;

fn named<'a>(part: &mut &'a str, name: &'a str) -> bool {
    *part = name;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_left_out() {
        for (path, expected) in [
            ("/", Some("/")),
            ("/connectors/", Some("/connectors")),
            ("/connectors/a", Some("/connectors/{name}")),
            ("/connectors/a/logs", Some("/connectors/{name}/logs")),
            (
                "/connectors/a/tasks/7/status",
                Some("/connectors/{name}/tasks/{task}/status"),
            ),
            (
                "/connectors/a/dead-letters/0/7",
                Some("/connectors/{name}/dead-letters/{partition}/{offset}"),
            ),
            (
                "/connectors/a/dead-letters/replay",
                Some("/connectors/{name}/dead-letters/replay"),
            ),
            ("/admin/loggers/org.x", Some("/admin/loggers/{logger}")),
            ("/nowhere", None),
            ("/a/b/c/d/e/f", None),
        ] {
            assert_eq!(route(path).as_deref(), expected, "{path}");
        }
    }
}
