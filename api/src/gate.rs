//! Before any resource is asked: who it is, whether they may, how much they ask; and the audit of it.

mod jaas;
mod known;
mod rate;
mod role;
mod users;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use connect_core::Result;

use crate::{
    audit::{Audit, Line},
    connection::Peer,
    error::ApiError,
    settings::RestConfig,
};
use known::{Known, Refused};
use rate::Rate;
use role::Role;
use users::Identity;

pub use users::{hash_password, hash_token};

/// Wrong logins that one address may send at once, and again each second.
const WRONG_LOGINS: u32 = 10;
const WRONG_LOGINS_PER_SECOND: f64 = 0.2;

/// The gate of all listeners.
pub(crate) struct Gate {
    known: Option<Known>,
    open_paths: Vec<String>,
    audit: Audit,
    rate: Rate,
    wrong_logins: Rate,
}

/// What a handler needs to know of the limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyTime(pub(crate) Duration);

impl Gate {
    /// Reads the files of users.
    pub(crate) fn new(config: &RestConfig) -> Result<Self> {
        Ok(Self {
            known: Known::new(config)?,
            open_paths: config.open_paths.0.clone(),
            audit: Audit::new(config)?,
            rate: Rate::new(f64::from(config.rate), config.burst),
            wrong_logins: Rate::new(WRONG_LOGINS_PER_SECOND, WRONG_LOGINS),
        })
    }

    /// Who sends a request: `None` where nobody has to be known.
    async fn identify(&self, login: Option<&str>, peer: Option<&Peer>) -> Identified {
        let Some(known) = &self.known else {
            return Ok(None);
        };
        let subject = peer.and_then(|peer| peer.subject.as_deref());
        let from = address(peer);
        let found = known.identify(login, subject, || self.wrong_logins.look(&from));
        match found.await {
            Ok(identity) => Ok(Some(identity)),
            Err(Refused::Unknown { wrong }) => {
                if wrong {
                    // The limit was looked at before; this one counts towards it.
                    let _ = self.wrong_logins.take(&from);
                }
                Err(unknown())
            }
            Err(Refused::TooMany(wait)) => Err(too_many(wait)),
        }
    }

    /// Whether nobody has to be known for a request: only for looks, whatever is configured.
    fn is_open(&self, method: &Method, path: &str) -> bool {
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let is_look = Role::needed(method, path) == Role::Read;
        is_look && self.open_paths.iter().any(|open| open == path)
    }

    /// Why a request is refused, if it is.
    fn refusal(
        &self,
        request: &Request,
        peer: Option<&Peer>,
        who: Option<&Identity>,
    ) -> Option<Response> {
        let path = request.uri().path();
        if !peer.is_none_or(|peer| is_served(peer, path)) {
            return Some(ApiError::framework(StatusCode::NOT_FOUND).into_response());
        }
        let client = who.map_or_else(
            || address(peer),
            |identity| format!("login {}", identity.name),
        );
        if let Err(wait) = self.rate.take(&client) {
            return Some(too_many(wait));
        }
        let needed = Role::needed(request.method(), path);
        let who = who.filter(|identity| identity.role < needed)?;
        let what = format!(
            "{} has the role {}; this needs {}. An administrator can change that in the file of users.",
            who.name,
            who.role.name(),
            needed.name()
        );
        Some(ApiError::new(StatusCode::FORBIDDEN, what).into_response())
    }
}

type Identified = std::result::Result<Option<Identity>, Response>;

/// Lets a request through, or answers it.
pub(crate) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let peer = request.extensions().get::<Peer>().cloned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let login = request.headers().get(header::AUTHORIZATION).cloned();
    let login = login.as_ref().and_then(|value| value.to_str().ok());
    let identified = async {
        match gate.is_open(&method, &path) {
            true => Ok(None),
            false => gate.identify(login, peer.as_ref()).await,
        }
    };
    let (who, answer) = match identified.await {
        Err(refused) => (None, refused),
        Ok(who) => match gate.refusal(&request, peer.as_ref(), who.as_ref()) {
            Some(refused) => (who, refused),
            None => (who, next.run(request).await),
        },
    };
    let status = answer.status().as_u16();
    let is_read = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&method);
    if gate.audit.wants(is_read, status) {
        gate.audit.tell(&Line {
            time: jiff::Timestamp::now().to_string(),
            who: who.as_ref().map(|identity| identity.name.as_str()),
            role: who.as_ref().map(|identity| identity.role.name()),
            from: peer.map_or_else(String::new, |peer| peer.address.to_string()),
            method: method.as_str(),
            connector: connector(&path),
            path: &path,
            status,
            milliseconds: began.elapsed().as_millis() as u64,
        });
    }
    answer
}

/// The connector that a path names, as the path has it.
fn connector(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/connectors/")?;
    let name = rest.split('/').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Clients without a login are told apart by their address, not by the port.
fn address(peer: Option<&Peer>) -> String {
    peer.map_or_else(String::new, |peer| peer.address.ip().to_string())
}

fn is_served(peer: &Peer, path: &str) -> bool {
    let is_admin = path == "/admin" || path.starts_with("/admin/");
    if is_admin {
        peer.serves.admin
    } else {
        peer.serves.rest
    }
}

/// In the words of Kafka Connect's extension.
fn unknown() -> Response {
    let headers = [
        (
            header::WWW_AUTHENTICATE,
            "Basic realm=\"Tidewater\", Bearer",
        ),
        (header::CONTENT_TYPE, "text/plain"),
    ];
    (
        StatusCode::UNAUTHORIZED,
        headers,
        "User cannot access the resource.",
    )
        .into_response()
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
    let what = format!("Too many requests. Try again in {seconds} s.");
    let mut answer = ApiError::new(StatusCode::TOO_MANY_REQUESTS, what).into_response();
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, seconds.into());
    answer
}
