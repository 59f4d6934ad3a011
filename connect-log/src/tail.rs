//! From an offset to the end of a topic, exactly.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::{Encoded, Error, Result};
use tokio::time::{Instant, sleep};

use crate::{At, Log, Read, ReaderSpec, TopicPartition, error};

/// How long one poll waits.
const POLL: Duration = Duration::from_millis(10);
/// How long transactions that are open are waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether they have ended.
const LOOK: Duration = Duration::from_millis(10);
/// A reader that gives nothing for so long never will.
const SILENCE: Duration = Duration::from_secs(60);

/// Offsets to read next, per partition; those that are not there are read from their beginning.
pub type Offsets = BTreeMap<i32, i64>;

/// Reads everything that is in a topic now, from these offsets, which move to the end. Nothing is left out: transactions that are
/// open now are waited for.
pub async fn read_to_end(
    log: &dyn Log,
    topic: &str,
    from: &mut Offsets,
    spec: ReaderSpec,
    mut each: impl FnMut(&Encoded),
) -> Result<()> {
    let partitions = log.partitions(topic).await?;
    let partitions = partitions.ok_or_else(|| unknown(topic))?;
    let name: Arc<str> = topic.into();
    let mut ends = BTreeMap::new();
    let mut starts = BTreeMap::new();
    for (partition, end) in log.ends(topic, partitions).await? {
        let of = TopicPartition::new(Arc::clone(&name), partition);
        let start = match from.get(&partition) {
            Some(next) => *next,
            None if end == 0 => 0,
            None => log.offset_at(&of, At::Earliest).await?,
        };
        if start < end {
            until_committed(log, &of, end).await?;
            starts.insert(of.clone(), start);
            ends.insert(of, end);
        }
    }
    if !starts.is_empty() {
        let mut reader = log.reader(spec).await?;
        reader.assign(&starts).await?;
        let next = read(&mut *reader, &ends, &mut each).await?;
        reader.close().await?;
        from.extend(next);
    }
    Ok(())
}

/// Gives the next offset of each partition.
async fn read(
    reader: &mut dyn Read,
    ends: &BTreeMap<TopicPartition, i64>,
    each: &mut impl FnMut(&Encoded),
) -> Result<Offsets> {
    let mut next: Offsets = ends.keys().map(|of| (of.partition, 0)).collect();
    let mut records = Encoded::default();
    let mut heard = Instant::now();
    loop {
        records.clear();
        reader.poll(&mut records, POLL).await?;
        for record in &records.records {
            heard = Instant::now();
            next.insert(record.partition.unwrap_or(0), record.offset + 1);
        }
        each(&records);
        // The last offsets may hold no record but a transaction's marker.
        let lag = reader.lag();
        let is_read = |(of, end): (&TopicPartition, &i64)| {
            lag.get(of) == Some(&0) || next.get(&of.partition).is_some_and(|next| next >= end)
        };
        if ends.iter().all(is_read) {
            break;
        }
        if heard.elapsed() > SILENCE {
            let what = "the topic could not be read to its end in time";
            return Err(Error::new(&error::UNAVAILABLE, what));
        }
    }
    for (of, end) in ends {
        let next = next.entry(of.partition).or_default();
        *next = (*next).max(*end);
    }
    Ok(next)
}

/// Waits until nothing before an offset belongs to a transaction that is open.
async fn until_committed(log: &dyn Log, of: &TopicPartition, end: i64) -> Result<()> {
    let began = Instant::now();
    while log.offset_at(of, At::Latest).await? < end {
        if began.elapsed() > PATIENCE {
            let what = "a transaction in the topic is open for too long";
            return Err(Error::new(&error::UNAVAILABLE, what)
                .context("topic", &of.topic)
                .context("partition", of.partition));
        }
        sleep(LOOK).await;
    }
    Ok(())
}

fn unknown(topic: &str) -> Error {
    Error::new(&error::UNKNOWN_TOPIC, "the topic does not exist").context("topic", topic)
}
