//! `schema.registry.ssl.*`: whom we trust, and who we are, in PEM.

use connect_tls::{Named, Tls, Trust};

use super::declared::Declared;
use crate::error::REGISTRY_TLS;

const TRUST: &str = "schema.registry.ssl.truststore.location";
const TRUST_TYPE: &str = "schema.registry.ssl.truststore.type";
const TRUST_TEXT: &str = "schema.registry.ssl.truststore.certificates";
const KEY: &str = "schema.registry.ssl.keystore.location";
const KEY_TYPE: &str = "schema.registry.ssl.keystore.type";
const CHAIN_TEXT: &str = "schema.registry.ssl.keystore.certificate.chain";
const KEY_TEXT: &str = "schema.registry.ssl.keystore.key";
const NAMES: &str = "schema.registry.ssl.endpoint.identification.algorithm";

/// The client's side of TLS, for addresses of which one at least is `secure`; `None` when something does not hold, which is noted.
pub(super) fn client(
    declared: &mut Declared<'_>,
    secure: bool,
) -> Option<connect_tls::ClientConfig> {
    pem_only(declared, TRUST, TRUST_TYPE);
    pem_only(declared, KEY, KEY_TYPE);
    if !declared.findings.is_empty() {
        return None;
    }
    // Kafka's rule: an empty algorithm turns the check of names off.
    let by_name = declared
        .given
        .get(NAMES)
        .is_none_or(|name| !name.trim().is_empty());
    let file = |name: &'static str| Named::by(name, declared.text(name));
    let text = |name: &'static str| Named::text(name, declared.text(name));
    let tls = Tls {
        code: &REGISTRY_TLS,
        trust: match (secure, by_name) {
            // Nobody is asked who he is over plain HTTP, and a machine may have no authorities.
            (false, _) => Trust::Anyone,
            (true, true) => Trust::Host,
            (true, false) => Trust::Authority,
        },
        roots: text(TRUST_TEXT).or(file(TRUST)),
        certificate: text(CHAIN_TEXT).or(file(KEY)),
        key: text(KEY_TEXT).or(file(KEY)),
    };
    for (property, error) in tls.findings() {
        declared.invalid(
            property,
            declared.text(property).map_or("", shown),
            &error.to_string(),
        );
    }
    if !declared.findings.is_empty() {
        return None;
    }
    match tls.client() {
        Ok(client) => Some(client),
        Err(error) => {
            declared.invalid(TRUST, "", &error.to_string());
            None
        }
    }
}

/// A path is shown; a certificate or key that stands in the property itself is not.
fn shown(value: &str) -> &str {
    if value.contains("-----") {
        "[hidden]"
    } else {
        value
    }
}

fn pem_only(declared: &mut Declared<'_>, place: &str, kind: &str) {
    let path = declared.text(place);
    let given = declared.text(kind);
    let java = |text: &str| {
        let lower = text.to_ascii_lowercase();
        ["jks", "p12", "pfx", "pkcs12"]
            .iter()
            .any(|end| lower == *end || lower.ends_with(&format!(".{end}")))
    };
    let why = "Java's key stores are not read: write the certificates and keys as PEM (keytool -exportcert -rfc, or \
               openssl pkcs12) and set the type PEM";
    match (given, path) {
        (Some(given), _) if !given.eq_ignore_ascii_case("PEM") => {
            declared.invalid(kind, given, why)
        }
        (None, Some(path)) if java(path) => declared.invalid(place, path, why),
        _ => {}
    }
}
