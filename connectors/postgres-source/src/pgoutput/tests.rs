use super::*;

const UPDATE: &[u8] = b"U\0\0\0\x07K\0\x02t\0\0\0\x011nN\0\x03t\0\0\0\x012nu";

fn text(values: Values<'_>) -> String {
    values
        .map(|value| match value.unwrap() {
            Value::Null => "null".to_owned(),
            Value::Unchanged => "unchanged".to_owned(),
            Value::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn an_update_has_its_old_and_new_row() {
    let Message::Update {
        relation,
        old: Some(old),
        new,
    } = message(UPDATE).unwrap()
    else {
        panic!("not an update");
    };
    assert_eq!((relation, old.whole), (7, false));
    assert_eq!(text(old.tuple.values()), "1 null");
    assert_eq!(text(new.values()), "2 null unchanged");
}

/// Everything that can be asked of a message.
fn read_all(payload: &[u8]) -> Result<()> {
    let rows = |tuple: Tuple<'_>| tuple.values().try_for_each(|value| value.map(|_| ()));
    match message(payload)? {
        Message::Insert { new, .. } => rows(new),
        Message::Update { old, new, .. } => {
            old.map_or(Ok(()), |old| rows(old.tuple))?;
            rows(new)
        }
        Message::Delete { old, .. } => rows(old.tuple),
        Message::Relation(relation) => relation.columns().map(|_| ()),
        Message::Truncate { count, relations } => relation_ids(count, relations).map(|_| ()),
        Message::Begin(_)
        | Message::Commit(_)
        | Message::Origin { .. }
        | Message::Logical(_)
        | Message::Other(_) => Ok(()),
    }
}

#[test]
fn every_prefix_fails_politely() {
    let messages: [&[u8]; 8] = [
        UPDATE,
        b"B\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\x03",
        b"C\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03",
        b"R\0\0\0\x07public\0orders\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff",
        b"D\0\0\0\x07O\0\x01t\0\0\0\x011",
        b"T\0\0\0\x01\0\0\0\0\x07",
        b"O\0\0\0\0\0\0\0\x01elsewhere\0",
        b"M\x01\0\0\0\0\0\0\0\x01prefix\0\0\0\0\x02\xffx",
    ];
    for whole in messages {
        read_all(whole).unwrap();
        for end in 0..whole.len() {
            let prefix = &whole[..end];
            // A commit's time is not read, so that its end may be missing.
            assert!(
                read_all(prefix).is_err() || whole[0] == b'C' && end >= 18,
                "{prefix:?}"
            );
        }
    }
}

#[test]
fn lengths_from_outside_reserve_nothing() {
    assert!(read_all(b"T\xff\xff\xff\xff\0").is_err());
    assert!(read_all(b"I\0\0\0\x07N\xff\xfft\xff\xff\xff\xff").is_err());
}

#[test]
fn the_frame_around_a_message_tells_its_lsn() {
    let mut body = b"w".to_vec();
    body.extend([1u64, 2, 3].iter().flat_map(|n| n.to_be_bytes()));
    body.push(b'B');
    let expected = Replicated::XLogData {
        lsn: 1,
        payload: b"B",
    };
    assert_eq!(replicated(&body).unwrap(), expected);
    let keepalive = b"k\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\0\x01";
    let expected = Replicated::Keepalive {
        end: 9,
        wants_reply: true,
    };
    assert_eq!(replicated(keepalive).unwrap(), expected);
    for end in 0..keepalive.len() {
        assert!(replicated(&keepalive[..end]).is_err());
    }
}

mod any_bytes {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = super::super::replicated(&bytes);
            let _ = super::read_all(&bytes);
        }
    }
}
