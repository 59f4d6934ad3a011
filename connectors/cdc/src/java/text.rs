//! Keys as SQL has them.

use super::Part;
use crate::calendar::{civil_from_days, days_from_civil};

/// What `java.sql.Date` has for `infinity`, and for `-infinity`, in days: farther than any date.
const FOREVER: i64 = 106_751_991_167;

impl Part {
    /// As SQL text; `None` for null.
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Int(number) => number.to_string(),
            Self::Long(number) => number.to_string(),
            Self::Bool(is) => is.to_string(),
            Self::Float(bits) => f32::from_bits(*bits).to_string(),
            Self::Double(bits) => f64::from_bits(*bits).to_string(),
            Self::Date(days) => date_text(*days),
            Self::Text(text) | Self::Decimal(text) => text.clone(),
            Self::Uuid(bits) => uuid_text(*bits),
            Self::Bytes(bytes) => bytes.iter().fold("\\x".to_owned(), |mut hex, byte| {
                use std::fmt::Write;
                // Writing to a String does not fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            }),
        })
    }

    /// A date from its SQL text, also `infinity`; `None` for what is none.
    pub fn date(text: &str) -> Option<Self> {
        let (text, is_ancient) = match text.strip_suffix(" BC") {
            Some(text) => (text, true),
            None => (text, false),
        };
        match text {
            "infinity" => return Some(Self::Date(FOREVER)),
            "-infinity" => return Some(Self::Date(-FOREVER)),
            _ => {}
        }
        let mut parts = text.splitn(3, '-');
        let year: i64 = parts.next()?.parse().ok()?;
        let (month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let year = if is_ancient { 1 - year } else { year };
        ((1..=12).contains(&month) && (1..=31).contains(&day))
            .then(|| Self::Date(days_from_civil(year, month, day)))
    }

    /// Bytes from their SQL text (`\x00ff`).
    pub fn bytes(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("\\x")?;
        let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
        let pairs = digits.chunks_exact(2);
        Some(Self::Bytes(
            pairs.map(|pair| (pair[0] << 4 | pair[1]) as u8).collect(),
        ))
    }
}

fn date_text(days: i64) -> String {
    if days.abs() >= FOREVER {
        let sign = if days < 0 { "-" } else { "" };
        return format!("{sign}infinity");
    }
    let (year, month, day) = civil_from_days(days);
    match year {
        ..=0 => format!("{:04}-{month:02}-{day:02} BC", 1 - year),
        _ => format!("{year:04}-{month:02}-{day:02}"),
    }
}

/// 128 bits as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
pub fn uuid_text(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    let parts = parts.map(|range| hex.get(range).unwrap_or_default().to_owned());
    parts.join("-")
}

/// The 128 bits of a UUID's text.
pub fn uuid_bits(text: &str) -> Option<u128> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    (hex.len() == 32).then(|| u128::from_str_radix(&hex, 16).ok())?
}

/// Java's own encoding: surrogates one by one, zero as two bytes.
pub(crate) fn modified_utf8(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match unit {
            1..=0x7f => out.push(unit as u8),
            0 | 0x80..=0x7ff => {
                out.extend([0xc0 | (unit >> 6) as u8, 0x80 | (unit & 0x3f) as u8]);
            }
            _ => out.extend([
                0xe0 | (unit >> 12) as u8,
                0x80 | (unit >> 6 & 0x3f) as u8,
                0x80 | (unit & 0x3f) as u8,
            ]),
        }
    }
    out
}

pub(super) fn from_modified_utf8(bytes: &[u8]) -> Option<String> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter().map(|byte| u16::from(*byte));
    while let Some(first) = bytes.next() {
        let mut more = || bytes.next().filter(|b| b & 0xc0 == 0x80).map(|b| b & 0x3f);
        units.push(match first {
            0..0x80 => first,
            0xc0..0xe0 => (first & 0x1f) << 6 | more()?,
            0xe0..0xf0 => {
                let high = more()?;
                (first & 0xf) << 12 | high << 6 | more()?
            }
            _ => return None,
        });
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_text_of_the_server() {
        for text in [
            "2026-03-01",
            "0001-01-01",
            "0044-03-15 BC",
            "10000-12-31",
            "infinity",
            "-infinity",
        ] {
            assert_eq!(Part::date(text).unwrap().text().as_deref(), Some(text));
        }
        assert_eq!(Part::date("2026-13-01"), None);
        assert_eq!(Part::date("1970-01-02"), Some(Part::Date(1)));
    }

    #[test]
    fn bytes_have_the_text_of_the_server() {
        let bytes = Part::bytes("\\x00ff").unwrap();
        assert_eq!(bytes, Part::Bytes(vec![0, 255]));
        assert_eq!(bytes.text().as_deref(), Some("\\x00ff"));
        assert_eq!(Part::bytes("00"), None);
    }
}
