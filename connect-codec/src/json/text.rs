//! JSON strings, escaped byte for byte as Jackson does it.

const HEX: &[u8; 16] = b"0123456789ABCDEF";
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Appends UTF-8 `text` as a JSON string with its quotes.
///
/// Escapes quotes, backslashes and control characters, and writes characters beyond the basic
/// plane as two `\u` escapes, as Jackson does.
pub(crate) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    match first_special(text) {
        None => out.extend_from_slice(text),
        Some(at) => write_escaped(text, at, out),
    }
    out.push(b'"');
}

/// Where the first byte is that cannot be copied as it is.
fn first_special(text: &[u8]) -> Option<usize> {
    let mut words = text.chunks_exact(8);
    let mut at = 0;
    for word in words.by_ref() {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
        if special_bytes(word) != 0 {
            break;
        }
        at += 8;
    }
    text[at..].iter().position(|b| special(*b)).map(|p| at + p)
}

/// Not zero when one of eight bytes is special.
fn special_bytes(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let equal = quote.wrapping_sub(ONES) & !quote | slash.wrapping_sub(ONES) & !slash;
    let beyond = word & (word << 1) & (word << 2) & (word << 3);
    (control | equal | beyond) & HIGHS
}

fn special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= 0xf0
}

fn write_escaped(text: &[u8], mut at: usize, out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let used = escape(special, out);
        rest = special.get(used..).unwrap_or(&[]);
        match first_special(rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
}

/// Writes the first character of `special` escaped; tells how many bytes it had.
fn escape(special: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(byte) = special.first() else {
        return 0;
    };
    let short = match byte {
        b'"' | b'\\' => *byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        0xf0.. => return escape_pair(special, out),
        control => {
            write_unit(u16::from(*control), out);
            return 1;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    1
}

fn escape_pair(special: &[u8], out: &mut Vec<u8>) -> usize {
    let four = special
        .get(..4)
        .and_then(|four| std::str::from_utf8(four).ok());
    let Some(letter) = four.and_then(|text| text.chars().next()) else {
        out.extend_from_slice("\u{fffd}".as_bytes());
        return 1;
    };
    for unit in letter.encode_utf16(&mut [0; 2]) {
        write_unit(*unit, out);
    }
    4
}

fn write_unit(unit: u16, out: &mut Vec<u8>) {
    let digit = |shift: u16| HEX[usize::from((unit >> shift) & 15)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = Vec::new();
        write_text(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    // Written by Kafka Connect 4.3's JsonConverter.
    #[test]
    fn escapes_are_those_of_jackson() {
        assert_eq!(
            quoted("a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}\u{80}é\u{2028}€😀x"),
            "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001F\u{7f}\u{80}é\u{2028}€\\uD83D\\uDE00x\""
        );
        assert_eq!(quoted(""), "\"\"");
    }

    #[test]
    fn a_special_byte_is_found_at_every_place() {
        for special in ["\"", "\\", "\u{0}", "\u{1f}", "😀"] {
            for before in 0..20 {
                let text = format!("{}{special}{}", "é".repeat(before), "x".repeat(20 - before));
                let read: String = serde_json::from_str(&quoted(&text)).unwrap();
                assert_eq!(read, text);
                assert!(quoted(&text).contains('\\'));
            }
        }
    }
}
