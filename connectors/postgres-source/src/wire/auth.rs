//! Authentication: none, cleartext, md5, SCRAM-SHA-256.

use bytes::{Buf, Bytes, BytesMut};
use connect_core::{Error, Result, Secret};
use postgres_protocol::{
    authentication::{
        md5_hash,
        sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
    },
    message::frontend,
};
use tokio::io::AsyncWriteExt;

use super::{Frames, answer, halves::WriteHalf};
use crate::error;

/// Answers the server's questions until it says that we are in.
pub(super) async fn authenticate(
    frames: &mut Frames,
    writer: &mut WriteHalf,
    user: &str,
    password: Option<&Secret>,
) -> Result<()> {
    let mut scram = None;
    loop {
        let (tag, mut body) = frames.next().await?;
        match tag {
            b'E' => return Err(answer::server_error(&body).into()),
            b'N' => answer::notice(&body),
            b'R' => {
                let kind = body.try_get_u32().map_err(|_| broken())?;
                if kind == 0 {
                    return Ok(());
                }
                let reply = reply(kind, &body, user, password, &mut scram)?;
                if !reply.is_empty() {
                    writer.write_all(&reply).await.map_err(error::io)?;
                    writer.flush().await.map_err(error::io)?;
                }
            }
            // A newer server may say which protocol version it speaks.
            b'v' => {}
            _ => return Err(broken()),
        }
    }
}

fn reply(
    kind: u32,
    body: &Bytes,
    user: &str,
    password: Option<&Secret>,
    scram: &mut Option<ScramSha256>,
) -> Result<BytesMut> {
    let mut out = BytesMut::new();
    let password = || {
        let missing = "the server asks for a password, and `database.password` is not set";
        let given = password.map(|p| p.reveal().as_bytes());
        given.ok_or_else(|| Error::new(&error::AUTHENTICATION, missing))
    };
    match kind {
        3 => frontend::password_message(password()?, &mut out).map_err(error::io)?,
        5 => {
            let salt = body.first_chunk::<4>().ok_or_else(broken)?;
            let hash = md5_hash(user.as_bytes(), password()?, *salt);
            frontend::password_message(hash.as_bytes(), &mut out).map_err(error::io)?;
        }
        10 => {
            let offered = body
                .split(|b| *b == 0)
                .any(|name| name == SCRAM_SHA_256.as_bytes());
            if !offered {
                let what = "the server offers no password check but SCRAM with channel binding";
                return Err(Error::new(&error::AUTHENTICATION, what));
            }
            let started = ScramSha256::new(password()?, ChannelBinding::unsupported());
            frontend::sasl_initial_response(SCRAM_SHA_256, started.message(), &mut out)
                .map_err(error::io)?;
            *scram = Some(started);
        }
        11 => {
            let running = scram.as_mut().ok_or_else(broken)?;
            running.update(body).map_err(refused)?;
            frontend::sasl_response(running.message(), &mut out).map_err(error::io)?;
        }
        12 => scram
            .as_mut()
            .ok_or_else(broken)?
            .finish(body)
            .map_err(refused)?,
        _ => {
            let what = "the server asks for a kind of authentication that is not supported";
            return Err(Error::new(&error::AUTHENTICATION, what).context("kind", kind));
        }
    }
    Ok(out)
}

fn broken() -> Error {
    error::protocol("the server's authentication messages make no sense")
}

fn refused(cause: std::io::Error) -> Error {
    Error::new(
        &error::AUTHENTICATION,
        "the server did not prove that it knows the password",
    )
    .caused_by(cause)
}
