//! Bad requests over REST: each is refused with words, the worker goes on answering, and a connector that runs is not
//! disturbed.

use std::{fs, net::TcpStream, thread};

use e2e::{
    LogKind, Outcome, Raw, Rest, Scene, WorkerOptions,
    configs::postgres_source,
    counters::assert_exactly_once,
    raw::{self, is_refusal},
    scene::SOURCE,
};
use serde_json::{Value, json};
use stack::{PgVersion, Stack};

/// Requests that no client should send; each with the statuses that are right.
fn bad_requests() -> Vec<(Raw, &'static [u16])> {
    let post = || Raw::new("POST", "/connectors");
    let large = "x".repeat(10 << 20);
    let name = "n".repeat(1 << 20);
    vec![
        (post(), &[400]),
        (post().json("{"), &[400]),
        (post().json("null"), &[400]),
        (post().json("[]"), &[400]),
        (post().json("{}"), &[400]),
        (post().json("\"text\""), &[400]),
        (post().json("{\"name\":\"a\",\"config\":[]}"), &[400]),
        (post().json("{\"name\":{},\"config\":{}}"), &[400]),
        (
            post().json("{\"name\":\"a\",\"config\":{\"x\":{\"y\":1}}}"),
            &[400],
        ),
        (
            post().json("{\"name\":\"a\",\"config\":{}} trailing"),
            &[400],
        ),
        (
            post().json("{\"name\":\"a\",\"config\":{},\"initial_state\":\"FLYING\"}"),
            &[400],
        ),
        (
            post().json(b"{\"name\":\"\xff\xfe\",\"config\":{}}".as_slice()),
            &[400],
        ),
        (post().json(b"\xef\xbb\xbf{}".as_slice()), &[400]),
        (post().json("[".repeat(200_000)), &[400]),
        (post().json("{\"a\":".repeat(200_000)), &[400]),
        (
            post().json(format!(
                "{{\"name\":\"a\",\"config\":{{\"x\":\"{large}\"}}}}"
            )),
            &[413],
        ),
        (
            Raw::new("PUT", "/connectors/a/config").json(large.clone()),
            &[413],
        ),
        (
            Raw::new("PATCH", "/connectors/a/offsets").json(large),
            &[413],
        ),
        (
            post().header("Content-Type", "text/plain").body("{}"),
            &[415],
        ),
        (
            post()
                .header("Content-Type", "application/xml")
                .body("<a/>"),
            &[415],
        ),
        (
            post().header("Content-Type", "\u{e9}").body("{}"),
            &[400, 415],
        ),
        (
            post().header("Content-Encoding", "gzip").json("{}"),
            &[400, 415],
        ),
        (Raw::new("GET", "/").header("Accept", "text/html"), &[406]),
        (
            Raw::new("GET", "/").header("X-Large", &"x".repeat(1 << 20)),
            &[400, 431],
        ),
        (
            Raw::new("GET", &format!("/connectors/{name}")),
            &[404, 414, 431],
        ),
        (Raw::new("GET", "/connectors/../../etc/passwd"), &[404]),
        (
            Raw::new("GET", "/connectors/..%2f..%2fetc%2fpasswd"),
            &[404],
        ),
        (Raw::new("GET", "/connectors/%00"), &[400, 404]),
        (Raw::new("GET", "/connectors/%ff%fe/status"), &[400, 404]),
        (Raw::new("GET", "/connectors/%zz"), &[400, 404]),
        (
            Raw::new("GET", "/connectors/a/tasks/99999999999999999999/status"),
            &[400, 404],
        ),
        (
            Raw::new("GET", "/connectors/a/tasks/-1/status"),
            &[400, 404],
        ),
        (
            Raw::new("POST", "/connectors/a/tasks/x/restart"),
            &[400, 404],
        ),
        (Raw::new("GET", "/connector-plugins/..%2f/config"), &[404]),
        (
            Raw::new("PUT", "/connector-plugins/nothing/config/validate").json("{}"),
            &[400, 404],
        ),
        (
            Raw::new("PUT", "/admin/loggers/root").json("{\"level\":\"LOUD\"}"),
            &[400, 404],
        ),
        (Raw::new("PUT", "/admin/loggers/root").json("[1]"), &[400]),
        (Raw::new("DELETE", "/"), &[405]),
        (Raw::new("BREW", "/connectors"), &[405]),
        (
            Raw::new("PATCH", "/connectors/none/offsets").json("{\"offsets\":[{\"partition\":1}]}"),
            &[400, 404],
        ),
    ]
}

#[test]
fn bad_requests_are_refused_and_disturb_nobody() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    let source = postgres_source(&postgres, SOURCE, "public.counters");
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let scene = Scene::counting(&stack, postgres, options, &source)?;
    let rest = scene.worker.rest();
    for (request, right) in bad_requests() {
        let answer = request.send(rest.port())?;
        let short: String = format!("{request:?}").chars().take(300).collect();
        assert!(
            right.contains(&answer.status),
            "{short} gave {} {}",
            answer.status,
            answer.body
        );
        // Some of these the HTTP library refuses before we see them.
        if ![400, 414, 431].contains(&answer.status) || !answer.body.is_empty() {
            is_refusal(&answer).map_err(|error| format!("{short}: {error}"))?;
        }
    }
    for garbage in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        // It may be answered or not.
        let _ = raw::send(rest.port(), garbage);
    }
    odd_names(rest, &source)?;
    crowd(rest)?;
    undisturbed(scene)
}

/// Names that are odd but allowed, and those that are not.
fn odd_names(rest: &Rest, config: &Value) -> Outcome {
    let create = |name: &str| {
        let body = json!({ "name": name, "config": config, "initial_state": "STOPPED" });
        rest.ask("POST", "/connectors", &body.to_string())
    };
    for name in [
        "../../etc/passwd",
        "a b",
        "%2e%2e",
        "\u{1F980}",
        "a?b#c",
        "..",
        "x".repeat(3000).as_str(),
    ] {
        let created = create(name)?;
        assert_eq!(created.status, 201, "{name}: {}", created.body);
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        rest.must("GET", &format!("/connectors/{escaped}/status"))?;
        rest.must("DELETE", &format!("/connectors/{escaped}"))?;
    }
    for name in ["", " ", "a\nb", "\u{0}", "\u{7f}"] {
        let refused = create(name)?;
        assert_eq!(refused.status, 400, "{name:?}: {}", refused.body);
        is_refusal(&refused)?;
    }
    Ok(())
}

/// Many at once, and some who connect and say nothing.
fn crowd(rest: &Rest) -> Outcome {
    let idle: Vec<_> = (0..100)
        .filter_map(|_| TcpStream::connect(("127.0.0.1", rest.port())).ok())
        .collect();
    assert_eq!(idle.len(), 100);
    let ask = || -> Outcome {
        for path in [
            "/",
            "/connectors?expand=status&expand=info",
            "/metrics",
            "/connector-plugins",
            "/health",
        ]
        .repeat(5)
        {
            rest.must("GET", path)?;
        }
        for _ in 0..5 {
            let refused = Raw::new("POST", "/connectors")
                .json("[".repeat(10_000))
                .send(rest.port())?;
            assert_eq!(refused.status, 400);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let asking: Vec<_> = (0..24).map(|_| scope.spawn(ask)).collect();
        asking
            .into_iter()
            .try_for_each(|one| one.join().map_err(|_| "a client panicked")?)
    })
}

/// The connector has run all the time, in one go.
fn undisturbed(scene: Scene) -> Outcome {
    scene.load.wait_for(1)?;
    assert_eq!(scene.worker.rest().states(SOURCE)?, ["RUNNING", "RUNNING"]);
    let log = fs::read_to_string(scene.worker.server().log_path())?;
    assert_eq!(
        log.matches("the task runs").count(),
        1,
        "the task was started again"
    );
    assert!(!log.contains("panicked"), "something panicked");
    assert_exactly_once(&scene.finish()?)
}
