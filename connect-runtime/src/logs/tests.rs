use super::*;

fn filed(message: impl Into<String>) -> Filed {
    Filed {
        level: LogLevel::Info,
        task: Some(0),
        logger: "test".to_owned(),
        message: message.into(),
        fields: serde_json::Map::new(),
    }
}

fn newest(lines: usize) -> Which {
    Which {
        lines,
        ..Which::default()
    }
}

fn messages(page: &Page) -> Vec<&str> {
    page.lines
        .iter()
        .map(|line| line.message.as_str())
        .collect()
}

#[test]
fn the_newest_lines_stay_and_who_reads_on_is_told_what_is_gone() {
    let logs = Logs::default();
    let count = LINES + 7;
    for number in 0..count {
        logs.file("a", filed(number.to_string()));
    }
    let page = logs.page("a", &newest(2), None);
    assert_eq!(messages(&page), ["1005", "1006"]);
    assert_eq!((page.missed, page.next), (0, count as u64));
    let page = logs.page("a", &newest(2), Some(3));
    assert_eq!((page.lines.len(), page.missed), (LINES, 4));
    let page = logs.page("a", &newest(2), Some(count as u64));
    assert_eq!((page.lines.len(), page.missed), (0, 0));
    // A number of another life: everything is new.
    let page = logs.page("a", &newest(2), Some(1_000_000));
    assert_eq!((page.lines.len(), page.missed), (LINES, 7));
    assert_eq!(logs.page("b", &newest(9), None), Page::default());
}

#[test]
fn lines_are_chosen_by_level_and_task() {
    let logs = Logs::default();
    for (level, task) in [
        (LogLevel::Debug, Some(0)),
        (LogLevel::Warn, Some(1)),
        (LogLevel::Error, None),
    ] {
        let message = format!("{level:?}");
        logs.file(
            "a",
            Filed {
                level,
                task,
                ..filed(message)
            },
        );
    }
    let mut which = newest(9);
    which.level = LogLevel::parse("warn");
    assert_eq!(messages(&logs.page("a", &which, None)), ["Warn", "Error"]);
    which.task = Some(1);
    assert_eq!(messages(&logs.page("a", &which, Some(0))), ["Warn"]);
    assert_eq!(LogLevel::parse("loud"), None);
}

#[test]
fn bytes_are_bounded_for_one_and_for_all() {
    let logs = Logs::default();
    let long = "x".repeat(BYTES / 4);
    for _ in 0..9 {
        logs.file("a", filed(long.clone()));
    }
    assert_eq!(logs.page("a", &newest(9), None).lines.len(), 3);
    let connectors = 2 * ALL_BYTES / BYTES;
    for number in 0..connectors {
        for _ in 0..3 {
            logs.file(&number.to_string(), filed(long.clone()));
        }
    }
    let all = logs.0.all.lock();
    let sum: usize = all
        .by_connector
        .values()
        .map(|kept| kept.ring.bytes())
        .sum();
    assert_eq!(all.bytes, sum);
    assert!(sum <= ALL_BYTES && sum > ALL_BYTES / 2, "{sum}");
}

#[test]
fn what_is_deleted_is_forgotten_and_who_waits_for_it_is_told() {
    let logs = Logs::default();
    logs.file("a", filed("1"));
    logs.file("b", filed("2"));
    let follows = |name: &str| {
        logs.listen(name)
            .is_some_and(|next| next.has_changed().is_ok())
    };
    let (a, b) = (logs.listen("a").unwrap(), logs.listen("b").unwrap());
    logs.retain(|name| name == "b");
    assert!(a.has_changed().is_err() && b.has_changed().is_ok());
    assert_eq!(logs.page("a", &newest(9), None), Page::default());
    assert_eq!(logs.page("b", &newest(9), None).lines.len(), 1);
    assert!(follows("b"));
    logs.close();
    assert!(b.has_changed().is_err() && !follows("b"));
    logs.file("b", filed("3"));
    assert_eq!(logs.page("b", &newest(9), None), Page::default());
}

#[tokio::test]
async fn who_waits_is_woken_by_the_next_line_and_places_are_bounded() {
    let logs = Logs::default();
    let waiting = logs.clone();
    let waits = tokio::spawn(async move { waiting.wait("a", 0, Duration::from_secs(600)).await });
    logs.file("a", filed("1"));
    waits.await.unwrap();
    let places: Vec<_> = (0..FOLLOWERS).map(|_| logs.follower().unwrap()).collect();
    assert!(logs.follower().is_none());
    drop(places);
    assert!(logs.follower().is_some());
}
