//! Dates and times as they lie in rows (`my_time.cc` of the servers).

use connect_core::Result;

use crate::{error, wire::Fields};

/// Microseconds of a second.
const SECOND_US: i64 = 1_000_000;

/// A date, perhaps one that there is not: the servers have months and days of zero, and `0000-00-00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
}

/// A date and the microseconds of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The date.
    pub date: Date,
    /// Less than those of a day.
    pub time_us: i64,
}

impl Date {
    fn checked(year: u64, month: u64, day: u64) -> Result<Self> {
        if year > 9999 || month > 12 || day > 31 {
            return Err(error::value("a date has parts that no date has"));
        }
        Ok(Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
        })
    }
}

/// Big-endian bytes of a number.
fn big(bytes: &[u8]) -> i64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | i64::from(*byte))
}

/// A fraction of a second of so many digits, in microseconds.
fn fraction(digits: u8, fields: &mut Fields<'_>) -> Result<i64> {
    let bytes = usize::from(digits.div_ceil(2));
    let number = big(fields.bytes(bytes)?);
    Ok(match bytes {
        0 => 0,
        1 => number * 10_000,
        2 => number * 100,
        _ => number,
    })
}

fn of_day(hour: i64, minute: i64, second: i64, fraction_us: i64) -> Result<i64> {
    if hour > 23 || minute > 59 || second > 59 || !(0..SECOND_US).contains(&fraction_us) {
        return Err(error::value("a time has parts that no time has"));
    }
    Ok(((hour * 60 + minute) * 60 + second) * SECOND_US + fraction_us)
}

/// `DATE`
pub(crate) fn date(fields: &mut Fields<'_>) -> Result<Date> {
    let packed = u64::from(fields.u24()?);
    Date::checked(packed >> 9, packed >> 5 & 15, packed & 31)
}

/// `DATETIME(digits)`
pub(crate) fn date_time(digits: u8, fields: &mut Fields<'_>) -> Result<Moment> {
    // A sign that is always positive.
    let packed = big(fields.bytes(5)?) - (1 << 39);
    let fraction = fraction(digits, fields)?;
    if packed < 0 {
        return Err(error::value("a date is negative"));
    }
    let (days, time) = (packed.cast_unsigned() >> 17, packed & 0x1_ffff);
    let months = days >> 5;
    Ok(Moment {
        date: Date::checked(months / 13, months % 13, days & 31)?,
        time_us: of_day(time >> 12, time >> 6 & 63, time & 63, fraction)?,
    })
}

/// `TIME(digits)`: microseconds with their sign.
pub(crate) fn time(digits: u8, fields: &mut Fields<'_>) -> Result<i64> {
    let bytes = usize::from(digits.div_ceil(2));
    let packed = big(fields.bytes(3 + bytes)?) - (1 << (23 + 8 * bytes));
    // Negative ones are the complement of all, the fraction too.
    let size = packed.abs();
    let (whole, part) = (size >> (8 * bytes), size & ((1 << (8 * bytes)) - 1));
    let fraction = match bytes {
        0 => 0,
        1 => part * 10_000,
        2 => part * 100,
        _ => part,
    };
    let (hour, minute, second) = (whole >> 12 & 1023, whole >> 6 & 63, whole & 63);
    if minute > 59 || second > 59 || fraction >= SECOND_US {
        return Err(error::value("a time has parts that no time has"));
    }
    let us = ((hour * 60 + minute) * 60 + second) * SECOND_US + fraction;
    Ok(if packed < 0 { -us } else { us })
}

/// `TIMESTAMP(digits)`: microseconds since 1970-01-01; `None` for zero.
pub(crate) fn timestamp(digits: u8, fields: &mut Fields<'_>) -> Result<Option<i64>> {
    let seconds = big(fields.bytes(4)?);
    let fraction = fraction(digits, fields)?;
    if fraction >= SECOND_US {
        return Err(error::value("a time has parts that no time has"));
    }
    let us = seconds * SECOND_US + fraction;
    Ok((seconds != 0 || fraction != 0).then_some(us))
}

/// `TIME` before MySQL 5.6: the digits of `hhmmss`.
pub(crate) fn old_time(fields: &mut Fields<'_>) -> Result<i64> {
    let packed = i64::from((fields.u24()? << 8).cast_signed() >> 8);
    let size = packed.abs();
    let (hour, minute, second) = (size / 10_000, size / 100 % 100, size % 100);
    if minute > 59 || second > 59 {
        return Err(error::value("a time has parts that no time has"));
    }
    let us = ((hour * 60 + minute) * 60 + second) * SECOND_US;
    Ok(if packed < 0 { -us } else { us })
}

/// `DATETIME` before MySQL 5.6: the digits of `YYYYMMDDhhmmss`.
pub(crate) fn old_date_time(fields: &mut Fields<'_>) -> Result<Moment> {
    let packed = fields.u64()?;
    let (days, time) = (packed / 1_000_000, (packed % 1_000_000).cast_signed());
    Ok(Moment {
        date: Date::checked(days / 10_000, days / 100 % 100, days % 100)?,
        time_us: of_day(time / 10_000, time / 100 % 100, time % 100, 0)?,
    })
}

/// `TIMESTAMP` before MySQL 5.6.
pub(crate) fn old_timestamp(fields: &mut Fields<'_>) -> Result<Option<i64>> {
    let seconds = i64::from(fields.u32()?);
    Ok((seconds != 0).then_some(seconds * SECOND_US))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_signed_and_longer_than_a_day() {
        let read = |digits, bytes: &[u8]| time(digits, &mut Fields(bytes)).unwrap();
        assert_eq!(read(0, &[0x80, 0, 0]), 0);
        assert_eq!(read(0, &[0x80, 0x10, 0]), 3600 * SECOND_US);
        // -00:00:00.01, and -00:00:01.10 by `my_time_packed_to_binary`.
        assert_eq!(read(2, &[0x7f, 0xff, 0xff, 0xff]), -10_000);
        assert_eq!(read(2, &[0x7f, 0xff, 0xfe, 0xf6]), -1_100_000);
        assert_eq!(read(6, &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff]), -1);
        // 838:59:59
        let whole = 838 << 12 | 59 << 6 | 59 | 1 << 23;
        let bytes = [(whole >> 16) as u8, (whole >> 8) as u8, whole as u8];
        assert_eq!(read(0, &bytes), (838 * 3600 + 59 * 60 + 59) * SECOND_US);
    }

    #[test]
    fn old_forms_are_digits() {
        let moment = old_date_time(&mut Fields(&20_260_102_030_405u64.to_le_bytes())).unwrap();
        let date = Date {
            year: 2026,
            month: 1,
            day: 2,
        };
        assert_eq!((moment.date, moment.time_us), (date, 11_045 * SECOND_US));
        let negative = (-123_456i32).to_le_bytes();
        let us = old_time(&mut Fields(&negative[..3])).unwrap();
        assert_eq!(us, -(12 * 3600 + 34 * 60 + 56) * SECOND_US);
        assert_eq!(old_timestamp(&mut Fields(&[0; 4])).unwrap(), None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert!(date_time(0, &mut Fields(&[0x7f, 0, 0, 0, 0])).is_err());
        assert!(date_time(0, &mut Fields(&[0xff; 5])).is_err());
        assert!(time(0, &mut Fields(&[0xff; 3])).is_err());
        assert!(date(&mut Fields(&[0xff, 0xff, 0xff])).is_err());
    }
}
