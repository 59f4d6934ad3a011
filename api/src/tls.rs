//! TLS of the API's own listeners: Kafka Connect's `ssl.*` properties, with PEM.

use std::{fs, sync::Arc};

use connect_core::{Error, Result};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use x509_cert::{Certificate, der::Decode};

use crate::settings::{ClientAuth, RestConfig};

/// What rustls serves with. Reads the files.
pub(crate) fn server(config: &RestConfig) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("no TLS version is usable").caused_by(error))?;
    let (chain, key) = identity(config)?;
    let builder = match verifier(config, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let server = builder.with_single_cert(chain, key);
    let mut server = server.map_err(|error| {
        Error::config("ssl.keystore: certificate and key do not fit").caused_by(error)
    })?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}

/// The subject of a client's certificate, as in `CN=anna,O=Example`.
pub(crate) fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    let read = Certificate::from_der(certificate.as_ref()).ok()?;
    Some(read.tbs_certificate().subject().to_string())
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(config: &RestConfig) -> Result<Identity> {
    let inline = (
        config.tls("ssl.keystore.certificate.chain"),
        config.tls("ssl.keystore.key"),
    );
    let (chain, key) = match (inline, config.tls("ssl.keystore.location")) {
        ((Some(chain), Some(key)), _) => (chain.to_owned(), key.to_owned()),
        (_, Some(path)) => {
            let text = pem(path, "ssl.keystore.location")?;
            (text.clone(), text)
        }
        _ => {
            let what = "an https listener needs a certificate: set ssl.keystore.location to a PEM file with the certificate, those \
                        above it, and the key";
            return Err(Error::config(what));
        }
    };
    if key.contains("ENCRYPTED PRIVATE KEY") {
        let what = "ssl.keystore: the key is encrypted; decrypt it with `openssl pkcs8 -in FILE -out FILE.pem`, and protect the file";
        return Err(Error::config(what));
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| {
        Error::config("ssl.keystore has no private key in PEM").caused_by(error)
    })?;
    Ok((certificates(&chain, "ssl.keystore")?, key))
}

fn verifier(
    config: &RestConfig,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>> {
    let asked = config.tls("ssl.client.auth").unwrap_or("none");
    let Some(asked) = ClientAuth::parse_text(asked) else {
        let what = format!("ssl.client.auth: {asked} is none of none, requested, required");
        return Err(Error::config(what));
    };
    if asked == ClientAuth::None {
        return Ok(None);
    }
    let text = match (
        config.tls("ssl.truststore.certificates"),
        config.tls("ssl.truststore.location"),
    ) {
        (Some(text), _) => text.to_owned(),
        (_, Some(path)) => pem(path, "ssl.truststore.location")?,
        _ => {
            let what = "ssl.client.auth needs to know whom to trust: set ssl.truststore.location to a PEM file of authorities";
            return Err(Error::config(what));
        }
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(&text, "ssl.truststore")?);
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if asked == ClientAuth::Requested {
        builder = builder.allow_unauthenticated();
    }
    let built = builder.build();
    let built = built.map_err(|error| {
        Error::config("ssl.truststore has no authority that can be used").caused_by(error)
    })?;
    Ok(Some(built))
}

impl ClientAuth {
    fn parse_text(text: &str) -> Option<Self> {
        let all = [Self::None, Self::Requested, Self::Required];
        all.into_iter()
            .find(|one| one.text().eq_ignore_ascii_case(text))
    }
}

/// A file of PEM; key stores of Java are refused with the way to change them.
fn pem(path: &str, property: &str) -> Result<String> {
    let bytes = fs::read(path).map_err(|error| {
        Error::config(format!("{property}: {path} cannot be read")).caused_by(error)
    })?;
    match String::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN ") => Ok(text),
        _ => Err(Error::config(format!(
            "{property}: {path} is no PEM. Change a PKCS12 store with `openssl pkcs12 -in {path} -nodes -out store.pem` \
             (a JKS one first with `keytool -importkeystore -deststoretype PKCS12`)"
        ))),
    }
}

fn certificates(text: &str, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::config(format!("{what} has no certificate in PEM"))),
        Err(error) => {
            Err(Error::config(format!("{what}: a certificate cannot be read")).caused_by(error))
        }
    }
}
