//! The properties of the connector: Debezium's names and defaults.

use connect_core::choice;

choice! {
    /// `database.ssl.mode`
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
    }
}
