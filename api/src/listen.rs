//! Addresses on which the API listens.

use std::{net::SocketAddr, sync::Arc};

use connect_core::{Error, Result};
use rustls::ServerConfig;
use tokio::net::TcpListener;

use crate::{settings::RestConfig, tls};

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Serves {
    pub(crate) rest: bool,
    pub(crate) admin: bool,
}

/// A socket with what it serves, and TLS for `https`.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) serves: Serves,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

/// Binds every address of the configuration.
pub(crate) async fn bind(config: &RestConfig) -> Result<Vec<Listener>> {
    let admin = config.admin_listeners.as_ref();
    let both = Serves {
        rest: true,
        admin: admin.is_none(),
    };
    let only_admin = Serves {
        rest: false,
        admin: true,
    };
    let rest = config.listeners.0.iter().map(|text| (text, both));
    let admin = admin.iter().flat_map(|list| &list.0);
    let mut bound = Vec::new();
    for (text, serves) in rest.chain(admin.map(|text| (text, only_admin))) {
        bound.push(one(config, text, serves).await?);
    }
    if bound.is_empty() {
        let what = "listeners: there is none; write for example listeners=http://127.0.0.1:8083";
        return Err(Error::config(what));
    }
    Ok(bound)
}

async fn one(config: &RestConfig, text: &str, serves: Serves) -> Result<Listener> {
    let (is_tls, place) = parts(text)?;
    let tls = match is_tls {
        true => Some(tls::server(config)?),
        false => None,
    };
    let socket = TcpListener::bind(&place).await.map_err(|error| {
        Error::config(format!(
            "cannot listen on {place} ({error}); choose another with --set listeners=http://127.0.0.1:8084"
        ))
    })?;
    let address = socket
        .local_addr()
        .map_err(|error| Error::config(format!("{place} has no address")).caused_by(error))?;
    Ok(Listener {
        socket,
        address,
        serves,
        tls,
    })
}

/// Whether it is `https`, and `host:port` to bind.
fn parts(text: &str) -> Result<(bool, String)> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let is_tls = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => {
            let what =
                format!("listeners: {text}: write it as http://HOST:PORT or https://HOST:PORT");
            return Err(Error::config(what));
        }
    };
    let rest = rest.trim_end_matches('/');
    let place = match rest.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => rest.to_owned(),
    };
    Ok((is_tls, place))
}

/// `scheme://host:port` under which clients find the API: that of `rest.advertised.listener`, else of the first listener, with what
/// `rest.advertised.*` say.
pub fn advertised_url(config: &RestConfig) -> String {
    let wanted = config
        .advertised_listener
        .as_deref()
        .map(str::to_ascii_lowercase);
    let listeners = config.listeners.0.iter().map(String::as_str);
    let scheme_of = |text: &str| text.split_once("://").map(|(s, _)| s.to_ascii_lowercase());
    let chosen = listeners
        .clone()
        .find(|text| wanted.is_none() || scheme_of(text) == wanted);
    let chosen = chosen
        .or(listeners.clone().next())
        .unwrap_or("http://:8083");
    let scheme = scheme_of(chosen).unwrap_or_else(|| "http".to_owned());
    let place = chosen.rsplit_once("://").map_or(chosen, |(_, rest)| rest);
    let (host, port) = place
        .trim_end_matches('/')
        .rsplit_once(':')
        .unwrap_or((place, "8083"));
    let any = ["", "0.0.0.0", "[::]"].contains(&host);
    let host = config.advertised_host.as_deref();
    let host = host.unwrap_or(if any { "localhost" } else { place_host(place) });
    match config.advertised_port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}:{port}"),
    }
}

fn place_host(place: &str) -> &str {
    place.rsplit_once(':').map_or(place, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use connect_core::Properties;

    use super::*;

    #[test]
    fn the_advertised_url_follows_the_properties() {
        let url = |given: &[(&str, &str)]| {
            let given = given
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            advertised_url(&RestConfig::read(&given.collect::<Properties>()).unwrap())
        };
        assert_eq!(url(&[]), "http://localhost:8083");
        let two = ("listeners", "http://10.0.0.1:1,https://10.0.0.1:2");
        assert_eq!(url(&[two]), "http://10.0.0.1:1");
        let https = ("rest.advertised.listener", "https");
        assert_eq!(url(&[two, https]), "https://10.0.0.1:2");
        let host = ("rest.advertised.host.name", "c.example");
        let port = ("rest.advertised.port", "443");
        assert_eq!(url(&[two, https, host, port]), "https://c.example:443");
    }

    #[test]
    fn listeners_are_read() {
        assert_eq!(
            parts("http://:1/").unwrap(),
            (false, "0.0.0.0:1".to_owned())
        );
        assert_eq!(parts("HTTPS://h:2").unwrap(), (true, "h:2".to_owned()));
        assert!(parts("ftp://h:2").is_err() && parts("h:2").is_err());
    }
}
