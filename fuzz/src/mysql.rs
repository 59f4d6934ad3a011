//! What MySQL and MariaDB send.

use mysql_source::fuzz;

/// Events, one behind the other. Their values are no longer than they.
pub fn binlog(input: &[u8]) {
    if let Ok(written) = fuzz::events(input) {
        // Invariant 4: the digits of a decimal are a few for each byte.
        let bound = 1024 + input.len() * 8;
        assert!(written <= bound, "{written} bytes of {}", input.len());
    }
}

/// The content of an event with a compressed transaction.
pub fn payload(input: &[u8]) {
    // Its events may be many times as long: one that is too long is an error, and so is a cut.
    let _ = fuzz::payload(input);
}

/// What MariaDB has compressed.
pub fn compressed(input: &[u8]) {
    if let Ok(len) = fuzz::inflated(input) {
        // Invariant 4: as long as zlib can make it.
        assert!(len <= input.len() * 1032, "{len} bytes of {}", input.len());
    }
}

/// Pieces of the compressed protocol, behind a byte that tells how they are compressed. Each becomes at most 16 MiB.
pub fn pieces(input: &[u8]) {
    if let Ok(len) = fuzz::pieces(input) {
        // Invariant 4: no piece is more than its header says.
        let most = (input.len() / 7 + 1).saturating_mul(0xff_ffff);
        assert!(len <= most, "{len} bytes of {}", input.len());
    }
}

/// A binary JSON document. Its text is JSON.
pub fn mysql_json(input: &[u8]) {
    if let Ok(text) = fuzz::document(input) {
        let bound = 1024 + input.len() * 64;
        assert!(
            text.len() <= bound + 1024,
            "{} bytes of {}",
            text.len(),
            input.len()
        );
        let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&text);
        assert!(parsed.is_ok(), "{}", String::from_utf8_lossy(&text));
    }
}

/// Precision, scale, and a packed decimal.
pub fn decimal(input: &[u8]) {
    if let Ok(text) = fuzz::number(input) {
        let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        assert!(text.iter().all(is_number) && text.len() <= 84, "{text:?}");
    }
}
