//! TLS by rustls with the ring provider.

use std::sync::Arc;

use connect_core::{Error, Result};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject};

use crate::{config::EsConfig, error::TLS};

/// What the configuration asks for. Reads its files; without `secure` nobody is trusted, since nobody is asked.
pub(crate) fn client(config: &EsConfig, secure: bool) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|err| wrong("TLS cannot be set up").caused_by(err))?;
    let builder = match (secure, config.trust_all) {
        (false, _) => builder.with_root_certificates(RootCertStore::empty()),
        (true, true) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider))),
        (true, false) => builder.with_root_certificates(roots(config.ca_file.as_deref())?),
    };
    match (&config.cert_file, &config.key_file) {
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(
                certificates(cert, "connection.ssl.certificate.file")?,
                private_key(key)?,
            )
            .map_err(|err| wrong("the client certificate and key do not fit").caused_by(err)),
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn roots(file: Option<&str>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let found = match file {
        Some(file) => certificates(file, "connection.ssl.ca.file")?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    store.add_parsable_certificates(found);
    if store.is_empty() {
        return Err(wrong("there is no certificate authority to trust"));
    }
    Ok(store)
}

fn certificates(file: &str, property: &'static str) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|err| {
            wrong("a certificate file cannot be read")
                .context("property", property)
                .caused_by(err)
        })
}

fn private_key(file: &str) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(file).map_err(|err| {
        wrong("the private key cannot be read")
            .context("property", "connection.ssl.key.file")
            .caused_by(err)
    })
}

fn wrong(what: &'static str) -> Error {
    Error::new(&TLS, what)
}

/// `connection.trust.all.certificates`: trusts whoever answers.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
