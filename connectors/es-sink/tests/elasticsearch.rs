//! The sink against a real Elasticsearch.

mod server;

use connect_core::testing::sink_suite;
use server::{Server, Sinks};

#[tokio::test]
async fn it_conforms() {
    // The first run downloads 950 MB: only where a long form was asked for.
    if std::env::var_os("TIDEWATER_SUITE").is_none() {
        return;
    }
    let server = Server::elasticsearch();
    let sinks = Sinks {
        server: &server,
        properties: &[("batch.size", "20")],
    };
    sink_suite::run(&sinks, "elastic").await;
}
