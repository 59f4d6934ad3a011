//! A time zone as Java has it: `java.time.ZoneId` and its rules, from the database that is built in.

use jiff::{
    Timestamp,
    tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase},
};

/// Seconds of 400 years: the calendar, and with it every rule of a zone, repeats itself.
const CYCLE: i64 = 146_097 * 86_400;

/// The range in which rules are looked up, in seconds since 1970: years -9000 to 9000. Before it no zone has rules.
const FIRST: i64 = -346_000_000_000;
const LAST: i64 = 221_800_000_000;

/// Java's largest offset.
const MOST: i32 = 18 * 3600;

/// A zone: of a place, or of a fixed offset.
pub(super) struct Zone(TimeZone);

impl Zone {
    /// `Europe/Berlin`, or `+08:00`, `-03:30:15`. `None` for what Java does not know.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with(['+', '-']) {
            let seconds = offset(text)?;
            return Some(Self(Offset::from_seconds(seconds).ok()?.to_time_zone()));
        }
        let zone = TimeZoneDatabase::bundled().get(text).ok()?;
        // Java minds upper and lower case.
        (zone.iana_name() == Some(text)).then_some(Self(zone))
    }

    /// The offset at a point in time, in seconds; both count from 1970 in UTC.
    pub(super) fn at_instant(&self, seconds: i64) -> i32 {
        self.0.to_offset(known(seconds)).seconds()
    }

    /// The offset at a local time, in seconds since 1970 without zone. Where the clock is changed it is the one before, as Java's `getOffset` has it.
    pub(super) fn at_local(&self, seconds: i64) -> i32 {
        let local = Offset::UTC.to_datetime(known(seconds));
        let offset = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
        };
        offset.seconds()
    }
}

/// A time with the same offset, within what the calendar of the database has.
fn known(seconds: i64) -> Timestamp {
    let seconds = match seconds {
        ..=FIRST => FIRST,
        LAST.. => LAST - CYCLE + (seconds - LAST) % CYCLE,
        seconds => seconds,
    };
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `Z`, `+08:00`, `+08:00:30` in seconds.
pub(super) fn offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, clock_text) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let seconds = clock(clock_text)?;
    let seconds = i32::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds <= MOST)?;
    Some(sign * seconds)
}

/// `22:13`, `22:13:20` in seconds.
pub(super) fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| {
        let is_whole = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| is_whole)
    });
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let holds = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    holds.then_some(hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_java() {
        for text in [
            "Europe/Berlin",
            "UTC",
            "GMT",
            "Etc/GMT+8",
            "+08:00",
            "-03:30",
            "+00:00:01",
            "-18:00",
        ] {
            assert!(Zone::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "Z",
            "europe/berlin",
            "Nowhere",
            "+8:00",
            "+08",
            "+0800",
            "+18:01",
            "+08:60",
            "+08:00:60",
            "+0a:00",
            "UTC+8",
        ] {
            assert!(Zone::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn where_the_clock_is_changed_the_offset_before_counts() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        // 2023-03-26 02:30 is not there, 2023-10-29 02:30 is there twice.
        assert_eq!(berlin.at_local(1_679_797_800), 3600);
        assert_eq!(berlin.at_local(1_698_546_600), 7200);
        assert_eq!(berlin.at_instant(1_679_792_400 - 1), 3600);
        assert_eq!(berlin.at_instant(1_679_792_400), 7200);
    }

    #[test]
    fn every_time_has_an_offset() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let july = 1_688_169_600;
        for cycles in [1, 18, 19, 700_000_000] {
            assert_eq!(berlin.at_local(july + cycles * CYCLE), 7200, "{cycles}");
        }
        let before = berlin.at_local(-5_000_000_000);
        for seconds in [i64::MIN, FIRST - 1, FIRST] {
            assert_eq!(berlin.at_local(seconds), before);
        }
        for seconds in [LAST - 1, LAST, LAST + 1, i64::MAX] {
            assert!(
                [3600, 7200].contains(&berlin.at_instant(seconds)),
                "{seconds}"
            );
        }
    }
}
