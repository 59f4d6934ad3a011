//! The three texts that Kafka Connect has for a point in time, in UTC.

use std::io::Write;

/// Milliseconds of a day.
pub(crate) const MILLIS_PER_DAY: i64 = 86_400_000;

/// Appends milliseconds since 1970 as `HH:mm:ss.SSSZ` before the second day, as `yyyy-MM-dd` at midnight, else as both
/// (`Values.dateFormatFor`).
pub(crate) fn write_moment(millis: i64, out: &mut Vec<u8>) {
    let (days, rest) = (
        millis.div_euclid(MILLIS_PER_DAY),
        millis.rem_euclid(MILLIS_PER_DAY),
    );
    let time_alone = millis < MILLIS_PER_DAY;
    if !time_alone {
        let (year, month, day) = civil(days);
        // Writing to a vector cannot fail.
        let _ = write!(out, "{year:04}-{month:02}-{day:02}");
        if rest == 0 {
            return;
        }
        out.push(b'T');
    }
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let _ = write!(out, "{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
}

/// Reads one of the three texts: milliseconds since 1970 (since midnight for a time alone).
pub(crate) fn read_moment(text: &str) -> Option<Moment> {
    match text.len() {
        10 => read_date(text).map(Moment::Date),
        13 => read_time(text).map(Moment::Time),
        24 => {
            let (date, time) = text.split_once('T')?;
            let days = read_date(date)?;
            Some(Moment::Timestamp(days * MILLIS_PER_DAY + read_time(time)?))
        }
        _ => None,
    }
}

/// What such a text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Days since 1970.
    Date(i64),
    /// Milliseconds since midnight.
    Time(i64),
    /// Milliseconds since 1970.
    Timestamp(i64),
}

fn read_date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4)?;
    let month = number(parts.next()?, 2).filter(|m| (1..=12).contains(m))?;
    let day = number(parts.next()?, 2).filter(|d| (1..=31).contains(d))?;
    parts.next().is_none().then(|| days_of(year, month, day))
}

fn read_time(text: &str) -> Option<i64> {
    let (clock, millis) = text.strip_suffix('Z')?.split_once('.')?;
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2).filter(|h| *h < 24)?;
    let minute = number(parts.next()?, 2).filter(|m| *m < 60)?;
    let second = number(parts.next()?, 2).filter(|s| *s < 60)?;
    let millis = number(millis, 3)?;
    let none = parts.next().is_none();
    none.then_some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let fits = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// Year, month and day of days since 1970-01-01 (proleptic Gregorian, by eras of 400 years).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (
        year + era * 400 + i64::from(month <= 2),
        month,
        day_of_month,
    )
}

pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let months = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * months + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(millis: i64) -> String {
        let mut out = Vec::new();
        write_moment(millis, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn moments_are_written_as_kafka_connect_does() {
        assert_eq!(moment(0), "00:00:00.000Z");
        assert_eq!(moment(86_399_999), "23:59:59.999Z");
        assert_eq!(moment(86_400_000), "1970-01-02");
        assert_eq!(moment(951_782_400_000), "2000-02-29");
        assert_eq!(moment(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read_moment("2000-02-29"), Some(Moment::Date(11_016)));
        assert_eq!(read_moment("23:59:59.999Z"), Some(Moment::Time(86_399_999)));
        let both = Moment::Timestamp(1_700_000_000_123);
        assert_eq!(read_moment("2023-11-14T22:13:20.123Z"), Some(both));
        for bad in [
            "2000-13-01",
            "2000-02-2é",
            "24:00:00.000Z",
            "2023-11-14 22:13:20.123Z",
            "",
        ] {
            assert_eq!(read_moment(bad), None, "{bad}");
        }
    }
}
