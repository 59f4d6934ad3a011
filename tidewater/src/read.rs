//! `tidewater read`: prints a topic of an embedded log whose worker is stopped.

use std::{collections::BTreeMap, io::Write, sync::Arc, time::Duration};

use connect_core::Encoded;
use connect_log::{
    At, Log, ReaderSpec, TopicPartition,
    embedded::{EmbeddedLog, EmbeddedOptions},
};

use crate::{Failure, cli::Read};

/// Prints every committed record, a line each: key, tab, value; null is empty.
pub(crate) async fn run(options: &Read) -> Result<(), Failure> {
    if !options.data_dir.is_dir() {
        return Err(format!(
            "--data-dir {}: there is no such folder",
            options.data_dir.display()
        )
        .into());
    }
    let log: Arc<dyn Log> = EmbeddedLog::open(&options.data_dir, &EmbeddedOptions::default())?;
    let Some(topic) = log.topic(&options.topic).await? else {
        let known = log.topics().await?.join(", ");
        return Err(format!("there is no topic {}; there are: {known}", options.topic).into());
    };
    let mut from = BTreeMap::new();
    let mut ends = BTreeMap::new();
    for partition in 0..topic.partitions {
        let of = TopicPartition::new(Arc::clone(&topic.name), partition);
        from.insert(of.clone(), log.offset_at(&of, At::Earliest).await?);
        ends.insert(of.clone(), log.offset_at(&of, At::Latest).await?);
    }
    print(log.as_ref(), &from, ends).await
}

async fn print(
    log: &dyn Log,
    from: &BTreeMap<TopicPartition, i64>,
    mut ends: BTreeMap<TopicPartition, i64>,
) -> Result<(), Failure> {
    let mut reader = log.reader(ReaderSpec::default()).await?;
    reader.assign(from).await?;
    ends.retain(|of, end| from.get(of).is_some_and(|start| start < end));
    let mut out = std::io::stdout().lock();
    let mut records = Encoded::default();
    while !ends.is_empty() {
        records.clear();
        reader.poll(&mut records, Duration::from_secs(1)).await?;
        for record in &records.records {
            out.write_all(records.key(record).unwrap_or(b""))?;
            out.write_all(b"\t")?;
            out.write_all(records.value(record).unwrap_or(b""))?;
            out.write_all(b"\n")?;
        }
        // The end may have a gap before it, so the reader's lag tells, not the last offset.
        let lag = reader.lag();
        ends.retain(|of, _| lag.get(of).is_none_or(|behind| *behind > 0));
    }
    Ok(reader.close().await?)
}
