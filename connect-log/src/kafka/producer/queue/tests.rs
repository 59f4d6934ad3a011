use proptest::prelude::*;

use super::*;

const BY: Identity = Identity {
    id: 1,
    epoch: 0,
    transactional: false,
};

/// A queue of one partition whose batches take one record of these.
fn queue(records: usize) -> Queue {
    let mut queue = Queue::new(Compression::None, 100);
    let at = queue.add(&"t".into(), 0);
    push(&mut queue, at, records);
    queue
}

fn push(queue: &mut Queue, at: usize, records: usize) {
    let topic: Arc<str> = "t".into();
    let mut encoded = Encoded::default();
    for _ in 0..records {
        encoded.push(&topic, None, Some(&[b'x'; 80]), 1);
    }
    for (number, record) in encoded.records.iter().enumerate() {
        let push = Push {
            headers: &[0],
            ticket: number as Ticket,
            weight: 1,
            bytes: 80,
            limit: 1000,
            now_ms: 1,
        };
        queue.push(at, &encoded, record, &push);
    }
}

fn take(queue: &mut Queue) -> Option<Sealed> {
    queue.partitions[0].take(BY).unwrap()
}

fn ticket(batch: &Sealed) -> Ticket {
    batch.content.tickets[0].0
}

#[test]
fn a_partition_is_listed_once() {
    let mut queue = queue(9);
    assert_eq!(queue.next(), Some(0));
    assert_eq!(queue.next(), None);
}

#[test]
fn at_most_five_are_on_their_way_and_the_open_one_waits() {
    let mut queue = queue(7);
    let sent: Vec<Sealed> = std::iter::from_fn(|| take(&mut queue)).collect();
    assert_eq!(sent.iter().map(ticket).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    for batch in &sent {
        assert!(queue.partitions[0].is_next(batch));
        queue.partitions[0].arrived(batch);
    }
    assert_eq!(take(&mut queue).map(|batch| ticket(&batch)), Some(5));
    assert!(
        take(&mut queue).is_none(),
        "the open batch grows while another is on its way"
    );
}

#[test]
fn what_comes_back_is_sent_again_in_order_before_anything_else() {
    let mut queue = queue(8);
    let mut sent: Vec<Sealed> = std::iter::from_fn(|| take(&mut queue)).collect();
    let partition = &mut queue.partitions[0];
    partition.arrived(&sent.remove(0));
    while let Some(batch) = sent.pop() {
        partition.came_back(batch);
        assert!(partition.take(BY).unwrap().is_none());
        assert_eq!(
            partition.unmute(),
            sent.is_empty(),
            "silent until all is back"
        );
    }
    let again: Vec<Ticket> = std::iter::from_fn(|| take(&mut queue))
        .map(|b| ticket(&b))
        .collect();
    assert_eq!(again, [1, 2, 3, 4, 5]);
}

#[test]
fn what_was_never_sent_can_be_thrown_away() {
    let mut queue = queue(8);
    let first = take(&mut queue).unwrap();
    assert_eq!(queue.discard(), 7);
    queue.partitions[0].arrived(&first);
    assert!(take(&mut queue).is_none());
    assert_eq!(queue.oldest(), None);
}

/// The id, epoch and first number that a batch says.
fn said(batch: &Sealed) -> (i64, i16, i32) {
    let bytes = &batch.bytes;
    (
        i64::from_be_bytes(bytes[43..51].try_into().unwrap()),
        i16::from_be_bytes(bytes[51..53].try_into().unwrap()),
        i32::from_be_bytes(bytes[53..57].try_into().unwrap()),
    )
}

fn identity(epoch: i16) -> Identity {
    Identity { epoch, ..BY }
}

#[test]
fn who_it_is_changes_only_when_all_has_arrived() {
    let mut queue = queue(2);
    // At first it is not known, and records may wait for it.
    queue.identify(identity(0)).unwrap();
    queue.identify(identity(0)).unwrap();
    assert!(queue.identify(identity(1)).is_err(), "records wait");
    let first = queue.partitions[0].take(identity(0)).unwrap().unwrap();
    let second = queue.partitions[0].take(identity(0)).unwrap();
    assert!(second.is_none(), "an open batch waits for the one before");
    queue.partitions[0].arrived(&first);
    let second = queue.partitions[0].take(identity(0)).unwrap().unwrap();
    assert!(queue.identify(identity(1)).is_err(), "one is on its way");
    queue.partitions[0].came_back(second);
    assert!(queue.identify(identity(1)).is_err(), "one came back");
    assert!(queue.partitions[0].unmute());
    let again = queue.partitions[0].take(identity(0)).unwrap().unwrap();
    queue.partitions[0].arrived(&again);
    queue.identify(identity(1)).unwrap();
    assert_eq!(queue.identity(), Some(identity(1)));
}

/// What may happen to the batches of two partitions.
#[derive(Debug, Clone)]
enum Step {
    Push(usize, usize),
    Send(usize),
    /// What is on its way arrives at the broker, and the answer comes or does not.
    Reach(prop::sample::Index, bool),
    Unmute(usize),
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || 0..2_usize;
    let step = prop_oneof![
        (at(), 1..4_usize).prop_map(|(at, records)| Step::Push(at, records)),
        at().prop_map(Step::Send),
        at().prop_map(Step::Send),
        (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(at, told)| Step::Reach(at, told)),
        (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(at, told)| Step::Reach(at, told)),
        at().prop_map(Step::Unmute),
        Just(Step::End),
    ];
    proptest::collection::vec(step, 0..200)
}

/// A partition as a broker has it: of the last epoch, the number that comes next.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    epoch: i16,
    next: i32,
    records: usize,
}

impl Kept {
    /// Whether a batch is taken, or was before.
    fn take(&mut self, (_, epoch, number): (i64, i16, i32)) -> bool {
        assert!(
            epoch >= self.epoch,
            "nothing comes of a transaction that has ended"
        );
        let next = if epoch > self.epoch { 0 } else { self.next };
        if number == next {
            (self.epoch, self.next) = (epoch, number + 1);
            self.records += 1;
        }
        number <= next
    }
}

proptest! {
    /// Whatever comes back, in whatever order, and whenever transactions end: a broker has each record once, in the epoch of its
    /// transaction.
    #[test]
    fn each_record_is_of_one_transaction(steps in steps()) {
        let mut queue = Queue::new(Compression::None, 100);
        let topic: Arc<str> = "t".into();
        queue.add(&topic, 0);
        queue.add(&topic, 1);
        queue.identify(identity(0)).unwrap();
        let (mut kept, mut pushed) = ([Kept::default(); 2], [0, 0]);
        let mut on_their_way: Vec<(usize, Sealed)> = Vec::new();
        let mut epoch = 0;
        for step in steps {
            match step {
                Step::Push(at, records) => {
                    push(&mut queue, at, records);
                    pushed[at] += records;
                }
                Step::Send(at) => {
                    let by = queue.identity().unwrap();
                    if let Some(batch) = queue.partitions[at].take(by).unwrap() {
                        prop_assert_eq!(said(&batch).1, epoch);
                        on_their_way.push((at, batch));
                    }
                }
                Step::Reach(index, told) if !on_their_way.is_empty() => {
                    let (at, batch) = on_their_way.remove(index.index(on_their_way.len()));
                    match kept[at].take(said(&batch)) && told {
                        true => queue.partitions[at].arrived(&batch),
                        false => queue.partitions[at].came_back(batch),
                    }
                }
                Step::Unmute(at) => drop(queue.partitions[at].unmute()),
                Step::End => {
                    let all_there = kept.iter().zip(pushed).all(|(kept, pushed)| kept.records == pushed);
                    let ended = queue.identify(identity(epoch + 1)).is_ok();
                    prop_assert!(!ended || all_there);
                    epoch += i16::from(ended);
                }
                Step::Reach(..) => {}
            }
        }
    }
}
