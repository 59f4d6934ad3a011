//! How the events of a file are written (`FORMAT_DESCRIPTION_EVENT`).

use connect_core::{Error, Result};

use crate::{binlog::HEADER, error, wire::Fields};

/// How events are written from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format<'a> {
    /// The version of the server that wrote the file.
    pub server: &'a [u8],
    /// Whether events have a checksum behind them.
    pub checked: bool,
}

/// The one version of the binlog since MySQL 5.0.
const VERSION: u16 = 4;
/// No checksums, and CRC-32.
const NONE: u8 = 0;
const CRC32: u8 = 1;

pub(super) fn read(body: &[u8]) -> Result<Format<'_>> {
    let mut fields = Fields(body);
    if fields.u16()? != VERSION {
        return Err(error::protocol("the binlog has another version than 4"));
    }
    let server = Fields(fields.bytes(50)?).until_zero();
    fields.u32()?;
    if usize::from(fields.u8()?) != HEADER {
        return Err(error::protocol(
            "the events of the binlog have other headers",
        ));
    }
    let checked = match fields.rest().last() {
        Some(&NONE) => false,
        Some(&CRC32) => true,
        _ => {
            let what = "the binlog has checksums of a kind that is not known";
            return Err(Error::new(&error::PROTOCOL, what));
        }
    };
    Ok(Format { server, checked })
}
