//! Dates and times with an offset as ISO 8601 text, read and written as Java's `ISO_OFFSET_DATE_TIME` and `ISO_OFFSET_TIME` do.

use std::fmt::Write;

use connect_core::temporal::Unit;
use jiff::civil::{Date, date};

use super::zone::{Zone, clock, offset};

const DAY: i64 = 86_400;

/// A text of `ZonedTimestamp` at the same point in time in another zone; `None` when it is none. As in Debezium the offset is that of the
/// zone at the time that the text shows, not at the point in time that it means.
pub(super) fn timestamp(text: &str, zone: &Zone) -> Option<String> {
    let (day, rest) = text.split_once(['T', 't'])?;
    let (time, fraction, from) = time_of_day(rest)?;
    let local = days(day)? * DAY + time;
    let to = zone.at_local(local);
    let there = local - i64::from(from) + i64::from(to);
    let mut out = Vec::new();
    Unit::Days.write(there.div_euclid(DAY), &mut out);
    let mut out = String::from_utf8(out).ok()?;
    out.push('T');
    write_time(there.rem_euclid(DAY), fraction, to, &mut out);
    Some(out)
}

/// A text of `ZonedTime` at another offset; `None` when it is none.
pub(super) fn time(text: &str, to: i32) -> Option<String> {
    let (time, fraction, from) = time_of_day(text)?;
    let there = (time - i64::from(from) + i64::from(to)).rem_euclid(DAY);
    let mut out = String::new();
    write_time(there, fraction, to, &mut out);
    Some(out)
}

/// Days since 1970 of `2023-11-14`, `+10000-01-01`, `-0043-03-15`.
fn days(text: &str) -> Option<i64> {
    let sign = usize::from(text.starts_with(['+', '-']));
    let digits = text
        .bytes()
        .skip(sign)
        .take_while(u8::is_ascii_digit)
        .count();
    let (year, rest) = text.split_at_checked(sign + digits)?;
    let (month, day) = rest.strip_prefix('-')?.split_once('-')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<i8>().ok())?;
    let year: i64 = year.parse().ok().filter(|_| (4..=10).contains(&digits))?;
    // The calendar repeats itself every 400 years.
    let (cycles, year) = ((year - 2000).div_euclid(400), (year - 2000).rem_euclid(400));
    let date = Date::new(2000 + i16::try_from(year).ok()?, two(month)?, two(day)?).ok()?;
    let since = date.duration_since(date_of_1970()).as_hours() / 24;
    Some(since + cycles * 146_097)
}

const fn date_of_1970() -> Date {
    date(1970, 1, 1)
}

/// Seconds since midnight, nanoseconds and the offset of `22:13`, `22:13:20`, `22:13:20.123`, each with an offset behind.
fn time_of_day(text: &str) -> Option<(i64, u32, i32)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')?;
    let (time, zone) = text.split_at_checked(end)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let is_fraction = fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
    let nanoseconds = format!("{fraction:0<9}")
        .parse()
        .ok()
        .filter(|_| is_fraction)?;
    Some((clock(time)?, nanoseconds, offset(zone)?))
}

fn write_time(of_day: i64, nanoseconds: u32, offset: i32, out: &mut String) {
    let _ = write_clock(of_day, out);
    if nanoseconds > 0 {
        let fraction = format!(".{nanoseconds:09}");
        out.push_str(fraction.trim_end_matches('0'));
    }
    if offset == 0 {
        out.push('Z');
        return;
    }
    out.push(if offset < 0 { '-' } else { '+' });
    let end = out.len() + 5;
    let _ = write_clock(offset.unsigned_abs().into(), out);
    if offset % 60 == 0 {
        out.truncate(end);
    }
}

fn write_clock(seconds: i64, out: &mut String) -> std::fmt::Result {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(out, "{hours:02}:{minutes:02}:{seconds:02}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_point_in_time_stays() {
        let zone = |text| Zone::parse(text).unwrap();
        for (text, there, expected) in [
            (
                "2023-11-14T22:13:20.120Z",
                "+08:00",
                "2023-11-15T06:13:20.12+08:00",
            ),
            ("2023-11-14T22:13+01:00", "UTC", "2023-11-14T21:13:00Z"),
            (
                "2024-02-29T00:00:00Z",
                "-03:30:15",
                "2024-02-28T20:29:45-03:30:15",
            ),
            (
                "-0001-12-31T23:59:59.000000001-02:00",
                "UTC",
                "0000-01-01T01:59:59.000000001Z",
            ),
            (
                "+294276-12-31T23:59:59Z",
                "+00:01",
                "+294277-01-01T00:00:59+00:01",
            ),
        ] {
            assert_eq!(
                timestamp(text, &zone(there)).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        assert_eq!(
            time("23:30:00.5+01:00", 3600 * 5).as_deref(),
            Some("03:30:00.5+05:00")
        );
        assert_eq!(time("01:00Z", -7200).as_deref(), Some("23:00:00-02:00"));
    }

    #[test]
    fn other_texts_are_none() {
        let utc = Zone::parse("UTC").unwrap();
        for text in [
            "",
            "infinity",
            "2023-11-14",
            "2023-11-14T",
            "2023-11-14T22:13:20",
            "2023-02-29T00:00:00Z",
            "2023-11-14T24:00:00Z",
            "2023-11-14T22:13:20.0123456789Z",
            "2023-11-14T22:13:20+19:00",
            "23-11-14T22:13:20Z",
            "2023-11-14T22:13:20.1.2Z",
            "2023-11-14T1:2:3Z",
        ] {
            assert!(timestamp(text, &utc).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,30}", near in "[+-]?[0-9]{4,11}-[0-9]{2}-[0-9]{2}T[0-9:.]{0,20}[Z+-][0-9:]{0,9}") {
            let berlin = Zone::parse("Europe/Berlin").unwrap();
            for text in [text, near] {
                if let Some(there) = timestamp(&text, &berlin) {
                    prop_assert!(timestamp(&there, &berlin).is_some(), "{there}");
                }
            }
        }
    }
}
