//! TLS to brokers: whom we trust, who we are, and what a failed handshake means.

use std::{io, sync::Arc};

use connect_core::{Error, Result};
use connect_tls::{Named, Tls, Trust};
use rustls::{AlertDescription as Alert, CertificateError, Error as Failure};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::connection::{broken, unavailable};
use crate::{SETTING, UNAUTHORIZED, kafka::properties::Properties};

/// How to shake hands with a broker.
#[derive(Debug)]
pub(super) struct Secure {
    config: Arc<connect_tls::ClientConfig>,
}

impl Secure {
    /// Fails with `log.setting` for files that cannot be read.
    pub(super) fn read(config: &Properties) -> Result<Self> {
        let given = |file: &'static str, text: &'static str, store: &'static str| {
            Named::text(text, config.get(text)).or(Named::by(store, config.get(file)))
        };
        let tls = Tls {
            code: &SETTING,
            trust: trust(config),
            roots: given(
                "ssl.ca.location",
                "ssl.truststore.certificates",
                "ssl.truststore.location",
            ),
            certificate: given(
                "ssl.certificate.location",
                "ssl.keystore.certificate.chain",
                "ssl.keystore.location",
            ),
            key: given(
                "ssl.key.location",
                "ssl.keystore.key",
                "ssl.keystore.location",
            ),
        };
        Ok(Self {
            config: Arc::new(tls.client()?),
        })
    }

    /// The handshake. `address` is `host:port`.
    pub(super) async fn shake(
        &self,
        socket: TcpStream,
        address: &str,
    ) -> Result<TlsStream<TcpStream>> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_matches(['[', ']']).to_owned();
        let name = host.try_into().map_err(|err| {
            unavailable("the broker's host is no name that a certificate can have").caused_by(err)
        })?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, socket).await.map_err(broken)
    }
}

fn trust(config: &Properties) -> Trust {
    let is = |name: &str, value: &str| config.get(name).is_some_and(|found| found == value);
    if is("enable.ssl.certificate.verification", "false") {
        Trust::Anyone
    } else if is("ssl.endpoint.identification.algorithm", "none") {
        Trust::Authority
    } else {
        Trust::Host
    }
}

/// What to do about a handshake that one side has refused; `None` for other errors.
pub(super) fn refusal(cause: &io::Error) -> Option<Error> {
    let failure = cause.get_ref()?.downcast_ref::<Failure>()?;
    let what = match failure {
        Failure::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "the broker's certificate is not made out to its host: connect by the name in the certificate, or set `ssl.endpoint.identification.algorithm` to an empty text"
        }
        Failure::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the broker's certificate is not of a trusted authority: name the authority's certificate in `ssl.truststore.location`"
        }
        Failure::InvalidCertificate(_) => "the broker's certificate is not valid",
        Failure::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::HandshakeFailure
            | Alert::AccessDenied,
        ) => {
            "the broker does not take our certificate, or we sent none: see `ssl.keystore.location`"
        }
        Failure::InvalidMessage(_) => {
            "the broker does not speak TLS at this port: see `security.protocol`"
        }
        _ => return None,
    };
    Some(Error::new(&UNAUTHORIZED, what))
}

/// Whether what should be the length of an answer is the begin of a TLS alert.
pub(super) fn is_alert(length: usize) -> bool {
    length >> 16 == 0x1503
}

/// The error for it.
pub(super) fn wants_tls() -> Error {
    Error::new(
        &UNAUTHORIZED,
        "the broker speaks TLS at this port: set `security.protocol` to SSL or SASL_SSL",
    )
}
