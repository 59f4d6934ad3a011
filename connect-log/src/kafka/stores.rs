//! Key stores and trust stores of Java clients, as texts in PEM.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_core::{Error, Result};
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, SecretDocument};

const CERTIFICATE: &str = "CERTIFICATE";
const KEY: &str = "PRIVATE KEY";
const ENCRYPTED_KEY: &str = "ENCRYPTED PRIVATE KEY";

/// A store's property, its file and the password.
pub(super) struct Store<'a> {
    pub(super) property: &'a str,
    pub(super) file: &'a str,
    pub(super) password: &'a str,
}

/// What a client shows of itself, in PEM.
pub(super) struct Own {
    pub(super) chain: String,
    pub(super) key: String,
}

impl Store<'_> {
    /// The certificates of the authorities.
    pub(super) fn trusted(&self) -> Result<String> {
        let bytes = self.bytes()?;
        if let Some(text) = as_pem(&bytes) {
            return Ok(of_kind(&text, CERTIFICATE));
        }
        let store = self.open(&bytes)?;
        let mut text = String::new();
        for (_, entry) in store.entries() {
            if let KeyStoreEntry::Certificate(certificate) = entry {
                text += &block(CERTIFICATE, &STANDARD.encode(certificate.as_der()));
            }
        }
        Some(text)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.wrong("the trust store has no certificate that is marked as trusted, as `keytool -importcert` and `openssl pkcs12 -jdktrust anyExtendedKeyUsage` do"))
    }

    /// The client's certificate, those above it, and its key; `key_password` opens a key in PEM.
    pub(super) fn own(&self, key_password: &str) -> Result<Own> {
        let bytes = self.bytes()?;
        if let Some(text) = as_pem(&bytes) {
            return Ok(Own {
                chain: of_kind(&text, CERTIFICATE),
                key: key(self.property, &text, key_password)?,
            });
        }
        let store = self.open(&bytes)?;
        let (_, own) = store
            .private_key_chain()
            .ok_or_else(|| self.wrong("the key store has no private key"))?;
        let certificates = own.certs().iter();
        Ok(Own {
            chain: certificates
                .map(|certificate| block(CERTIFICATE, &STANDARD.encode(certificate.as_der())))
                .collect(),
            key: block(KEY, &STANDARD.encode(own.key().as_der())),
        })
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        fs::read(self.file).map_err(|err| self.wrong("the store cannot be read").caused_by(err))
    }

    fn open(&self, bytes: &[u8]) -> Result<KeyStore> {
        const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
        if bytes.starts_with(&JKS) {
            return Err(self.wrong(
                "the store is of the old type JKS: `keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12` makes one that can be read",
            ));
        }
        KeyStore::from_pkcs12(bytes, self.password, Pkcs12ImportPolicy::Relaxed).map_err(|err| {
            self.wrong("the store is neither PEM nor PKCS12, or its password is another one")
                .caused_by(err)
        })
    }

    fn wrong(&self, what: &'static str) -> Error {
        wrong(self.property, what).context("file", self.file)
    }
}

/// The private key of a text in PEM, not encrypted any more.
pub(super) fn key(property: &str, text: &str, password: &str) -> Result<String> {
    let text = tidy(text);
    let closed = of_kind(&text, ENCRYPTED_KEY);
    if closed.is_empty() {
        let is_key = |label: &str| label.ends_with(KEY);
        let found = blocks(&text).find(|(label, _)| is_key(label));
        return found
            .map(|(label, body)| block(label, body))
            .ok_or_else(|| wrong(property, "there is no private key"));
    }
    opened(&closed, password)
        .ok_or_else(|| wrong(property, "`ssl.key.password` does not open the private key"))
}

fn opened(closed: &str, password: &str) -> Option<String> {
    let (_, document) = SecretDocument::from_pem(closed).ok()?;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).ok()?;
    let open = info.decrypt(password).ok()?;
    let pem = open.to_pem(KEY, LineEnding::LF).ok()?;
    Some(pem.to_string())
}

/// The blocks of a text in PEM as lines of 64 characters: in properties they often stand on one line, or are indented.
pub(super) fn tidy(text: &str) -> String {
    blocks(text)
        .map(|(label, body)| block(label, body))
        .collect()
}

fn of_kind(text: &str, kind: &str) -> String {
    let wanted = blocks(text).filter(|(label, _)| *label == kind);
    wanted.map(|(label, body)| block(label, body)).collect()
}

/// Label and content of each block.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("-----BEGIN ").skip(1).filter_map(|part| {
        let (label, rest) = part.split_once("-----")?;
        let (body, _) = rest.split_once("-----END ")?;
        Some((label, body))
    })
}

fn block(label: &str, body: &str) -> String {
    const LINE: usize = 64;
    let characters: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).collect();
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in characters.chunks(LINE) {
        text.extend(line);
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

fn as_pem(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.contains("-----BEGIN ").then(|| text.to_owned())
}

fn wrong(property: &str, what: &'static str) -> Error {
    Error::new(&crate::SETTING, what).context("setting", property)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_on_one_line_become_lines() {
        let line = "-----BEGIN CERTIFICATE----- QUJD\tREVG -----END CERTIFICATE----- -----BEGIN PRIVATE KEY----- R0hJ -----END PRIVATE KEY-----";
        let certificate = "-----BEGIN CERTIFICATE-----\nQUJDREVG\n-----END CERTIFICATE-----\n";
        let secret = "-----BEGIN PRIVATE KEY-----\nR0hJ\n-----END PRIVATE KEY-----\n";
        assert_eq!(tidy(line), format!("{certificate}{secret}"));
        assert_eq!(of_kind(line, CERTIFICATE), certificate);
        assert_eq!(key("ssl.keystore.key", line, "").unwrap(), secret);
    }

    #[test]
    fn what_cannot_be_opened_is_told_without_its_content() {
        let closed =
            "-----BEGIN ENCRYPTED PRIVATE KEY----- R0hJ -----END ENCRYPTED PRIVATE KEY-----";
        let error = key("ssl.keystore.key", closed, "hunter2").unwrap_err();
        assert_eq!(error.code(), &crate::SETTING);
        for hidden in ["hunter2", "R0hJ"] {
            assert!(!error.report().contains(hidden), "{}", error.report());
        }
    }

    /// A store that Java's `keytool` has made: the key of `CN=client`, and the trusted certificate of `CN=authority`.
    #[test]
    fn a_store_of_java_is_read() {
        let store = |password| Store {
            property: "ssl.keystore.location",
            file: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/java.p12"),
            password,
        };
        let own = store("changeit").own("").unwrap();
        let trusted = store("changeit").trusted().unwrap();
        for chain in [&own.chain, &trusted] {
            assert_eq!(chain.matches("-----BEGIN CERTIFICATE-----").count(), 1);
        }
        assert_ne!(own.chain, trusted);
        assert!(own.key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let closed = store("hunter2").own("").err().unwrap();
        assert!(!closed.report().contains("hunter2"), "{}", closed.report());
    }

    fn refused(content: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let store = Store {
            property: "ssl.truststore.location",
            file: &file.path().display().to_string(),
            password: "hunter2",
        };
        let error = store.trusted().unwrap_err();
        assert_eq!(error.code(), &crate::SETTING);
        error.report()
    }

    #[test]
    fn old_stores_are_refused_with_what_to_do() {
        let report = refused(&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]);
        assert!(report.contains("keytool -importkeystore"), "{report}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            assert!(!refused(&bytes).contains("hunter2"));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = tidy(&format!("-----BEGIN {text}-----END "));
            let _ = key("ssl.keystore.key", &format!("-----BEGIN {ENCRYPTED_KEY}-----{text}-----END "), "x");
        }
    }
}
