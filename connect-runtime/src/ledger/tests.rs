use proptest::prelude::*;

use super::*;

fn position(partition: u8, order: u64) -> Position {
    Position {
        partition: format!("{{\"p\":{partition}}}").into(),
        offset: format!("{{\"o\":{order}}}").into(),
        order,
    }
}

fn take(ledger: &mut Ledger) -> Vec<Position> {
    let ready = ledger.ready();
    ledger.stored(&ready);
    ready
}

#[test]
fn a_newer_position_stays_ready_when_an_older_one_was_stored() {
    let mut ledger = Ledger::default();
    ledger.note(None, position(0, 1));
    let old = ledger.ready();
    ledger.note(None, position(0, 2));
    ledger.stored(&old);
    assert_eq!(take(&mut ledger), [position(0, 2)]);
    assert!(!ledger.has_ready());
}

#[test]
fn invariant_1_a_position_is_ready_only_after_its_records() {
    let mut ledger = Ledger::default();
    ledger.note(Some(5), position(0, 1));
    ledger.note(Some(9), position(0, 2));
    assert!(!ledger.has_ready());
    ledger.durable(4);
    assert!(!ledger.has_ready());
    ledger.durable(5);
    assert_eq!(take(&mut ledger), [position(0, 1)]);
    assert_eq!(ledger.last_ticket(), Some(9));
    ledger.durable(9);
    assert_eq!(take(&mut ledger), [position(0, 2)]);
    assert_eq!(ledger.last_ticket(), None);
}

#[test]
fn a_position_without_records_waits_for_those_before_it_only() {
    let mut ledger = Ledger::default();
    ledger.note(None, position(0, 1));
    assert_eq!(take(&mut ledger), [position(0, 1)]);
    ledger.note(Some(3), position(0, 2));
    ledger.note(Some(3), position(0, 3));
    assert!(!ledger.has_ready());
    ledger.durable(3);
    assert_eq!(take(&mut ledger), [position(0, 3)]);
    ledger.note(Some(3), position(0, 4));
    assert_eq!(take(&mut ledger), [position(0, 4)]);
}

#[derive(Debug, Clone)]
enum Step {
    /// So many records are appended for a partition, then its position is noted.
    Batch(u8, u64),
    /// So many more records become durable.
    Durable(u64),
    Save,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..3, 0_u64..4).prop_map(|(partition, records)| Step::Batch(partition, records)),
        2 => (0_u64..6).prop_map(Step::Durable),
        1 => Just(Step::Save),
    ]
}

proptest! {
    /// Whatever happens in whatever order: no position is stored before its records are durable, positions of a partition never go
    /// back, and in the end the last one of each partition is stored.
    #[test]
    fn invariant_1_holds_for_every_history(steps in prop::collection::vec(step(), 0..4000)) {
        let mut ledger = Ledger::default();
        let (mut ticket, mut durable, mut order) = (None, 0, 0);
        // For each order the ticket that its records have.
        let mut tickets = vec![0];
        let mut saved = [0_u64; 3];
        let mut noted = [0_u64; 3];
        let check = |ledger: &mut Ledger, durable: u64, tickets: &[u64], saved: &mut [u64; 3]| {
            for position in take(ledger) {
                let order = position.order as usize;
                assert!(tickets[order] <= durable, "stored before its records");
                let partition = position.partition.as_bytes()[5] - b'0';
                let before = &mut saved[partition as usize];
                assert!(position.order > *before, "went back");
                *before = position.order;
            }
        };
        for step in steps {
            match step {
                Step::Batch(partition, records) => {
                    if records > 0 {
                        ticket = Some(ticket.unwrap_or(0) + records);
                    }
                    order += 1;
                    tickets.push(ticket.unwrap_or(0));
                    noted[partition as usize] = order;
                    ledger.note(ticket, position(partition, order));
                }
                Step::Durable(more) => {
                    durable = (durable + more).min(ticket.unwrap_or(0));
                    ledger.durable(durable);
                }
                Step::Save => check(&mut ledger, durable, &tickets, &mut saved),
            }
            prop_assert!(ledger.waiting.len() <= MAX_WAITING, "Invariant 4");
        }
        durable = ticket.unwrap_or(0);
        ledger.durable(durable);
        check(&mut ledger, durable, &tickets, &mut saved);
        prop_assert_eq!(saved, noted);
    }
}
