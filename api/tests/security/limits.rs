//! What one client may send, and how slowly.

use serde_json::Value;
use tokio::net::TcpStream;

use super::site::{Site, ask, send};

#[tokio::test]
async fn bodies_heads_and_rates_have_limits() {
    let mut site = Site::new().await;
    let properties = [
        ("rest.max.body.bytes", "1000"),
        ("rest.max.header.bytes", "8192"),
        ("rest.max.requests.per.second", "1"),
        ("rest.max.requests.burst", "3"),
    ];
    let to = site.serve(&properties).await[0];
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(2000));
    let refused = ask(to, "POST /connectors", "", &large).await;
    assert_eq!(refused.status, 413, "{refused:?}");
    let head = format!("X-Large: {}\r\n", "x".repeat(20_000));
    assert_eq!(ask(to, "GET /", &head, "").await.status, 431);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = ask(to, "GET /", "", "").await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert!(
                answer
                    .header("retry-after")
                    .unwrap()
                    .parse::<u32>()
                    .unwrap()
                    >= 1
            );
            let told: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(told["error_code"], 429);
        }
    }
    assert!(
        statuses.contains(&200) && statuses.contains(&429),
        "{statuses:?}"
    );
    site.stop().await;
}

#[tokio::test]
async fn slow_clients_are_not_waited_for_without_end() {
    let mut site = Site::new().await;
    let properties = [
        ("rest.header.timeout.ms", "300"),
        ("rest.body.timeout.ms", "300"),
    ];
    let to = site.serve(&properties).await[0];
    let slow_head = TcpStream::connect(to).await.unwrap();
    let ended = send(slow_head, "GET / HTTP/1.1\r\nHost:").await;
    assert!(ended.is_err() || ended.unwrap().status == 408);
    let slow_body = TcpStream::connect(to).await.unwrap();
    let request = "POST /connectors HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
                   Content-Length: 10\r\n\r\n{";
    assert_eq!(send(slow_body, request).await.unwrap().status, 408);
    site.stop().await;
}

#[tokio::test]
async fn passwords_cannot_be_guessed_fast() {
    let mut site = Site::new().await;
    let users = format!("admin token ci {}\n", api::hash_token("right"));
    let file = site.file("users", &users);
    let to = site.serve(&[("rest.users.file", &file)]).await[0];
    let mut statuses = Vec::new();
    for guess in 0..15 {
        let guess = format!("Authorization: Bearer {guess}\r\n");
        statuses.push(ask(to, "GET /", &guess, "").await.status);
    }
    assert_eq!(statuses[0], 401);
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    site.stop().await;
}
