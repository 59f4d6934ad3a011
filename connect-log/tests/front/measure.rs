//! How fast the front is: `TIDEWATER_MEASURE=1 cargo test --release -p connect-log --test front measure -- --nocapture`.

use std::time::Instant;

use stack::{KafkaOptions, Stack};

use super::subject::{Subject, kept};

const RECORDS: usize = 1_000_000;

/// One million records by kcat, from the front and from a real broker.
#[test]
fn measure_kcat() {
    if std::env::var_os("TIDEWATER_MEASURE").is_none() {
        return;
    }
    let subject = Subject::start();
    let topic = subject.topic(kept("measured", 1));
    subject.count_up(&topic, 0..RECORDS);
    let words = ["-C", "-e", "-t", "measured", "-o", "beginning"];
    let timed = |what: &str, read: &dyn Fn() -> stack::Result<String>| {
        for _ in 0..2 {
            let start = Instant::now();
            let lines = read().expect("kcat reads").lines().count();
            let rate = lines as f64 / start.elapsed().as_secs_f64();
            println!("{what}: {lines} records, {rate:.0} a second");
        }
    };
    timed("front", &|| subject.kcat().run(&words));
    let text = subject.kcat().run(&words).expect("kcat reads");
    let stack = Stack::new().expect("a folder");
    let options = KafkaOptions::default().full_speed();
    let kafka = stack.kafka_with(options).expect("a broker");
    kafka
        .kcat_with(&["-P", "-t", "measured", "-p", "0"], text.as_bytes())
        .expect("written");
    timed("broker", &|| kafka.kcat(&words));
}
