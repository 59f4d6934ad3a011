use connect_log::memory::MemoryLog;

use super::*;

async fn cluster() -> Cluster {
    let log: Arc<dyn Log> = MemoryLog::new();
    let config = WorkerConfig::read(&BTreeMap::new()).unwrap();
    let by = "by".into();
    Cluster::open(&log, &config, &by, &Place::alone(), &Changes::default())
        .await
        .unwrap()
}

fn question() -> Request {
    Request {
        whom: Whom::Leader,
        order: Order::Ping,
    }
}

async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_question_that_is_given_up_leaves_nothing_behind() {
    let cluster = cluster().await;
    let has = |requests, replies| {
        let known = cluster.known();
        (known.requests.len(), known.replies.len()) == (requests, replies)
    };
    let id = RequestId {
        member: "me".to_owned(),
        number: 0,
    };
    let request = question();
    let asking = cluster.ask("me", &request);
    let meanwhile = async {
        until(|| has(1, 0)).await;
        assert!(cluster.given_up("me").is_empty(), "somebody waits with it");
    };
    tokio::select! {
        () = cluster.follow() => {}
        _ = asking => {}
        () = meanwhile => {}
    }
    // Given up; it is answered all the same.
    let answered = Answered::of(Ok(crate::herder::command::Answer::Done));
    cluster
        .write(&reply_entries(&id, Some(answered)))
        .await
        .unwrap();
    let taking_back = async {
        until(|| has(0, 1)).await;
        assert!(cluster.given_up("other").is_empty());
        assert_eq!(cluster.given_up("me"), [id.clone()].into());
        cluster.take_back(&id).await.unwrap();
        until(|| has(0, 0)).await;
    };
    tokio::select! {
        () = cluster.follow() => {}
        () = taking_back => {}
    }
}
