//! Choices of how to connect.

use connect_core::{
    choice,
    config::{Kind, ParseValue, Width},
};

choice! {
    /// `database.ssl.mode`: the names of MySQL's connector, and those of MariaDB's.
    pub enum SslMode {
        /// Never TLS.
        Disabled = "disabled",
        /// TLS when the server has it.
        Preferred = "preferred",
        /// TLS with any certificate.
        Required = "required",
        /// TLS with a certificate of a known authority.
        VerifyCa = "verify_ca",
        /// The same, made out to the host name.
        VerifyIdentity = "verify_identity",
        /// As `disabled`.
        Disable = "disable",
        /// As `required`.
        Trust = "trust",
        /// As `verify_ca`.
        VerifyCaOfMariaDb = "verify-ca",
        /// As `verify_identity`.
        VerifyFull = "verify-full",
    }
}

impl SslMode {
    /// The same, by the name that MySQL has for it.
    #[must_use]
    pub(crate) fn plain(self) -> Self {
        match self {
            Self::Disable => Self::Disabled,
            Self::Trust => Self::Required,
            Self::VerifyCaOfMariaDb => Self::VerifyCa,
            Self::VerifyFull => Self::VerifyIdentity,
            plain => plain,
        }
    }
}

choice! {
    /// `database.compression`
    pub enum Compress {
        /// Nothing is compressed.
        None = "none",
        /// With zlib.
        Zlib = "zlib",
        /// With zstd, which MySQL has.
        Zstd = "zstd",
    }
}

/// `database.server.id`: a number among the server's replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerId(pub u32);

impl ParseValue for ServerId {
    const KIND: Kind = Kind::Long;
    const WIDTH: Width = Width::Short;

    fn parse_value(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(id @ 1..) => Ok(Self(id)),
            _ => Err("Must be a number from 1 to 4294967295".to_owned()),
        }
    }
}
