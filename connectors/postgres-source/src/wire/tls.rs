//! TLS by the server's words and the user's `sslmode`.

use std::{fs, sync::Arc};

use connect_core::{Error, Result};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime, pem::PemObject,
    },
    sign::CertifiedKey,
};
use tokio::{io::BufReader, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Target;
use crate::{config::SslMode, error};

/// A socket under TLS. rustls asks for 4 KiB at a time, and the server puts every message into a TLS record and a packet of
/// its own: the buffer gets hundreds of them with one call of the system.
pub(super) type Secured = TlsStream<BufReader<TcpStream>>;

/// Size of that buffer.
const BUFFER: usize = 64 * 1024;

/// Shakes hands over a socket on which the server has agreed to TLS.
pub(super) async fn handshake(target: &Target, socket: TcpStream) -> Result<Secured> {
    let config = client_config(target)?;
    let name = ServerName::try_from(target.host.clone()).map_err(|e| {
        tls("`database.hostname` is no name that a certificate can have").caused_by(e)
    })?;
    TlsConnector::from(Arc::new(config))
        .connect(name, BufReader::with_capacity(BUFFER, socket))
        .await
        .map_err(error::io)
}

/// What is wrong with the files, by the property that names each.
pub(crate) fn files(target: &Target) -> Vec<(&'static str, Error)> {
    let roots = target.ssl_root_cert.as_deref().map(certificates);
    let chain = target.ssl_cert.as_deref().map(certificates);
    let key = target.ssl_key.as_deref().map(private_key);
    let pair = match (&chain, &key) {
        (Some(Ok(chain)), Some(Ok(key))) => Some(fits(chain.clone(), key.clone_key())),
        _ => None,
    };
    let found = [
        ("database.sslrootcert", roots.and_then(Result::err)),
        ("database.sslcert", chain.and_then(Result::err)),
        ("database.sslkey", key.and_then(Result::err)),
        ("database.sslkey", pair.and_then(Result::err)),
    ];
    let told = found.into_iter();
    told.filter_map(|(property, error)| Some((property, error?)))
        .collect()
}

fn fits(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<()> {
    CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map(|_| ())
        .map_err(|e| tls("certificate and key of the client do not fit").caused_by(e))
}

fn client_config(target: &Target) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| tls("no TLS version is usable").caused_by(e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier(target, provider)?);
    match (&target.ssl_cert, &target.ssl_key) {
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(|e| tls("certificate and key of the client do not fit").caused_by(e)),
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn verifier(target: &Target, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
    if !matches!(target.ssl_mode, SslMode::VerifyCa | SslMode::VerifyFull) {
        return Ok(Arc::new(AnyServer(provider)));
    }
    let mut roots = RootCertStore::empty();
    match &target.ssl_root_cert {
        Some(path) => roots.add_parsable_certificates(certificates(path)?),
        None => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    };
    let known = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|e| tls("there is no usable authority to verify the server with").caused_by(e))?;
    Ok(match target.ssl_mode {
        SslMode::VerifyFull => known,
        _ => Arc::new(AnyName(known)),
    })
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certs) if !certs.is_empty() => Ok(certs),
        Ok(_) => Err(tls("a certificate file has no certificate").context("file", path)),
        Err(e) => Err(tls("a certificate file cannot be read")
            .context("file", path)
            .caused_by(e)),
    }
}

fn private_key(path: &str) -> Result<PrivateKeyDer<'static>> {
    let unreadable = || tls("the client's key cannot be read").context("file", path);
    let bytes = fs::read(path).map_err(|e| unreadable().caused_by(e))?;
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => Ok(key),
        // No PEM: PKCS#8 in DER, as Java programs keep it.
        Err(_) if bytes.first() == Some(&0x30) => Ok(PrivatePkcs8KeyDer::from(bytes).into()),
        Err(e) => Err(unreadable().caused_by(e)),
    }
}

fn tls(what: &'static str) -> Error {
    Error::new(&error::TLS, what)
}

/// Any certificate will do: `allow`, `prefer` and `require` keep listeners out, not impostors.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

/// A certificate of a known authority, whatever name it is made out to.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last, after the chain.
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
