//! Logical messages into records: the topic `<topic.prefix>.message`.

use std::sync::Arc;

use cdc::{
    binary::{hex, push_base64},
    change::Op,
    envelope::transaction_schema,
    filters::Filter,
    modes::BinaryMode,
    text::{Frame, Text},
};
use connect_core::{Batch, Cell, Field, Record, Route, Schema, Type};

use super::ChangeWriter;
use crate::{PostgresConfig, pgoutput::Logical, source};

/// What counts as their table in transactions.
const COLLECTION: &str = "LOGICAL_DECODING_MESSAGE";

/// How logical messages are shown, and which.
#[derive(Debug)]
pub(crate) struct Messages {
    route: Arc<Route>,
    prefixes: Filter,
    binary: BinaryMode,
    collection: Arc<str>,
}

impl Messages {
    /// As configured; `prefixes` says which pass.
    pub(crate) fn new(config: &PostgresConfig, prefixes: Filter) -> Self {
        let name = |what: &str| {
            let name = format!("io.debezium.connector.postgresql.{what}");
            config.schema_names.schema(&name)
        };
        let text = || Schema::of(Type::String);
        let content = match config.binary_mode {
            BinaryMode::Bytes => Schema::of(Type::Bytes),
            _ => text(),
        };
        let prefix = || Field::new("prefix", text().optional());
        let key = Schema::structure([prefix()]).named(name("MessageKey"), 1);
        let block = Schema::structure([prefix(), Field::new("content", content.optional())])
            .named(name("Message"), 1);
        let source = source::schema(&config.topic_prefix, &config.database, "", "");
        let value = Schema::structure([
            Field::new("op", text()),
            Field::new("ts_ms", Schema::of(Type::Int64).optional()),
            Field::new("source", source),
            Field::new("transaction", transaction_schema()),
            Field::new("message", block),
        ])
        .named(name("MessageValue"), 1);
        let topic = format!("{}.message", config.topic_prefix);
        Self {
            route: Route::new(topic, Some(Arc::new(key)), Some(Arc::new(value))),
            prefixes,
            binary: config.binary_mode,
            collection: COLLECTION.into(),
        }
    }

    /// Whether messages with a prefix are sent on.
    pub(crate) fn passes(&self, prefix: &str) -> bool {
        self.prefixes.passes(prefix)
    }

    fn content(&self, content: Text<'_>, out: &mut Batch) -> Cell {
        match self.binary {
            BinaryMode::Bytes => content.keep(out),
            BinaryMode::Hex => out.push_bytes(&hex(content.bytes())),
            BinaryMode::Base64 | BinaryMode::Base64UrlSafe => {
                let at = out.arena().len();
                let for_addresses = self.binary == BinaryMode::Base64UrlSafe;
                push_base64(content.bytes(), for_addresses, out.arena());
                out.made_since(at)
            }
        }
    }
}

impl ChangeWriter {
    /// What follows stands between transactions, at a place to which everything has been sent.
    pub(crate) fn between_transactions(&mut self, lsn: u64) {
        self.source[source::TX_ID] = Cell::Null;
        self.source[source::SNAPSHOT] = Cell::Const;
        self.last_commit = Some(lsn);
        self.sequence_of = None;
    }

    /// A logical message.
    pub(crate) fn message(
        &mut self,
        messages: &Messages,
        lsn: u64,
        (logical, frame): (&Logical<'_>, Frame<'_>),
        out: &mut Batch,
    ) {
        let prefix = Text::framed(logical.prefix.as_bytes(), frame).keep(out);
        let content = messages.content(Text::framed(logical.content, frame), out);
        self.at(lsn, out);
        let value = [
            self.writer.letter(Op::Message),
            self.writer.ts_ms(),
            out.push_nest(&self.source),
            self.writer.block(&messages.collection, out),
            out.push_nest(&[prefix, content]),
        ];
        let (key, value) = (out.push_nest(&[prefix]), out.push_nest(&value));
        let route = out.route_index(&messages.route);
        out.push(Record::new(route, key, value));
    }
}
