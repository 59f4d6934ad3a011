use connect_log::memory::MemoryLog;

use super::*;
use crate::worker_config::WorkerConfig;

async fn kept() -> Kept {
    let log: Arc<dyn Log> = MemoryLog::new();
    let config = WorkerConfig::default();
    let offsets = Offsets::open(&log, &config, &crate::place::Place::alone())
        .await
        .unwrap();
    Kept {
        log,
        offsets: Arc::new(offsets),
        connector: "c".to_owned(),
        replication: None,
        settings: BTreeMap::new(),
        of: TopicPartition::new("g-c-kept", 0),
    }
}

/// The values that are there, and the offset behind them.
async fn read(kept: &Kept) -> (Vec<(String, i64)>, i64) {
    let Some(mut reader) = kept.reader().await.unwrap() else {
        return (Vec::new(), 0);
    };
    let mut all = Vec::new();
    loop {
        let page = reader.next(Duration::from_secs(1)).await.unwrap();
        for letter in page.letters {
            let value = String::from_utf8(letter.value.unwrap()).unwrap();
            all.push((value, letter.offset));
        }
        if let Some(end) = page.end {
            return (all, end);
        }
    }
}

fn values(read: &[(String, i64)]) -> Vec<&str> {
    read.iter().map(|(value, _)| value.as_str()).collect()
}

#[tokio::test]
async fn what_is_committed_comes_back_in_order_until_it_is_forgotten() {
    let kept = kept().await;
    assert!(kept.is_empty().await.unwrap() && kept.reader().await.unwrap().is_none());
    let mut writer = kept.writer().await.unwrap();
    for value in ["a", "b"] {
        writer.append(b"k", value.as_bytes()).await.unwrap();
    }
    writer.commit().await.unwrap();
    writer.append(b"k", b"not committed").await.unwrap();
    assert_eq!(values(&read(&kept).await.0), ["a", "b"]);
    assert!(writer.commit().await.is_err(), "the reader has ended it");
    let mut writer = kept.writer().await.unwrap();
    writer.append(b"k", b"c").await.unwrap();
    writer.commit().await.unwrap();
    let (all, end) = read(&kept).await;
    assert_eq!(values(&all), ["a", "b", "c"], "behind an end of before");
    kept.forget(Some(all[1].1)).await.unwrap();
    assert_eq!(values(&read(&kept).await.0), ["b", "c"]);
    assert!(kept.leave().await.unwrap(), "it is not empty");
    kept.forget(None).await.unwrap();
    assert!(kept.is_empty().await.unwrap() && end > all[2].1);
    assert!(!kept.leave().await.unwrap());
    assert!(!kept.exists().await.unwrap());
}
