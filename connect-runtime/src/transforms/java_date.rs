//! Java's `SimpleDateFormat` in UTC, for the letters that stand for a point in time.

/// A pattern such as `yyyy-MM-dd'T'HH:mm:ss.SSSX`.
#[derive(Debug)]
pub(super) struct JavaDate(Vec<Item>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    /// A letter and how often it stands there.
    Letter(char, usize),
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];
const MILLIS_PER_DAY: i64 = 86_400_000;

/// The parts of a point in time.
#[derive(Debug, Clone, Copy)]
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    milli: i64,
    afternoon: Option<bool>,
    offset_ms: i64,
}

impl JavaDate {
    /// Reads a pattern; the error says what is wrong with it.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let mut items: Vec<Item> = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(letter) = rest.next() {
            match letter {
                '\'' if rest.next_if_eq(&'\'').is_some() => push_text(&mut items, '\''),
                '\'' => loop {
                    match rest.next().ok_or("Unterminated quote")? {
                        '\'' if rest.next_if_eq(&'\'').is_none() => break,
                        letter => push_text(&mut items, letter),
                    }
                },
                letter if letter.is_ascii_alphabetic() => {
                    if !"yuMLdDHkKhmsSaEzZX".contains(letter) {
                        return Err(format!(
                            "Illegal or unsupported pattern character '{letter}'"
                        ));
                    }
                    match items.last_mut() {
                        Some(Item::Letter(last, count)) if *last == letter => *count += 1,
                        _ => items.push(Item::Letter(letter, 1)),
                    }
                }
                letter => push_text(&mut items, letter),
            }
        }
        Ok(Self(items))
    }

    /// Milliseconds since 1970 as text.
    pub(super) fn format(&self, millis: i64) -> String {
        let parts = Parts::of(millis);
        let mut out = String::new();
        for item in &self.0 {
            match item {
                Item::Text(text) => out.push_str(text),
                Item::Letter(letter, count) => {
                    format_letter(*letter, *count, &parts, millis, &mut out)
                }
            }
        }
        out
    }

    /// Text as milliseconds since 1970. As in Java, what stands after the pattern's end is not looked at.
    pub(super) fn parse(&self, text: &str) -> Option<i64> {
        let mut parts = Parts::of(0);
        let mut rest = text;
        for (at, item) in self.0.iter().enumerate() {
            rest = match item {
                Item::Text(literal) => rest.strip_prefix(literal.as_str())?,
                Item::Letter(letter, count) => {
                    let adjoins = matches!(self.0.get(at + 1), Some(Item::Letter(next, _)) if is_numeric(*next));
                    parse_letter(*letter, *count, adjoins, rest, &mut parts)?
                }
            };
        }
        parts.millis()
    }
}

fn push_text(items: &mut Vec<Item>, letter: char) {
    match items.last_mut() {
        Some(Item::Text(text)) => text.push(letter),
        _ => items.push(Item::Text(letter.to_string())),
    }
}

fn is_numeric(letter: char) -> bool {
    !matches!(letter, 'a' | 'E' | 'z' | 'Z' | 'X')
}

fn format_letter(letter: char, count: usize, parts: &Parts, millis: i64, out: &mut String) {
    let number = |number: i64| format!("{number:0count$}");
    let text = match letter {
        'y' | 'u' if letter == 'y' && count == 2 => format!("{:02}", parts.year.rem_euclid(100)),
        'y' => number(parts.year),
        'M' | 'L' if count >= 3 => {
            let name = MONTHS[(parts.month - 1).rem_euclid(12) as usize];
            if count >= 4 {
                name.to_owned()
            } else {
                name[..3].to_owned()
            }
        }
        'M' | 'L' => number(parts.month),
        'd' => number(parts.day),
        'D' => number(days_of(parts.year, parts.month, parts.day) - days_of(parts.year, 1, 1) + 1),
        'H' => number(parts.hour),
        'k' => number(if parts.hour == 0 { 24 } else { parts.hour }),
        'K' => number(parts.hour % 12),
        'h' => number(if parts.hour % 12 == 0 {
            12
        } else {
            parts.hour % 12
        }),
        'm' => number(parts.minute),
        's' => number(parts.second),
        'S' => number(parts.milli),
        'a' => (if parts.hour < 12 { "AM" } else { "PM" }).to_owned(),
        // Monday is 1.
        'u' => number((millis.div_euclid(MILLIS_PER_DAY) + 3).rem_euclid(7) + 1),
        'E' => {
            let name = DAYS[millis.div_euclid(MILLIS_PER_DAY).rem_euclid(7) as usize];
            if count >= 4 {
                name.to_owned()
            } else {
                name[..3].to_owned()
            }
        }
        'z' if count >= 4 => "Coordinated Universal Time".to_owned(),
        'z' => "UTC".to_owned(),
        'Z' => "+0000".to_owned(),
        _ => "Z".to_owned(),
    };
    out.push_str(&text);
}

fn parse_letter<'a>(
    letter: char,
    count: usize,
    adjoins: bool,
    text: &'a str,
    parts: &mut Parts,
) -> Option<&'a str> {
    match letter {
        'M' | 'L' if count >= 3 => {
            let (at, rest) = name(&MONTHS, text)?;
            parts.month = at as i64 + 1;
            return Some(rest);
        }
        'E' => return name(&DAYS, text).map(|(_, rest)| rest),
        'a' => {
            let (at, rest) = name(&["AM", "PM"], text)?;
            parts.afternoon = Some(at == 1);
            return Some(rest);
        }
        'z' | 'Z' | 'X' => return zone(text, parts),
        _ => {}
    }
    let text = text.trim_start_matches([' ', '\t']);
    let most = if adjoins { count } else { 19 };
    let (value, rest) = digits(text, most)?;
    let length = text.len() - rest.len();
    match letter {
        'y' if count <= 2 && length == 2 => parts.year = two_digit_year(value),
        'y' => parts.year = value,
        'M' | 'L' => parts.month = value,
        'd' => parts.day = value,
        'D' => parts.day_of_year = Some(value),
        'H' | 'K' => parts.hour = value,
        'k' => parts.hour = if value == 24 { 0 } else { value },
        'h' => parts.hour = if value == 12 { 0 } else { value },
        'm' => parts.minute = value,
        's' => parts.second = value,
        'S' => parts.milli = value,
        _ => {}
    }
    Some(rest)
}

/// Java puts two digits between 80 years before and 20 years after now.
fn two_digit_year(value: i64) -> i64 {
    let now = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .year();
    let first = i64::from(now) - 80;
    let year = first - first.rem_euclid(100) + value;
    if year < first { year + 100 } else { year }
}

/// A number; a minus belongs to it.
fn digits(text: &str, most: usize) -> Option<(i64, &str)> {
    let sign = usize::from(text.starts_with('-'));
    let length = text
        .bytes()
        .skip(sign)
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    let (number, rest) = text.split_at_checked(sign + length)?;
    Some((number.parse().ok()?, rest))
}

/// A full or short name, whatever its case.
fn name<'a>(names: &[&str], text: &'a str) -> Option<(usize, &'a str)> {
    let starts = |name: &str| {
        text.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let full = names.iter().position(|name| starts(name));
    let found = full.map(|at| (at, names[at].len()));
    let short = || {
        names
            .iter()
            .position(|name| starts(&name[..3.min(name.len())]))
            .map(|at| (at, 3))
    };
    let (at, length) = found.or_else(short)?;
    Some((at, text.get(length..)?))
}

/// `Z`, `UTC`, `GMT`, `+01`, `+0100`, `+01:00`.
fn zone<'a>(text: &'a str, parts: &mut Parts) -> Option<&'a str> {
    let known = ["UTC", "GMT", "Z"]
        .iter()
        .find_map(|name| text.strip_prefix(name));
    let text = match known {
        Some(rest) if !rest.starts_with(['+', '-']) => {
            parts.offset_ms = 0;
            return Some(rest);
        }
        Some(rest) => rest,
        None => text,
    };
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, rest) = digits(text.get(1..)?, 2)?;
    let (minutes, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2)?,
        None => digits(rest, 2).unwrap_or((0, rest)),
    };
    parts.offset_ms = sign * (hours * 60 + minutes) * 60_000;
    Some(rest)
}

impl Parts {
    fn of(millis: i64) -> Self {
        let (days, rest) = (
            millis.div_euclid(MILLIS_PER_DAY),
            millis.rem_euclid(MILLIS_PER_DAY),
        );
        let (year, month, day) = civil(days);
        Self {
            year,
            month,
            day,
            day_of_year: None,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1000 % 60,
            milli: rest % 1000,
            afternoon: None,
            offset_ms: 0,
        }
    }

    /// Lenient, as Java: the 32nd of January is the 1st of February.
    fn millis(self) -> Option<i64> {
        let all = [
            self.year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
        ];
        if all.iter().any(|part| part.abs() > 1_000_000_000) {
            return None;
        }
        let months = self.month - 1;
        let year = self.year + months.div_euclid(12);
        let days = match self.day_of_year {
            Some(day) => days_of(year, 1, 1).checked_add(day.checked_sub(1)?)?,
            None => days_of(year, months.rem_euclid(12) + 1, 1) + self.day - 1,
        };
        let noon = if self.afternoon == Some(true) { 12 } else { 0 };
        let seconds = (self.hour + noon) * 3600 + self.minute * 60 + self.second;
        let millis = days
            .checked_mul(MILLIS_PER_DAY)?
            .checked_add(seconds * 1000)?;
        millis.checked_add(self.milli)?.checked_sub(self.offset_ms)
    }
}

/// Year, month and day of days since 1970-01-01 (proleptic Gregorian, by eras of 400 years).
fn civil(days: i64) -> (i64, i64, i64) {
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

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let months = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * months + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    // Printed by Java's `SimpleDateFormat` with the time zone UTC.
    #[test]
    fn moments_are_printed_as_java_does() {
        let moment = 1_700_000_000_123;
        for (pattern, expected) in [
            ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2023-11-14T22:13:20.123Z"),
            ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2023-11-14 22:13:20.000123"),
            ("dd/MM/yy hh:mm a", "14/11/23 10:13 PM"),
            (
                "EEE, d MMM yyyy HH:mm:ss Z",
                "Tue, 14 Nov 2023 22:13:20 +0000",
            ),
            (
                "EEEE MMMM D u k K 'o''clock' z",
                "Tuesday November 318 2 22 10 o'clock UTC",
            ),
            ("yyyyMMdd", "20231114"),
        ] {
            assert_eq!(
                JavaDate::new(pattern).unwrap().format(moment),
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_was_printed_is_read() {
        for pattern in [
            "yyyy-MM-dd'T'HH:mm:ss.SSSX",
            "yyyyMMddHHmmssSSS",
            "EEE, d MMM yyyy hh:mm:ss.SSS a Z",
        ] {
            let date = JavaDate::new(pattern).unwrap();
            for moment in [0, 1_700_000_000_123, 951_782_400_000, 43_200_000] {
                assert_eq!(date.parse(&date.format(moment)), Some(moment), "{pattern}");
            }
        }
        let date = JavaDate::new("yyyy-MM-dd HH:mm:ssX").unwrap();
        assert_eq!(date.parse("1970-01-01 01:00:00+01:00"), Some(0));
        assert_eq!(date.parse("1970-1-1 1:0:0+0100 and more"), Some(0));
        for bad in [
            "",
            "1970",
            "1970-01-01",
            "x",
            "1970-01-01 01:00:00",
            "9999999999999999999-1-1 1:1:1Z",
        ] {
            assert_eq!(date.parse(bad), None, "{bad}");
        }
        for bad in ["yyyy'", "yyyy-w", "G"] {
            assert!(JavaDate::new(bad).is_err());
        }
    }
}
