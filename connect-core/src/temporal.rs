//! Dates and times that records carry as integers, as ISO 8601 text.

use std::io::Write;

use crate::{Schema, schema::logical};

/// What an integer of a date or time type counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Days since 1970-01-01.
    Days,
    /// Time of day (or, from MySQL, a signed length of time) with this many digits after the second.
    Time(u32),
    /// Since 1970-01-01 00:00:00 of no zone in particular, with this many digits after the second.
    Local(u32),
    /// Since 1970-01-01 00:00:00 UTC, with this many digits after the second.
    Instant(u32),
}

const DAY_SECONDS: i64 = 86_400;

impl Unit {
    /// The unit of a schema, by its semantic name; `None` when it is no date or time in an integer.
    pub fn of(schema: &Schema) -> Option<Self> {
        let name = schema.name.as_deref()?;
        if let Some(kind) = name.strip_prefix("io.debezium.time.") {
            return match kind {
                "Date" => Some(Self::Days),
                "Time" => Some(Self::Time(3)),
                "MicroTime" => Some(Self::Time(6)),
                "NanoTime" => Some(Self::Time(9)),
                "Timestamp" => Some(Self::Local(3)),
                "MicroTimestamp" => Some(Self::Local(6)),
                "NanoTimestamp" => Some(Self::Local(9)),
                _ => None,
            };
        }
        match name {
            logical::DATE => Some(Self::Days),
            logical::TIME => Some(Self::Time(3)),
            logical::TIMESTAMP => Some(Self::Instant(3)),
            _ => None,
        }
    }

    /// Appends the ISO 8601 text. Years outside 0 to 9999 get a sign.
    pub fn write(self, count: i64, out: &mut Vec<u8>) {
        match self {
            Self::Days => write_date(count, out),
            Self::Time(digits) => write_time(count, digits, out),
            Self::Local(digits) | Self::Instant(digits) => {
                let per_second = 10_i64.pow(digits);
                let seconds = count.div_euclid(per_second);
                write_date(seconds.div_euclid(DAY_SECONDS), out);
                out.push(b'T');
                let of_day = seconds.rem_euclid(DAY_SECONDS) * per_second;
                write_time(of_day + count.rem_euclid(per_second), digits, out);
                if matches!(self, Self::Instant(_)) {
                    out.push(b'Z');
                }
            }
        }
    }
}

fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    let _ = match year {
        0..=9999 => write!(out, "{year:04}-{month:02}-{day:02}"),
        _ => write!(out, "{year:+05}-{month:02}-{day:02}"),
    };
}

fn write_time(count: i64, digits: u32, out: &mut Vec<u8>) {
    if count < 0 {
        out.push(b'-');
    }
    let per_second = 10_u64.pow(digits);
    let count = count.unsigned_abs();
    let (seconds, fraction) = (count / per_second, count % per_second);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let width = digits as usize;
    let _ = write!(
        out,
        "{hours:02}:{minutes:02}:{seconds:02}.{fraction:0width$}"
    );
}

/// Year, month and day of a day since 1970-01-01 in the proleptic Gregorian calendar, by whole 400-year eras
/// that begin on 1 March.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let from_march_0000 = days.saturating_add(719_468);
    let era = from_march_0000.div_euclid(ERA);
    let day_of_era = from_march_0000.rem_euclid(ERA);
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(unit: Unit, count: i64) -> String {
        let mut out = Vec::new();
        unit.write(count, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_become_dates() {
        assert_eq!(text(Unit::Days, 0), "1970-01-01");
        assert_eq!(text(Unit::Days, -1), "1969-12-31");
        assert_eq!(text(Unit::Days, 11_016), "2000-02-29");
        assert_eq!(text(Unit::Days, -719_528), "0000-01-01");
        assert_eq!(text(Unit::Days, 2_932_897), "+10000-01-01");
        assert_eq!(text(Unit::Days, -719_529), "-0001-12-31");
    }

    #[test]
    fn times_keep_their_precision_and_sign() {
        assert_eq!(text(Unit::Time(3), 86_399_999), "23:59:59.999");
        assert_eq!(text(Unit::Time(6), 86_400_000_000), "24:00:00.000000");
        assert_eq!(text(Unit::Time(6), -3_020_399_000_000), "-838:59:59.000000");
    }

    #[test]
    fn timestamps_before_the_epoch_count_down() {
        assert_eq!(text(Unit::Local(6), -1), "1969-12-31T23:59:59.999999");
        assert_eq!(
            text(Unit::Instant(3), 1_700_000_000_123),
            "2023-11-14T22:13:20.123Z"
        );
        assert_eq!(
            text(Unit::Local(9), 1_700_000_000_000_000_001),
            "2023-11-14T22:13:20.000000001"
        );
    }

    #[test]
    fn no_integer_is_too_large() {
        for unit in [
            Unit::Days,
            Unit::Time(6),
            Unit::Local(3),
            Unit::Instant(9),
            Unit::Local(6),
        ] {
            for count in [i64::MIN, i64::MIN + 1, i64::MAX] {
                assert!(!text(unit, count).is_empty());
            }
        }
    }
}
