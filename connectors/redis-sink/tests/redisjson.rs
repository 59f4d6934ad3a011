//! The sink suite against a Redis with RedisJSON.

mod server;

use connect_core::testing::{changes::Shape, sink_suite};
use server::{Kind, Server};

#[tokio::test]
async fn documents_conform() {
    // Debian's Redis has no RedisJSON: only where a server that has it is named.
    let Ok(url) = std::env::var("TIDEWATER_REDISJSON_URL") else {
        return;
    };
    let server = Server::at(url);
    redis::cmd("FLUSHDB")
        .exec(&mut server.client())
        .expect("an empty database");
    let kind = Kind {
        server: &server,
        properties: &[("redis.type", "JSON"), ("redis.json.format", "string")],
    };
    sink_suite::run(&kind, "json").await;
    for seed in 100..120 {
        sink_suite::replay(&kind, &format!("json.{seed}"), Shape::Envelope, seed).await;
    }
}
