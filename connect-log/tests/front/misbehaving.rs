//! Clients that do not keep to the protocol harm nobody.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::subject::{Subject, kept};

fn connect(subject: &Subject) -> TcpStream {
    let stream = TcpStream::connect(subject.bootstrap()).expect("a connection");
    let limit = Some(Duration::from_secs(60));
    stream.set_read_timeout(limit).expect("a limit");
    stream
}

/// Says something and waits until the front hangs up.
fn is_hung_up_on(subject: &Subject, said: &[u8]) {
    let mut stream = connect(subject);
    // It may hang up before all is said.
    let _ = stream.write_all(said);
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => assert!(rest.is_empty(), "{} bytes of an answer", rest.len()),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
}

fn framed(request: &[u8]) -> Vec<u8> {
    let mut bytes = (request.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(request);
    bytes
}

fn still_serves(subject: &Subject) {
    let listed = subject
        .kcat()
        .run(&["-C", "-e", "-t", "spared", "-f", "%o\n"]);
    assert_eq!(listed.expect("a list").lines().count(), 100);
}

#[test]
fn who_talks_nonsense_is_hung_up_on() {
    let subject = Subject::start();
    let topic = subject.topic(kept("spared", 1));
    subject.count_up(&topic, 0..100);
    is_hung_up_on(&subject, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    is_hung_up_on(&subject, &[0xff; 4096]);
    is_hung_up_on(&subject, &framed(&[]));
    is_hung_up_on(&subject, &framed(&[0, 3]));
    // An unknown request; a version that is not served.
    is_hung_up_on(&subject, &framed(&[0, 99, 0, 0, 0, 0, 0, 1, 0xff, 0xff]));
    is_hung_up_on(&subject, &framed(&[0, 1, 0, 99, 0, 0, 0, 1, 0xff, 0xff]));
    // Metadata of two thousand million topics.
    let mut request = vec![0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff];
    request.extend_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
    is_hung_up_on(&subject, &framed(&request));
    // A request of two thousand million bytes.
    is_hung_up_on(&subject, &[0x7f, 0xff, 0xff, 0xff, 0, 3]);
    still_serves(&subject);
}

/// Clients that stay and say nothing, stop in the middle of a request, or take no answers.
#[test]
fn who_dawdles_holds_up_nobody() {
    let subject = Subject::start();
    let topic = subject.topic(kept("spared", 1));
    subject.count_up(&topic, 0..100);
    let silent: Vec<_> = (0..50).map(|_| connect(&subject)).collect();
    let halfway: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = connect(&subject);
            stream.write_all(&[0, 0, 1, 0, 0, 3]).expect("some of it");
            stream
        })
        .collect();
    // ApiVersions again and again, whose answers nobody reads.
    let deaf: Vec<_> = (0..10)
        .map(|_| {
            let mut stream = connect(&subject);
            let asked = framed(&[0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
            let limit = Some(Duration::from_millis(500));
            stream.set_write_timeout(limit).expect("a limit");
            let many = asked.repeat(100_000);
            // It ends when the front takes no more.
            let _ = stream.write_all(&many);
            stream
        })
        .collect();
    still_serves(&subject);
    drop((silent, halfway, deaf));
    still_serves(&subject);
}

/// More clients than there may be wait until others leave.
#[test]
fn there_is_room_again_when_clients_leave() {
    let subject = Subject::start();
    let topic = subject.topic(kept("spared", 1));
    subject.count_up(&topic, 0..100);
    let many: Vec<_> = (0..300).map(|_| connect(&subject)).collect();
    let kcat = subject.kcat();
    let reads = std::thread::spawn(move || kcat.run(&["-C", "-e", "-t", "spared", "-f", "%o\n"]));
    drop(many);
    let read = reads.join().expect("no panic").expect("it reads");
    assert_eq!(read.lines().count(), 100);
}
