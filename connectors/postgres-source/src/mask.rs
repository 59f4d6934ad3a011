//! What masks have to know of PostgreSQL's columns.

use std::sync::Arc;

use cdc::{
    hide::{Hide, Kind},
    masks::Mask,
};

use crate::{
    catalog::ColumnInfo,
    convert::Op,
    types::{Custom, Customs, oid},
};

impl Hide for Op {
    fn is_bytes(&self) -> bool {
        matches!(self, Self::Hex)
    }

    /// Bytes are hex digits until they are written.
    fn characters_per_byte(&self) -> usize {
        2
    }

    fn masked(self, mask: Mask) -> Self {
        Self::Masked(Arc::new((self, mask)))
    }
}

/// What a column is to a mask.
pub(crate) fn kind(column: &ColumnInfo, customs: &Customs) -> Kind {
    Kind {
        length: length(column),
        is_string: is_string(column.type_oid, customs),
    }
}

fn is_string(type_oid: u32, customs: &Customs) -> bool {
    match customs.get(&type_oid) {
        Some(Custom::Domain(base, _)) => is_string(*base, &Customs::default()),
        Some(custom) => matches!(custom, Custom::Enum(_)),
        None => matches!(
            type_oid,
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::CHAR
        ),
    }
}

/// `varchar(n)`, `char(n)`; `None` when nothing limits it.
fn length(column: &ColumnInfo) -> Option<usize> {
    let limited = matches!(column.type_oid, oid::VARCHAR | oid::BPCHAR);
    let modifier = column.modifier.checked_sub(4).filter(|length| *length > 0);
    modifier
        .filter(|_| limited)
        .and_then(|length| usize::try_from(length).ok())
}
