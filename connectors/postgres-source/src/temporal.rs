//! PostgreSQL's ISO texts of dates, times and intervals, as numbers and as Debezium's texts.
//!
//! Connections have `DateStyle=ISO`, `TimeZone=UTC`, `IntervalStyle=iso_8601`.

use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use cdc::iso::{DAY_US, SHORTEST, push_date, push_instant, push_time};
use cdc::{calendar::days_from_civil, iso::push_padded};

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
pub(crate) const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
/// A month of an interval: 365.25 / 12 days.
const MONTH_US: i64 = 2_629_800_000_000;

/// The microseconds that Debezium has for timestamps without end.
pub(crate) const INFINITY: i64 = 9_223_372_036_825_200_000;
/// And without beginning.
pub(crate) const NEGATIVE_INFINITY: i64 = -9_223_372_036_832_400_000;

/// Now, in microseconds since 2000-01-01.
pub(crate) fn postgres_micros_now() -> i64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX) - POSTGRES_EPOCH_US
}

/// A text that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

type Parsed<T> = Result<T, Malformed>;

/// What has not been read yet.
#[derive(Debug, Clone, Copy)]
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// A run of 1 to 15 digits.
    fn number(&mut self) -> Parsed<i64> {
        let len = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=15).contains(&len) {
            return Err(Malformed);
        }
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        Ok(digits
            .iter()
            .fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
    }

    fn skip(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.skip(byte) {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    fn end(self) -> Parsed<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// `YYYY-MM-DD`, without the era.
    fn date(&mut self) -> Parsed<(i64, u32, u32)> {
        let year = self.number()?;
        self.expect(b'-')?;
        let month = self.number()?;
        self.expect(b'-')?;
        let day = self.number()?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 6_000_000 {
            return Err(Malformed);
        }
        Ok((year, month as u32, day as u32))
    }

    /// `HH:MM:SS[.ffffff]` in microseconds.
    fn time(&mut self) -> Parsed<i64> {
        let hours = self.number()?;
        self.expect(b':')?;
        let minutes = self.number()?;
        self.expect(b':')?;
        let seconds = self.number()?;
        if hours > 24 || minutes > 59 || seconds > 60 {
            return Err(Malformed);
        }
        Ok(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + self.fraction()?)
    }

    /// `.ffffff` in microseconds, or nothing.
    fn fraction(&mut self) -> Parsed<i64> {
        if !self.skip(b'.') {
            return Ok(0);
        }
        let before = self.0.len();
        let number = self.number()?;
        let len = before - self.0.len();
        let scale = u32::try_from(len).map_err(|_| Malformed)?;
        match 6u32.checked_sub(scale) {
            Some(missing) => Ok(number * 10i64.pow(missing)),
            None => Err(Malformed),
        }
    }

    /// `±HH[:MM[:SS]]` in seconds.
    fn offset(&mut self) -> Parsed<i64> {
        let negative = match (self.skip(b'-'), self.skip(b'+')) {
            (true, false) => true,
            (false, true) => false,
            _ => return Err(Malformed),
        };
        let mut seconds = self.number()? * 3600;
        for unit in [60, 1] {
            if self.skip(b':') {
                seconds += self.number()? * unit;
            }
        }
        Ok(if negative { -seconds } else { seconds })
    }

    fn is_before_christ(&mut self) -> bool {
        let era = self.0 == b" BC";
        if era {
            self.0 = &[];
        }
        era
    }
}

fn astronomical(year: i64, before_christ: bool) -> i64 {
    if before_christ { 1 - year } else { year }
}

/// Days since 1970-01-01 of `YYYY-MM-DD[ BC]`.
pub(crate) fn days(text: &[u8]) -> Parsed<i64> {
    match text {
        b"infinity" => return Ok(i64::from(i32::MAX)),
        b"-infinity" => return Ok(i64::from(i32::MIN)),
        _ => {}
    }
    let mut text = Text(text);
    let (year, month, day) = text.date()?;
    let year = astronomical(year, text.is_before_christ());
    text.end()?;
    Ok(days_from_civil(year, month, day))
}

/// Microseconds since midnight of `HH:MM:SS[.ffffff]`.
pub(crate) fn time_us(text: &[u8]) -> Parsed<i64> {
    let mut text = Text(text);
    let time = text.time()?;
    text.end()?;
    Ok(time)
}

/// A moment: microseconds since 1970-01-01, or one without end or beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A moment: the day since 1970-01-01, and microseconds of that day. Far days have no microseconds in 64 bits.
    At(i64, i64),
    /// `infinity`
    Infinity,
    /// `-infinity`
    NegativeInfinity,
}

/// `YYYY-MM-DD HH:MM:SS[.ffffff][+00][ BC]`, the zone only with `timestamptz`.
pub(crate) fn moment(text: &[u8]) -> Parsed<Moment> {
    match text {
        b"infinity" => return Ok(Moment::Infinity),
        b"-infinity" => return Ok(Moment::NegativeInfinity),
        _ => {}
    }
    let mut text = Text(text);
    let (year, month, day) = text.date()?;
    text.expect(b' ')?;
    let time = text.time()?;
    let offset = match text.0.first() {
        Some(b'+' | b'-') => text.offset()?,
        _ => 0,
    };
    let year = astronomical(year, text.is_before_christ());
    text.end()?;
    let micros = time - offset * 1_000_000;
    let days = days_from_civil(year, month, day) + micros.div_euclid(DAY_US);
    Ok(Moment::At(days, micros.rem_euclid(DAY_US)))
}

/// A `timetz` in UTC: microseconds since midnight of `HH:MM:SS[.ffffff]±HH[:MM[:SS]]`, and whether it is 24:00.
pub(crate) fn zoned_time_us(text: &[u8]) -> Parsed<i64> {
    let mut text = Text(text);
    let time = text.time()?;
    let offset = text.offset()?;
    text.end()?;
    if offset == 0 && time == DAY_US {
        return Ok(time);
    }
    Ok((time - offset * 1_000_000).rem_euclid(DAY_US))
}

/// An interval in its three parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    /// Months; years are twelve.
    pub months: i64,
    /// Days; weeks do not come.
    pub days: i64,
    /// Everything below a day.
    pub micros: i64,
}

/// `P[nY][nM][nD][T[nH][nM][n.nS]]`, each number with its own sign.
pub(crate) fn interval(text: &[u8]) -> Parsed<Interval> {
    let mut text = Text(text);
    text.expect(b'P')?;
    let mut interval = Interval::default();
    let mut in_time = false;
    while !text.0.is_empty() {
        if text.skip(b'T') {
            in_time = true;
            continue;
        }
        let sign = if text.skip(b'-') { -1 } else { 1 };
        let whole = sign * text.number()?;
        let fraction = sign * text.fraction()?;
        let (unit, rest) = text.0.split_first().ok_or(Malformed)?;
        text.0 = rest;
        match (unit, in_time) {
            (b'Y', false) => interval.months += whole * 12,
            (b'M', false) => interval.months += whole,
            (b'D', false) => interval.days += whole,
            (b'H', true) => interval.micros += whole.saturating_mul(3_600_000_000),
            (b'M', true) => interval.micros += whole.saturating_mul(60_000_000),
            (b'S', true) => interval.micros += whole.saturating_mul(1_000_000) + fraction,
            _ => return Err(Malformed),
        }
    }
    Ok(interval)
}

impl Interval {
    /// All of it in microseconds.
    pub(crate) fn as_micros(self) -> i64 {
        let months = self.months.saturating_mul(MONTH_US);
        let days = self.days.saturating_mul(DAY_US);
        months.saturating_add(days).saturating_add(self.micros)
    }

    /// Appends Debezium's text, which always has every part: `P1Y2M3DT4H5M6.78S`.
    pub(crate) fn push(self, out: &mut Vec<u8>) {
        let seconds = self.micros / 1_000_000;
        let mut number = itoa::Buffer::new();
        out.push(b'P');
        let mut part = |value: i64, unit: &[u8]| {
            out.extend_from_slice(number.format(value).as_bytes());
            out.extend_from_slice(unit);
        };
        part(self.months / 12, b"Y");
        part(self.months % 12, b"M");
        part(self.days, b"DT");
        part(seconds / 3600, b"H");
        part(seconds / 60 % 60, b"M");
        let micros = self.micros % 60_000_000;
        if micros < 0 {
            out.push(b'-');
        }
        out.extend_from_slice(number.format(micros.unsigned_abs() / 1_000_000).as_bytes());
        let fraction = micros.unsigned_abs() % 1_000_000;
        if fraction > 0 {
            out.push(b'.');
            push_padded(fraction, 6, out);
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
        out.push(b'S');
    }
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
    fn dates_of_all_eras() {
        assert_eq!(days(b"1970-01-01"), Ok(0));
        assert_eq!(days(b"2024-02-29"), Ok(19_782));
        assert_eq!(days(b"4713-01-01 BC"), Ok(-2_440_550));
        assert_eq!(days(b"infinity"), Ok(i64::from(i32::MAX)));
        for bad in ["", "2024", "2024-13-01", "2024-01-01x", "x"] {
            assert_eq!(days(bad.as_bytes()), Err(Malformed), "{bad}");
        }
    }

    #[test]
    fn moments_and_their_texts() {
        let at = |text: &[u8]| match moment(text).unwrap() {
            Moment::At(days, micros) => (days, micros),
            other => panic!("{other:?}"),
        };
        assert_eq!(at(b"1970-01-01 00:00:01.5"), (0, 1_500_000));
        assert_eq!(at(b"1970-01-01 02:00:00+02"), (0, 0));
        assert_eq!(at(b"1969-12-31 23:59:59.999999+00"), (-1, DAY_US - 1));
        let (days, micros) = at(b"2016-11-04 11:51:30.123456+00");
        assert_eq!(
            text(|out| push_instant(days, micros, 6, out)),
            "2016-11-04T11:51:30.123456Z"
        );
        assert_eq!(
            text(|out| push_instant(days, micros, 0, out)),
            "2016-11-04T11:51:30Z"
        );
        let (far, micros) = at(b"294276-12-31 23:59:59+00");
        assert_eq!(
            text(|out| push_instant(far, micros, 0, out)),
            "+294276-12-31T23:59:59Z"
        );
        assert_eq!(moment(b"-infinity"), Ok(Moment::NegativeInfinity));
    }

    #[test]
    fn times_with_and_without_zone() {
        assert_eq!(time_us(b"24:00:00"), Ok(DAY_US));
        assert_eq!(time_us(b"13:51:30.5"), Ok(49_890_500_000));
        assert_eq!(zoned_time_us(b"13:51:30+02"), Ok(42_690_000_000));
        assert_eq!(zoned_time_us(b"01:00:00+05:30"), Ok(70_200_000_000));
        assert_eq!(
            text(|out| push_time(42_690_000_000, 6, out)),
            "11:51:30.000000"
        );
        assert!(zoned_time_us(b"13:51:30").is_err());
    }

    #[test]
    fn intervals() {
        let parsed = interval(b"P1Y2M3DT4H5M6.78S").unwrap();
        assert_eq!(text(|out| parsed.push(out)), "P1Y2M3DT4H5M6.78S");
        let expected = 14 * MONTH_US + 3 * DAY_US + 14_706_780_000;
        assert_eq!(parsed.as_micros(), expected);
        let negative = interval(b"P-1DT-1H-0.5S").unwrap();
        assert_eq!(negative.as_micros(), -DAY_US - 3_600_500_000);
        assert_eq!(text(|out| negative.push(out)), "P0Y0M-1DT-1H0M-0.5S");
        assert_eq!(
            text(|out| interval(b"PT0S").unwrap().push(out)),
            "P0Y0M0DT0H0M0S"
        );
        assert!(interval(b"P1X").is_err() && interval(b"1Y").is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panic(text: Vec<u8>) {
            let _ = (days(&text), time_us(&text), moment(&text), zoned_time_us(&text), interval(&text));
        }

        #[test]
        fn instants_come_back(days in -700_000i64..2_900_000, micros in 0..DAY_US) {
            let shown = text(|out| push_instant(days, micros, 6, out));
            if let Some(positive) = shown.strip_suffix('Z').filter(|t| !t.starts_with(['-', '+'])) {
                let back = moment(positive.replace('T', " ").as_bytes());
                proptest::prop_assert_eq!(back, Ok(Moment::At(days, micros)));
            }
        }
    }
}
