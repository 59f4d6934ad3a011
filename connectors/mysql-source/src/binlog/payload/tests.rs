use super::*;

const OUTER: Header = Header {
    timestamp_s: 9,
    kind: kind::PAYLOAD,
    server_id: 1,
    size: 500,
    next_pos: 1500,
    flags: 0,
};

fn inner(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut event = 7u32.to_le_bytes().to_vec();
    event.push(kind);
    event.extend_from_slice(&1u32.to_le_bytes());
    event.extend_from_slice(&((HEADER + body.len()) as u32).to_le_bytes());
    event.extend_from_slice(&[0; 6]);
    event.extend_from_slice(body);
    event
}

fn field(kind: u8, value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[kind, 9, 0xfe]);
    out.extend_from_slice(&value.to_le_bytes());
}

fn payload(algorithm: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    field(ALGORITHM as u8, algorithm, &mut out);
    field(3, 12345, &mut out);
    field(SIZE as u8, bytes.len() as u64, &mut out);
    out.extend_from_slice(&[7, 2, 1, 1, END as u8]);
    out.extend_from_slice(bytes);
    out
}

fn compressed(events: &[Vec<u8>]) -> Vec<u8> {
    payload(ZSTD, &zstd::encode_all(&*events.concat(), 3).unwrap())
}

/// The types and contents of all events, read in parts of such a length.
fn read(reader: &mut Payload, bytes: &[u8], part: usize) -> Result<Vec<(u8, Vec<u8>)>> {
    reader.begin(OUTER)?;
    let mut events = Vec::new();
    for part in bytes.chunks(part) {
        let mut input = part;
        while let Some((head, body)) = reader.next(&mut input)? {
            assert_eq!((head.size, head.next_pos), (500, 1500));
            events.push((head.kind, body.to_vec()));
        }
        assert!(input.is_empty());
    }
    reader.end().map(|()| events)
}

#[test]
fn events_come_out_however_the_bytes_come_in() {
    let bodies = [vec![1; 40], Vec::new(), vec![3; 3 * CHUNK], vec![4; 9]];
    let events: Vec<Vec<u8>> = bodies.iter().map(|body| inner(30, body)).collect();
    let expected: Vec<(u8, Vec<u8>)> = bodies.into_iter().map(|body| (30, body)).collect();
    let mut reader = Payload::new(usize::MAX).unwrap();
    for bytes in [compressed(&events), payload(NONE, &events.concat())] {
        for part in [1, 7, 100, 1 << 24] {
            let found = read(&mut reader, &bytes, part).unwrap();
            assert!(found == expected, "in parts of {part}");
        }
    }
}

#[test]
fn every_prefix_fails_politely() {
    let bytes = compressed(&[inner(2, b"BEGIN"), inner(16, &[0; 8])]);
    let mut reader = Payload::new(1000).unwrap();
    for end in 0..bytes.len() {
        assert!(read(&mut reader, &bytes[..end], 1000).is_err(), "{end}");
        assert!(read(&mut reader, &bytes[..end], 3).is_err(), "{end}");
    }
    assert_eq!(read(&mut reader, &bytes, 1000).unwrap().len(), 2);
    let longer = [&bytes[..], b"x"].concat();
    assert!(read(&mut reader, &longer, 1000).is_err());
}

#[test]
fn what_is_impossible_is_refused() {
    let mut reader = Payload::new(1000).unwrap();
    let mut fails = |bytes: &[u8]| assert!(read(&mut reader, bytes, 1000).is_err(), "{bytes:?}");
    fails(&compressed(&[inner(30, &[0; 1000])]));
    let mut event = inner(30, b"");
    event[9] = 5;
    fails(&compressed(&[event]));
    fails(&compressed(&[inner(kind::PAYLOAD, b"")]));
    fails(&payload(1, b"zlib"));
    fails(&payload(ZSTD, b"not zstd"));
    fails(b"\0");
    fails(&[7; 3000]);
}

#[test]
fn a_large_event_leaves_no_large_buffer() {
    let large = inner(30, &vec![1; 3 * KEPT]);
    let small = vec![inner(30, &[2; 1000]); 1000];
    let mut reader = Payload::new(usize::MAX).unwrap();
    let bytes = compressed(&[vec![large], small].concat());
    assert_eq!(read(&mut reader, &bytes, 5000).unwrap().len(), 1001);
    let room = reader.buffer.capacity();
    assert!(room <= 2 * CHUNK, "{room}");
}

#[test]
fn a_window_that_is_too_large_is_refused() {
    let mut reader = Payload::new(1000).unwrap();
    // An empty frame, which says that it has a window of so many bytes (RFC 8878, 3.1.1.1.2).
    let mut read = |window_log: u8| {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, (window_log - 10) << 3, 1, 0, 0];
        super::tests::read(&mut reader, &payload(ZSTD, &frame), 1000)
    };
    assert!(read(27).unwrap().is_empty());
    assert!(read(28).is_err());
}
