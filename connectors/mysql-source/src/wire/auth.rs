//! Authentication: the plugins of both servers, one answer at a time
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>).

use std::fmt::Display;

use connect_core::{Error, Result, Secret};
use mysql_common::{
    auth::plugins::{AuthProc, ChallengeResponsePlugin, Context},
    packets::AuthPlugin,
};

use super::{Fields, Packets, server_error};
use crate::error;

const CLEAR: &str = "mysql_clear_password";

/// One plugin at work.
pub(super) struct Method<'a> {
    plugin: String,
    procedure: Option<AuthProc>,
    password: Option<&'a Secret>,
    nonce: Vec<u8>,
    is_tls: bool,
}

impl<'a> Method<'a> {
    /// The plugin that the server has named, with its nonce. One that is not known can still be exchanged for another.
    pub(super) fn new(
        plugin: &str,
        nonce: Vec<u8>,
        password: Option<&'a Secret>,
        is_tls: bool,
    ) -> Self {
        let known = AuthPlugin::from_bytes(plugin.as_bytes());
        Self {
            plugin: plugin.to_owned(),
            procedure: AuthProc::init(&known).ok(),
            password,
            nonce,
            is_tls,
        }
    }

    /// The first answer to the server's greeting; empty where the plugin has to be agreed on first.
    pub(super) fn greet(&mut self) -> Vec<u8> {
        match self.plugin == CLEAR {
            true => Vec::new(),
            false => self.begin().ok().flatten().unwrap_or_default(),
        }
    }

    fn begin(&mut self) -> Result<Option<Vec<u8>>> {
        let nonce = self.nonce.clone();
        self.answer(&nonce)
    }

    fn answer(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>> {
        let offered = Offered {
            password: self.password.map_or(&[], |p| p.reveal().as_bytes()),
            nonce: &self.nonce,
            is_tls: self.is_tls,
        };
        if self.plugin == CLEAR && !self.is_tls {
            let what = "asks for the password in clear, and there is no TLS";
            return Err(refused(what, &self.plugin));
        }
        let Some(procedure) = &mut self.procedure else {
            let what = "asks for a kind of authentication that is not supported";
            return Err(refused(what, &self.plugin));
        };
        let answered = procedure.run(offered, challenge).map_err(|cause| {
            refused("sends what its authentication does not send", &self.plugin).caused_by(cause)
        })?;
        Ok(answered.data().map(<[u8]>::to_vec))
    }
}

/// Answers the server's questions until it says that we are in.
pub(super) async fn authenticate(packets: &mut Packets, mut method: Method<'_>) -> Result<()> {
    loop {
        let payload = packets.next().await?;
        let mut fields = Fields(&payload);
        let answer = match fields.u8()? {
            0x00 => return Ok(()),
            0xff => return Err(server_error(&payload).into()),
            0xfe => {
                let plugin = String::from_utf8_lossy(fields.until_zero()).into_owned();
                let sent = fields.rest();
                let nonce = sent.strip_suffix(&[0]).unwrap_or(sent).to_vec();
                method = Method::new(&plugin, nonce, method.password, method.is_tls);
                method.begin()?
            }
            0x01 => method.answer(fields.rest())?,
            _ => {
                return Err(error::protocol(
                    "the server's authentication makes no sense",
                ));
            }
        };
        if let Some(answer) = answer {
            packets.send(&answer).await?;
        }
    }
}

fn refused(what: &str, plugin: impl Display) -> Error {
    Error::new(&error::AUTHENTICATION, format!("the server {what}")).context("plugin", plugin)
}

/// What a plugin may know.
struct Offered<'a> {
    password: &'a [u8],
    nonce: &'a [u8],
    is_tls: bool,
}

impl Context for Offered<'_> {
    fn pass(&self) -> &[u8] {
        self.password
    }

    fn is_ipc_transport(&self) -> bool {
        false
    }

    fn is_tls_transport(&self) -> bool {
        self.is_tls
    }

    fn scramble(&self) -> &[u8] {
        // Invariant 5: it is reckoned modulo its length.
        match self.nonce.is_empty() {
            true => &[0],
            false => self.nonce,
        }
    }

    fn server_key_pem(&self) -> Option<&[u8]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method<'a>(plugin: &str, secret: &'a Secret, is_tls: bool) -> Method<'a> {
        Method::new(plugin, vec![7; 20], Some(secret), is_tls)
    }

    #[test]
    fn a_password_is_shown_to_nobody_in_between() {
        let secret = Secret::new("pw".to_owned());
        assert!(method(CLEAR, &secret, false).begin().is_err());
        let shown = method(CLEAR, &secret, true).begin().unwrap();
        assert_eq!(shown.unwrap(), b"pw\0");
        let mut sha2 = method("caching_sha2_password", &secret, false);
        assert_eq!(sha2.greet().len(), 32);
        assert_eq!(
            sha2.answer(&[4]).unwrap().unwrap(),
            [2],
            "asks for the server's key"
        );
        assert!(sha2.answer(b"no key").is_err());
        assert!(method("dialog", &secret, true).begin().is_err());
        assert!(method("dialog", &secret, true).greet().is_empty());
    }
}
