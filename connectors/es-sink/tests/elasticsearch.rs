//! The sink against a real Elasticsearch.

mod server;

use connect_core::testing::sink_suite;
use server::{Server, Sinks};

#[tokio::test]
#[ignore = "the first run downloads 950 MB"]
async fn it_conforms() {
    let server = Server::elasticsearch();
    let sinks = Sinks {
        server: &server,
        properties: &[("batch.size", "20")],
    };
    sink_suite::run(&sinks, "elastic").await;
}
