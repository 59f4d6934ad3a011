//! TLS and blocks, as proxies and full disks make them.

use connect_core::{
    Batch, Error, SinkTask, Verdict,
    meter::Meter,
    testing::changes::{Change, Shape, Table, nulls},
};
use es_sink::EsTask;
use tokio::net::{TcpListener, TcpStream};

use super::{SERVER, server::Server};

fn batch(topic: &str, ids: std::ops::Range<i64>) -> Batch {
    let changes: Vec<Change> = ids.map(|id| Change::Put(id, nulls())).collect();
    Table::new(topic, Shape::Flat).batch(&changes, 0)
}

async fn open(server: &Server, more: &[(&str, &str)]) -> Result<EsTask, Error> {
    let mut task = server.task(more);
    task.open(Meter::default()).await.map(|()| task)
}

#[tokio::test]
async fn a_blocked_index_asks_for_a_retry() {
    let server = &*SERVER;
    let brief = [("max.retries", "1"), ("retry.backoff.ms", "10")];
    let mut task = open(server, &brief).await.unwrap();
    assert!(
        task.write(&batch("blocked", 0..3))
            .await
            .unwrap()
            .is_empty()
    );
    let block = |value: &str| {
        let body = format!("{{\"index.blocks.read_only_allow_delete\":{value}}}");
        server.ask("PUT", "/blocked/_settings", &body);
    };
    block("true");
    let err = task.write(&batch("blocked", 3..6)).await.unwrap_err();
    assert_eq!(err.code().name, "es.index_blocked", "{err:?}");
    assert_eq!(err.verdict(), Verdict::Retry);
    block("null");
    let mut task = open(server, &brief).await.unwrap();
    assert!(
        task.write(&batch("blocked", 3..6))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(server.documents("blocked").len(), 6);
}

/// Ends TLS in front of a server, as a proxy does.
async fn tls_proxy(to: String) -> u16 {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    use rustls::{ServerConfig, crypto::ring};
    let folder = stack::certificates().expect("certificates");
    let chain = CertificateDer::pem_file_iter(folder.join("server.pem")).expect("certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("key");
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(chain.map(|c| c.expect("certificate")).collect(), key)
        .expect("certificate and key");
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, to) = (acceptor.clone(), to.clone());
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else {
                    return;
                };
                let mut server = TcpStream::connect(to).await.expect("server");
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn tls_holds_and_says_what_is_wrong() {
    let server = &*SERVER;
    let port = tls_proxy(format!("127.0.0.1:{}", server.search.port())).await;
    let url = format!("https://localhost:{port}");
    let authority = stack::certificates().unwrap().join("ca.pem");
    let authority = authority.to_str().unwrap();
    for trust in [
        ("connection.ssl.ca.file", authority),
        ("connection.trust.all.certificates", "true"),
    ] {
        let mut task = open(server, &[("connection.url", &url), trust])
            .await
            .unwrap();
        assert!(task.write(&batch("tls", 0..3)).await.unwrap().is_empty());
    }
    let err = open(server, &[("connection.url", &url)])
        .await
        .err()
        .unwrap();
    assert_eq!(err.code().name, "es.tls", "{err:?}");
    assert_eq!(err.verdict(), Verdict::Fail);
}
