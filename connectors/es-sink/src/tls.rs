//! What the properties say of TLS.

use connect_core::{Error, Result};
use connect_tls::{Named, Tls, Trust};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::{config::EsConfig, error::TLS};

/// What the configuration asks for. Reads its files; without `secure` nobody is trusted, since nobody is asked.
pub(crate) fn client(config: &EsConfig, secure: bool) -> Result<ClientConfig> {
    if secure {
        return settings(config).client();
    }
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|err| Error::new(&TLS, "TLS cannot be set up").caused_by(err))?;
    Ok(builder
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn settings(config: &EsConfig) -> Tls<'_> {
    Tls {
        code: &TLS,
        trust: if config.trust_all {
            Trust::Anyone
        } else {
            Trust::Host
        },
        roots: Named::by("connection.ssl.ca.file", config.ca_file.as_deref()),
        certificate: Named::by(
            "connection.ssl.certificate.file",
            config.cert_file.as_deref(),
        ),
        key: Named::by("connection.ssl.key.file", config.key_file.as_deref()),
    }
}
