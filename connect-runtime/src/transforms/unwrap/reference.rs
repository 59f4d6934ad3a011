//! A field of the change event that is to be added to the row or to the headers.

use std::sync::Arc;

/// One item of `add.fields` or `add.headers`: `op`, `source.ts_ms`, `source.ts_ms:CHANGED`.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// The block that has it; `None` for the event itself.
    pub(super) block: Option<String>,
    /// Its name there.
    pub(super) field: String,
    /// Its new name.
    pub(super) name: Arc<str>,
}

impl Reference {
    /// Reads an item; `None` when it has more than one new name.
    pub(super) fn parse(prefix: &str, item: &str) -> Option<Self> {
        let (path, new) = match item.split(':').collect::<Vec<_>>().as_slice() {
            [path] => (*path, None),
            [path, new] => (*path, Some(*new)),
            _ => return None,
        };
        let mut steps = path.split('.');
        let first = steps.next().unwrap_or_default().to_owned();
        let (block, field, old) = match steps.next() {
            Some(field) => (
                Some(first.clone()),
                field.to_owned(),
                format!("{first}_{field}"),
            ),
            None => (block_of(&first), first.clone(), first),
        };
        let name = format!("{prefix}{}", new.unwrap_or(&old));
        Some(Self {
            block,
            field,
            name: name.into(),
        })
    }

    /// Whether it is the operation, which tombstones have too.
    pub(super) fn is_operation(&self) -> bool {
        self.field == "op"
    }
}

/// Where a field without a block stands.
fn block_of(field: &str) -> Option<String> {
    match field {
        "id" | "data_collection_order" | "total_order" => Some("transaction".to_owned()),
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        "updateDescription" => Some(field.to_owned()),
        _ => Some("source".to_owned()),
    }
}
