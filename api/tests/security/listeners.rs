//! Listeners: TLS, certificates of clients, `/admin` apart, and headers for pages.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::site::{Site, ask, ask_tls};

/// A client that trusts the test's authority, with a certificate or without.
fn client(folder: &Path, shows: bool) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let read = |name: &str| {
        let all = CertificateDer::pem_file_iter(folder.join(name)).unwrap();
        all.map(Result::unwrap).collect::<Vec<_>>()
    };
    roots.add_parsable_certificates(read("ca.pem"));
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    if !shows {
        return builder.with_no_client_auth();
    }
    let key = PrivateKeyDer::from_pem_file(folder.join("client.key")).unwrap();
    builder
        .with_client_auth_cert(read("client.pem"), key)
        .unwrap()
}

#[tokio::test]
async fn certificates_tell_who_somebody_is() {
    let certificates = stack::certificates().unwrap();
    let mut site = Site::new().await;
    let read = |name: &str| fs::read_to_string(certificates.join(name)).unwrap();
    let store = site.file("store.pem", &(read("server.pem") + &read("server.key")));
    let trust = certificates.join("ca.pem").display().to_string();
    let users = site.file("users", "read certificate CN=cdc\n");
    let tls = [
        ("listeners", "http://127.0.0.1:0,https://127.0.0.1:0"),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", "/not/this"),
        ("listeners.https.ssl.keystore.location", store.as_str()),
        ("ssl.truststore.location", trust.as_str()),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&tls[..], more].concat();
    let [plain, secure] = site.serve(&with(&[])).await[..] else {
        panic!("two listeners")
    };
    assert_eq!(ask(plain, "GET /", "", "").await.status, 200);
    let nobody = || client(&certificates, false);
    let cdc = || client(&certificates, true);
    assert_eq!(
        ask_tls(secure, nobody(), "GET /").await.unwrap().status,
        200
    );
    // Nobody without a certificate gets as far as a request.
    let required = site.serve(&with(&[("ssl.client.auth", "required")])).await[1];
    assert!(ask_tls(required, nobody(), "GET /").await.is_err());
    assert_eq!(ask_tls(required, cdc(), "GET /").await.unwrap().status, 200);
    let mut requested = with(&[("ssl.client.auth", "requested")]);
    requested.push(("rest.users.file", &users));
    let requested = site.serve(&requested).await[1];
    assert_eq!(
        ask_tls(requested, nobody(), "GET /").await.unwrap().status,
        401
    );
    assert_eq!(
        ask_tls(requested, cdc(), "GET /").await.unwrap().status,
        200
    );
    let pause = ask_tls(requested, cdc(), "PUT /connectors/a/pause")
        .await
        .unwrap();
    assert_eq!(pause.status, 403, "{pause:?}");
    site.stop().await;
}

#[tokio::test]
async fn admin_can_have_listeners_of_its_own_or_none() {
    let mut site = Site::new().await;
    let both = site.serve(&[]).await[0];
    assert_eq!(ask(both, "GET /admin/loggers", "", "").await.status, 200);
    let apart = site
        .serve(&[("admin.listeners", "http://127.0.0.1:0")])
        .await;
    let [rest, admin] = apart[..] else {
        panic!("two listeners")
    };
    for (to, loggers, connectors) in [(rest, 404, 200), (admin, 200, 404)] {
        assert_eq!(ask(to, "GET /admin/loggers/", "", "").await.status, loggers);
        assert_eq!(ask(to, "GET /connectors", "", "").await.status, connectors);
    }
    let off = site.serve(&[("admin.listeners", "")]).await;
    assert_eq!(off.len(), 1);
    assert_eq!(ask(off[0], "GET /admin/loggers", "", "").await.status, 404);
    site.stop().await;
}

#[tokio::test]
async fn pages_of_allowed_origins_may_look() {
    let mut site = Site::new().await;
    let properties = [
        ("access.control.allow.origin", "https://ui.example"),
        ("access.control.allow.methods", "GET,PUT"),
        ("response.http.headers.config", "set X-Frame-Options: DENY"),
        (
            "rest.users.file",
            &site.file("users", "read certificate CN=x\n"),
        ),
    ];
    let to = site.serve(&properties).await[0];
    let asks = "Access-Control-Request-Method: PUT\r\n";
    // What a page asks before its request carries no login.
    let may = ask(
        to,
        "OPTIONS /connectors",
        &format!("Origin: https://ui.example\r\n{asks}"),
        "",
    )
    .await;
    assert_eq!((may.status, may.body.as_str()), (200, ""));
    assert_eq!(
        may.header("access-control-allow-origin"),
        Some("https://ui.example")
    );
    assert_eq!(may.header("access-control-allow-methods"), Some("get,put"));
    assert_eq!(may.header("x-frame-options"), Some("deny"));
    let other = ask(
        to,
        "OPTIONS /connectors",
        &format!("Origin: https://evil.example\r\n{asks}"),
        "",
    )
    .await;
    assert_eq!(other.header("access-control-allow-origin"), None);
    assert_eq!(other.status, 401);
    site.stop().await;
}
