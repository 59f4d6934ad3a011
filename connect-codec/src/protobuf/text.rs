//! `.proto` texts, compiled.

use connect_core::{Error, Result};
use protox::{
    Compiler,
    file::{File, FileResolver, GoogleFileResolver},
    prost_reflect::{DescriptorPool, MessageDescriptor},
};

use super::known::known;
use crate::{error::SCHEMA_UNREADABLE, schema_registry::Registered};

/// The name under which the text itself is compiled.
const ROOT: &str = "registered.proto";

/// A compiled text.
pub(super) struct Compiled {
    pub(super) pool: DescriptorPool,
}

impl Compiled {
    /// Compiles a registered schema with all that it imports.
    pub(super) fn new(schema: &Registered) -> Result<Self> {
        let mut files = vec![(ROOT.to_owned(), schema.text.clone())];
        let others = schema.references.iter();
        files.extend(others.map(|other| (other.name.clone(), other.text.clone())));
        let mut compiler = Compiler::with_file_resolver(Texts(files));
        compiler.include_imports(true);
        compiler.open_file(ROOT).map_err(|error| {
            // The parser's own text repeats the schema, of many lines.
            let first = error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            unreadable("a Protobuf schema cannot be compiled").context("why", first)
        })?;
        Ok(Self {
            pool: compiler.descriptor_pool(),
        })
    }

    /// The message of these indexes: the first is a message of the file, each next one within that before.
    pub(super) fn message(&self, indexes: &[u32]) -> Option<MessageDescriptor> {
        let file = self.pool.get_file_by_name(ROOT)?;
        let (first, rest) = indexes.split_first()?;
        let mut message = file.messages().nth(*first as usize)?;
        for index in rest {
            let child = message.child_messages().nth(*index as usize)?;
            message = child;
        }
        Some(message)
    }

    /// The message of a simple name among those of the file, else the first; and its index.
    pub(super) fn named(&self, name: &str) -> Option<(u32, MessageDescriptor)> {
        let file = self.pool.get_file_by_name(ROOT)?;
        let all: Vec<_> = (0..).zip(file.messages()).collect();
        let found = all.iter().find(|(_, message)| message.name() == name);
        found.or(all.first()).cloned()
    }
}

struct Texts(Vec<(String, String)>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> std::result::Result<File, protox::Error> {
        let own = self.0.iter().find(|(known, _)| known == name);
        match own.map(|(_, text)| text.as_str()).or_else(|| known(name)) {
            Some(text) => File::from_source(name, text),
            None => GoogleFileResolver::new().open_file(name),
        }
    }
}

pub(super) fn unreadable(what: &'static str) -> Error {
    Error::new(&SCHEMA_UNREADABLE, what)
}
