//! Certificates and keys from files.

use std::fs;

use connect_core::{Error, Result};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};

use crate::{Named, Pem, Tls};

impl Tls<'_> {
    pub(crate) fn certificates(&self, file: &Named<'_>) -> Result<Vec<CertificateDer<'static>>> {
        let read = match file.from {
            Pem::File(path) => {
                CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>)
            }
            Pem::Text(text) => CertificateDer::pem_slice_iter(text.as_bytes()).collect(),
        };
        match read {
            Ok(found) if !found.is_empty() => Ok(found),
            Ok(_) => Err(self.about(file, "a certificate file has no certificate")),
            Err(err) => Err(self
                .about(file, "a certificate file cannot be read")
                .caused_by(err)),
        }
    }

    pub(crate) fn private_key(&self, file: &Named<'_>) -> Result<PrivateKeyDer<'static>> {
        let unreadable = || self.about(file, "the client's key cannot be read");
        let bytes = match file.from {
            Pem::File(path) => fs::read(path).map_err(|err| unreadable().caused_by(err))?,
            Pem::Text(text) => text.as_bytes().to_vec(),
        };
        match PrivateKeyDer::from_pem_slice(&bytes) {
            Ok(key) => Ok(key),
            // No PEM: PKCS#8 in DER, as Java programs keep it.
            Err(_) if bytes.first() == Some(&0x30) => Ok(PrivatePkcs8KeyDer::from(bytes).into()),
            Err(err) => Err(unreadable().caused_by(err)),
        }
    }

    fn about(&self, file: &Named<'_>, what: &'static str) -> Error {
        let error = Error::new(self.code, what).context("property", file.property);
        match file.from {
            Pem::File(path) => error.context("file", path),
            Pem::Text(_) => error,
        }
    }
}
