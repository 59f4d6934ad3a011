//! Listeners with TLS and logins.

use std::{fs, path::Path};

use crate::{Result, port::Port, tls};

/// The user of the listeners with SASL.
pub const SASL_USER: &str = "alice";
/// Her password.
pub const SASL_PASSWORD: &str = "open-sesame";

/// Addresses of a broker's listeners with TLS: its certificate is that of [`tls::certificates`].
#[derive(Clone, Debug)]
pub struct Secured {
    /// `SASL_SSL`, with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, and OAUTHBEARER with unsecured tokens.
    pub sasl: String,
    /// `SSL` for clients that have a certificate.
    pub mutual: String,
    /// `SASL_PLAINTEXT`, with the same mechanisms.
    pub open: String,
}

/// Name, protocol and address of each listener.
pub(super) type Listener<'a> = (&'static str, &'static str, &'a str);

impl Secured {
    pub(super) fn at(ports: [&Port; 3]) -> Self {
        let [sasl, mutual, open] = ports.map(|port| format!("127.0.0.1:{}", port.number()));
        Self { sasl, mutual, open }
    }

    pub(super) fn listeners(&self) -> [Listener<'_>; 3] {
        [
            ("SECURED", "SASL_SSL", &self.sasl),
            ("MUTUAL", "SSL", &self.mutual),
            ("LOGIN", "SASL_PLAINTEXT", &self.open),
        ]
    }
}

/// The lines of `server.properties` for them; writes the broker's key store into its folder.
pub(super) fn properties(folder: &Path) -> Result<String> {
    let certificates = tls::certificates()?;
    let store = folder.join("broker.pem");
    let part = |name: &str| fs::read_to_string(certificates.join(name));
    fs::write(&store, part("server.key")? + &part("server.pem")?)?;
    let mut text = format!(
        "ssl.keystore.type=PEM\nssl.keystore.location={}\nssl.truststore.type=PEM\nssl.truststore.location={}\n\
         listener.name.mutual.ssl.client.auth=required\n",
        store.display(),
        certificates.join("ca.pem").display()
    );
    for listener in ["secured", "login"] {
        text += &login(listener);
    }
    Ok(text)
}

fn login(listener: &str) -> String {
    const MODULES: &str = "org.apache.kafka.common.security";
    format!(
        "listener.name.{listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER\n\
         listener.name.{listener}.plain.sasl.jaas.config={MODULES}.plain.PlainLoginModule required user_{SASL_USER}=\"{SASL_PASSWORD}\";\n\
         listener.name.{listener}.scram-sha-256.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;\n\
         listener.name.{listener}.scram-sha-512.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;\n\
         listener.name.{listener}.oauthbearer.sasl.jaas.config={MODULES}.oauthbearer.OAuthBearerLoginModule required \
         unsecuredLoginStringClaim_sub=\"broker\";\n"
    )
}

/// What SCRAM hashes with: Kafka's tool takes a user for one of them at a time.
pub(super) const HASHES: [&str; 2] = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

/// The words of Kafka's tool that makes the user known to SCRAM.
pub(super) fn user(mechanism: &str) -> [String; 7] {
    [
        "--alter".into(),
        "--add-config".into(),
        format!("{mechanism}=[password={SASL_PASSWORD}]"),
        "--entity-type".into(),
        "users".into(),
        "--entity-name".into(),
        SASL_USER.into(),
    ]
}
