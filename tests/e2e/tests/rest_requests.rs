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
type Bad = Vec<(Raw, &'static [u16])>;

fn post() -> Raw {
    Raw::new("POST", "/connectors")
}

fn get(path: &str) -> Raw {
    Raw::new("GET", path)
}

/// Bodies that are no configuration.
fn bad_bodies() -> Bad {
    let texts = [
        "{",
        "null",
        "[]",
        "{}",
        "\"text\"",
        "{\"name\":\"a\",\"config\":[]}",
        "{\"name\":{},\"config\":{}}",
        "{\"name\":\"a\",\"config\":{\"x\":{\"y\":1}}}",
        "{\"name\":\"a\",\"config\":{}} trailing",
        "{\"name\":\"a\",\"config\":{},\"initial_state\":\"FLYING\"}",
        "\u{FEFF}{}",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(b"{\"name\":\"\xff\xfe\",\"config\":{}}".to_vec());
    all.push("[".repeat(200_000).into_bytes());
    all.push("{\"a\":".repeat(200_000).into_bytes());
    let posts = all.into_iter().map(|body| (post().json(body), &[400][..]));
    let others: Bad = vec![
        (post(), &[400]),
        (
            Raw::new("PUT", "/connector-plugins/nothing/config/validate").json("{}"),
            &[400, 404],
        ),
        (
            Raw::new("PUT", "/admin/loggers/root").json("{\"level\":\"LOUD\"}"),
            &[400, 404],
        ),
        (Raw::new("PUT", "/admin/loggers/root").json("[1]"), &[400]),
        (
            Raw::new("PATCH", "/connectors/none/offsets").json("{\"offsets\":[{\"partition\":1}]}"),
            &[400, 404],
        ),
    ];
    posts.chain(others).collect()
}

/// Requests that are too large, or not in JSON.
fn bad_forms() -> Bad {
    let large = "x".repeat(10 << 20);
    let config = format!("{{\"name\":\"a\",\"config\":{{\"x\":\"{large}\"}}}}");
    let typed = |ty: &str| post().header("Content-Type", ty).body("{}");
    vec![
        (post().json(config), &[413]),
        (
            Raw::new("PUT", "/connectors/a/config").json(large.clone()),
            &[413],
        ),
        (
            Raw::new("PATCH", "/connectors/a/offsets").json(large),
            &[413],
        ),
        (typed("text/plain"), &[415]),
        (typed("application/xml"), &[415]),
        (typed("\u{e9}"), &[400, 415]),
        (
            typed("application/json").header("Content-Encoding", "gzip"),
            &[400, 415],
        ),
        (get("/").header("Accept", "text/html"), &[406]),
        (
            get("/").header("X-Large", &"x".repeat(1 << 20)),
            &[400, 431],
        ),
        (
            get(&format!("/connectors/{}", "n".repeat(1 << 20))),
            &[404, 414, 431],
        ),
    ]
}

/// Paths that lead nowhere.
fn bad_paths() -> Bad {
    let gets = [
        "/connectors/../../etc/passwd",
        "/connectors/..%2f..%2fetc%2fpasswd",
        "/connectors/%00",
        "/connectors/%ff%fe/status",
        "/connectors/%zz",
        "/connectors/a/tasks/99999999999999999999/status",
        "/connectors/a/tasks/-1/status",
        "/connector-plugins/..%2f/config",
        "/connectors//status",
    ];
    let gets = gets.iter().map(|path| (get(path), &[400, 404][..]));
    let others: Bad = vec![
        (
            Raw::new("POST", "/connectors/a/tasks/x/restart"),
            &[400, 404],
        ),
        (Raw::new("DELETE", "/"), &[405]),
        (Raw::new("BREW", "/connectors"), &[405]),
    ];
    gets.chain(others).collect()
}

#[test]
fn bad_requests_are_refused_and_disturb_nobody() -> Outcome {
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    let source = postgres_source(&postgres, SOURCE, "public.counters");
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let scene = Scene::counting(&stack, postgres, options, &source)?;
    let rest = scene.worker.rest();
    let all = [bad_bodies(), bad_forms(), bad_paths()];
    for (request, right) in all.into_iter().flatten() {
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
