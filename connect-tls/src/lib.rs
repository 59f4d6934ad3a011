//! TLS to servers, by rustls with the ring provider: whom a connector trusts, and who it is.
//!
//! A connector fills a [`Tls`] from its properties and takes [`Tls::client`], or asks [`Tls::findings`] before it starts.

mod files;
mod verify;

use std::sync::Arc;

use connect_core::{Code, Error, Result};
pub use rustls::ClientConfig;
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    sign::CertifiedKey,
};

use self::verify::{AnyName, AnyServer};

/// Who may be the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Whoever answers: this keeps listeners out, not impostors.
    Anyone,
    /// Who has a certificate of a known authority, whatever name it is made out to.
    Authority,
    /// Who has a certificate of a known authority that is made out to its host.
    Host,
}

/// A file and the property that names it, or a text in PEM that stands in the property itself.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    property: &'static str,
    from: Pem<'a>,
}

#[derive(Clone, Copy)]
enum Pem<'a> {
    File(&'a str),
    Text(&'a str),
}

impl<'a> Named<'a> {
    /// `None` when the property is not set.
    pub fn by(property: &'static str, path: Option<&'a str>) -> Option<Self> {
        path.map(|path| Self {
            property,
            from: Pem::File(path),
        })
    }

    /// The same for a property that holds the PEM text itself.
    pub fn text(property: &'static str, text: Option<&'a str>) -> Option<Self> {
        text.map(|text| Self {
            property,
            from: Pem::Text(text),
        })
    }
}

impl std::fmt::Debug for Named<'_> {
    // Invariant 7: secrets never print. The text may be a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = match self.from {
            Pem::File(path) => path,
            Pem::Text(_) => "[hidden]",
        };
        f.debug_struct("Named")
            .field("property", &self.property)
            .field("path", &path)
            .finish()
    }
}

/// What a connector's properties say of TLS.
#[derive(Debug, Clone, Copy)]
pub struct Tls<'a> {
    /// The code of this connector's errors of TLS.
    pub code: &'static Code,
    /// Who may be the server.
    pub trust: Trust,
    /// The authorities, in PEM; those of the system without it.
    pub roots: Option<Named<'a>>,
    /// The client's certificate and those above it, in PEM. Without it the client is nobody.
    pub certificate: Option<Named<'a>>,
    /// The key of the client's certificate, in PEM, or PKCS#8 in DER.
    pub key: Option<Named<'a>>,
}

impl Tls<'_> {
    /// What rustls connects with. Reads the files.
    pub fn client(&self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|err| self.wrong("no TLS version is usable").caused_by(err))?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(provider)?);
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => builder
                .with_client_auth_cert(self.certificates(certificate)?, self.private_key(key)?)
                .map_err(|err| self.no_pair().caused_by(err)),
            _ => Ok(builder.with_no_client_auth()),
        }
    }

    /// What is wrong with the files, by the property that names each.
    pub fn findings(&self) -> Vec<(&'static str, Error)> {
        let roots = self.roots.map(|file| (file, self.certificates(&file)));
        let chain = (self.certificate).map(|file| (file, self.certificates(&file)));
        let key = self.key.map(|file| (file, self.private_key(&file)));
        let pair = match (&chain, &key) {
            (Some((_, Ok(chain))), Some((file, Ok(key)))) => {
                Some((*file, self.pair(chain.clone(), key.clone_key())))
            }
            _ => None,
        };
        let of = |(file, read): (Named<'_>, Option<Error>)| Some((file.property, read?));
        [
            roots.and_then(|(file, read)| of((file, read.err()))),
            chain.and_then(|(file, read)| of((file, read.err()))),
            key.and_then(|(file, read)| of((file, read.err()))),
            pair.and_then(|(file, read)| of((file, read.err()))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The name that the server's certificate must have.
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>> {
        let name = ServerName::try_from(host.to_owned());
        name.map_err(|err| {
            self.wrong("the host is no name that a certificate can have")
                .caused_by(err)
        })
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
        if self.trust == Trust::Anyone {
            return Ok(Arc::new(AnyServer(provider)));
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(match &self.roots {
            Some(file) => self.certificates(file)?,
            None => rustls_native_certs::load_native_certs().certs,
        });
        let known = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let known = known.map_err(|err| {
            self.wrong("there is no certificate authority to trust")
                .caused_by(err)
        })?;
        Ok(match self.trust {
            Trust::Host => known,
            Trust::Authority | Trust::Anyone => Arc::new(AnyName(known)),
        })
    }

    fn pair(&self, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<()> {
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map(drop)
            .map_err(|err| self.no_pair().caused_by(err))
    }

    fn no_pair(&self) -> Error {
        self.wrong("certificate and key of the client do not fit")
    }

    fn wrong(&self, what: &'static str) -> Error {
        Error::new(self.code, what)
    }
}
