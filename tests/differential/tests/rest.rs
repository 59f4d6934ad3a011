//! The same requests for a real Kafka Connect and for Tidewater. `cargo xtask test differential rest` sends them all; the default run
//! sends those of `rest/short.txt`.

use std::{fs, thread};

use differential::{End, RestPair, RestSide, parse};
use e2e::{Outcome, is_long};
use stack::Stack;

#[test]
fn kafka_connect_and_tidewater_answer_alike() -> Outcome {
    let mut requests = parse(&fs::read_to_string("rest/short.txt")?)?;
    if is_long() {
        for file in ["plugins", "lifecycle", "offsets", "malformed"] {
            requests.extend(parse(&fs::read_to_string(format!("rest/{file}.txt"))?)?);
        }
    }
    let stack = Stack::new()?;
    // Both at a time: the peer takes half a minute.
    let (theirs, ours) = thread::scope(|scope| {
        let theirs = scope.spawn(|| RestSide::start(&stack, End::Debezium));
        let ours = scope.spawn(|| RestSide::start(&stack, End::Tidewater));
        (theirs.join(), ours.join())
    });
    let gone = |_| "the start of a side panicked";
    let pair = RestPair {
        theirs: theirs.map_err(gone)??,
        ours: ours.map_err(gone)??,
    };
    let wrong = pair.run(&requests)?;
    println!("{} requests, {} differences", requests.len(), wrong.len());
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("\n{}", wrong.join("\n")).into()),
    }
}
