//! The bytes of a stream and of a COPY without their server: for fuzzing only, no part of the interface.

use std::sync::Arc;

use bytes::Bytes;
use cdc::{
    adjust::Adjustment,
    incremental::{Collection, Running},
    signal::{Execute, Order, Signal, expand, logged},
    text::{Frame, Text},
    transaction::TransactionTopic,
};
use connect_core::{Batch, Cell, Config, Error, Result, Schema};

use crate::{
    PostgresConfig,
    captured::Captured,
    change::Messages,
    convert, copy,
    pgoutput::{self, Message, Replicated},
    position::{Place, Progress},
    relations::{Compiler, Known, Relations},
    stream::{
        Transactions,
        kept::{KeptTransactions, Taken},
    },
    types::{Custom, Customs, Modes},
    wire::message_in,
};

/// Reads what a server sends after START_REPLICATION, as a stream does, but asks no catalog.
pub fn stream(bytes: &[u8]) -> Result<Batch> {
    let (mut out, mut at) = (Batch::default(), 0);
    let (relations, config, captured) = parts()?;
    let topic = TransactionTopic::new("t.transaction".into(), Adjustment::None);
    let mut transactions = Transactions::new(relations, true, Place::default()).telling(
        Some(topic),
        Messages::new(&config, captured.messages().clone()),
    );
    transactions.begin_batch(&mut out);
    let mut kept = KeptTransactions::new(1 << 20);
    let read = loop {
        let message = match message_in(bytes, at) {
            Ok(Some(message)) => message,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        at = message.body.end;
        let body = bytes.get(message.body).unwrap_or(&[]);
        if message.tag == b'd'
            && let Err(error) = replicated((&mut kept, &mut transactions), body, bytes, &mut out)
        {
            break Err(error);
        }
    };
    read?;
    out.push_frame(Bytes::copy_from_slice(bytes));
    out.set_position(transactions.place().position(&"{}".into()));
    Ok(out)
}

fn replicated(
    (kept, transactions): (&mut KeptTransactions, &mut Transactions),
    body: &[u8],
    bytes: &[u8],
    out: &mut Batch,
) -> Result<()> {
    match pgoutput::replicated(body)? {
        Replicated::XLogData { lsn, payload } => {
            if !matches!(kept.take(lsn, payload)?, Taken::No) {
                return Ok(());
            }
            match pgoutput::message(payload)? {
                Message::Relation(relation) => transactions.learn_without_catalog(relation),
                message => transactions.message(lsn, message, Frame { bytes, index: 0 }, out),
            }
        }
        Replicated::Keepalive { end, .. } => {
            transactions.keepalive(end);
            Ok(())
        }
        Replicated::Unknown => Ok(()),
    }
}

/// Reads a Relation message, its length (2 bytes) in front, and rows of COPY in its columns, one a line.
pub fn rows(bytes: &[u8]) -> Result<Batch> {
    let mut out = Batch::default();
    let Some((len, rest)) = bytes.split_first_chunk::<2>() else {
        return Ok(out);
    };
    let len = usize::from(u16::from_be_bytes(*len));
    let Some((relation, lines)) = rest.split_at_checked(len) else {
        return Ok(out);
    };
    let Message::Relation(relation) = pgoutput::message(relation)? else {
        return Ok(out);
    };
    let mut relations = relations()?;
    relations.learn_without_catalog(relation)?;
    let Some(Known::Table(table)) = relations.get(relation.id) else {
        return Ok(out);
    };
    let (mut cells, mut writer) = (Vec::new(), crate::change::ChangeWriter::new(false));
    writer.begin_batch(&mut out);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let frame = Frame {
            bytes: lines,
            index: 0,
        };
        copy::row(table, line, frame, &mut cells, &mut out)?;
        writer.read(table, 1, crate::change::Marker::True, &cells, &mut out);
    }
    out.push_frame(Bytes::copy_from_slice(lines));
    Ok(out)
}

/// Types of extensions that have a form of their own.
const EXTENSIONS: [&str; 6] = [
    "geometry",
    "geography",
    "vector",
    "halfvec",
    "sparsevec",
    "hstore",
];

/// Reads the text of a value of one of the types of extensions, which the first byte chooses.
pub fn extension(bytes: &[u8]) -> Result<Option<(Batch, Arc<Schema>, Cell)>> {
    let Some((choice, text)) = bytes.split_first() else {
        return Ok(None);
    };
    let name = EXTENSIONS[usize::from(*choice) % EXTENSIONS.len()];
    let oid = 70_000;
    let customs = Customs::from_iter([(oid, Custom::Named(name.to_owned()))]);
    let (_, config, _) = parts()?;
    let Some(shape) = Modes::new(&config).shape(&customs, oid, -1) else {
        return Ok(None);
    };
    let mut out = Batch::default();
    let cell = convert::cell(&shape.op, Text::loose(text), &mut out)?;
    Ok(Some((out, Arc::new(shape.schema), cell)))
}

/// Reads a stored offset and writes it again.
pub fn offset(text: &str) -> Result<String> {
    let position = Place::parse(text)?.position(&"{}".into());
    Ok(position.offset.to_string())
}

/// Names of tables, as they are in a database.
const TABLES: [&str; 3] = ["public.t", "public.Weird \"name", "other.t"];

/// Reads signals as a file has them, one a line, and does what they ask for as far as that needs no database. Gives two offsets for
/// each that wants a snapshot: of a snapshot that has begun with it, and the same read and written again.
pub fn signals(bytes: &[u8]) -> Vec<[String; 2]> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let signals = lines.filter_map(|line| Signal::of_json(line).ok());
    signals.filter_map(obeyed).collect()
}

fn obeyed(signal: Signal) -> Option<[String; 2]> {
    match signal.order().ok()? {
        Order::Execute(execute) => began(&signal, &execute),
        Order::Log(message) => {
            drop(logged(&message, "a place"));
            None
        }
        Order::Stop(patterns) => {
            drop(expand(&patterns, TABLES.into_iter()));
            None
        }
        _ => None,
    }
}

fn began(signal: &Signal, execute: &Execute) -> Option<[String; 2]> {
    let names = expand(&execute.collections, TABLES.into_iter());
    let collections = names.into_iter().map(|id| Collection {
        condition: execute.filter(&id).map(str::to_owned),
        surrogate: execute.surrogate_key.clone(),
        id,
    });
    let collections: std::collections::VecDeque<_> = collections.collect();
    let running = (!execute.blocking && !collections.is_empty()).then(|| Running {
        collections,
        correlation: Some(signal.id.clone()),
        ..Running::default()
    });
    let blocking = execute.blocking.then(|| Progress {
        only: Some(signal.data.as_str().into()),
        ..Progress::default()
    });
    let place = Place {
        incremental: running.map(Into::into),
        snapshot: blocking,
        ..Place::between(8)
    };
    let written = place.position(&"{}".into()).offset.to_string();
    let again = offset(&written).ok()?;
    Some([written, again])
}

fn relations() -> Result<Relations> {
    parts().map(|(relations, ..)| relations)
}

/// A configuration, with what it says of tables.
pub(crate) fn parts() -> Result<(Relations, PostgresConfig, Captured)> {
    let properties = [
        ("topic.prefix", "t"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "d"),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let wrong = |_| Error::new(&connect_core::error::INTERNAL, "the configuration is wrong");
    let config = PostgresConfig::parse(&properties.into()).map_err(wrong)?;
    let captured = Captured::new(&config, &mut Vec::new());
    let captured = captured.ok_or_else(|| wrong(Vec::new()))?;
    let relations = Relations::new(Compiler::new(&config, captured.clone()));
    Ok((relations, config, captured))
}
