//! Dates and times as Java writes them (ISO 8601).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::calendar::civil_from_days;

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// Appends `YYYY-MM-DDTHH:MM:SS[.f…]Z` with `digits` behind the point.
pub fn push_instant(days: i64, micros: i64, digits: usize, out: &mut Vec<u8>) {
    push_date(days, out);
    out.push(b'T');
    push_time(micros, digits, out);
    out.push(b'Z');
}

/// The time, with microseconds.
pub fn now() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    instant(i64::try_from(now.unwrap_or_default().as_micros()).unwrap_or(i64::MAX))
}

/// A time in microseconds since 1970-01-01, with microseconds.
pub fn instant(us: i64) -> String {
    let mut text = Vec::new();
    push_instant(us.div_euclid(DAY_US), us.rem_euclid(DAY_US), 6, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends `YYYY-MM-DD`, the year as Java writes it: a sign before five digits and before Christ.
pub fn push_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(days);
    if year < 0 {
        out.push(b'-');
    } else if year > 9999 {
        out.push(b'+');
    }
    push_padded(year.unsigned_abs(), 4, out);
    for part in [month, day] {
        out.push(b'-');
        push_padded(u64::from(part), 2, out);
    }
}

/// As many digits behind the point as are not zero.
pub const SHORTEST: usize = usize::MAX;

/// Appends `HH:MM:SS[.f…]` with `digits` behind the point, or [`SHORTEST`].
pub fn push_time(micros: i64, digits: usize, out: &mut Vec<u8>) {
    let seconds = micros / 1_000_000;
    for (at, part) in [seconds / 3600, seconds / 60 % 60, seconds % 60]
        .into_iter()
        .enumerate()
    {
        if at > 0 {
            out.push(b':');
        }
        push_padded(part.unsigned_abs(), 2, out);
    }
    let fraction = (micros % 1_000_000).unsigned_abs();
    if digits == 0 || (digits == SHORTEST && fraction == 0) {
        return;
    }
    out.push(b'.');
    let at = out.len();
    push_padded(fraction, 6, out);
    out.truncate(at + digits.min(6));
    while digits == SHORTEST && out.last() == Some(&b'0') {
        out.pop();
    }
}

/// Appends a number with zeros before it.
pub fn push_padded(number: u64, width: usize, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number).as_bytes();
    out.extend(std::iter::repeat_n(
        b'0',
        width.saturating_sub(digits.len()),
    ));
    out.extend_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_are_those_of_java() {
        let instant = |days, us, digits| text(|out| push_instant(days, us, digits, out));
        assert_eq!(instant(0, 1_500_000, 6), "1970-01-01T00:00:01.500000Z");
        assert_eq!(instant(0, 1_500_000, SHORTEST), "1970-01-01T00:00:01.5Z");
        assert_eq!(instant(-1, 0, 0), "1969-12-31T00:00:00Z");
        assert_eq!(text(|out| push_date(2_932_897, out)), "+10000-01-01");
        assert_eq!(text(|out| push_date(-719_529, out)), "-0001-12-31");
        assert_eq!(
            text(|out| push_time(42_690_000_000, 3, out)),
            "11:51:30.000"
        );
    }
}
