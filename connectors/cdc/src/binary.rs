//! Bytes as texts (`binary.handling.mode`).

/// Two digits a byte, in lower case.
pub fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| {
        [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]
    };
    out.extend(bytes.iter().flat_map(digits));
}

/// The same on its own.
pub fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(bytes.len() * 2);
    push_hex(bytes, &mut digits);
    digits
}

/// Base64 with padding, as Java's encoders write it.
pub fn push_base64(bytes: &[u8], for_addresses: bool, out: &mut Vec<u8>) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |six: u32| match (LETTERS[(six & 63) as usize], for_addresses) {
        (b'+', true) => b'-',
        (b'/', true) => b'_',
        (letter, _) => letter,
    };
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
        let number = number << (8 * (3 - three.len()));
        for place in 0..4 {
            let filled = place <= three.len();
            out.push(if filled {
                letter(number >> (18 - 6 * place))
            } else {
                b'='
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_java() {
        assert_eq!(hex(&[0, 0xff, 0x1a]), b"00ff1a");
        let base64 = |bytes: &[u8], for_addresses| {
            let mut out = Vec::new();
            push_base64(bytes, for_addresses, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(base64(&[0xfb, 0xff], false), "+/8=");
        assert_eq!(base64(&[0xfb, 0xff], true), "-_8=");
        assert_eq!(
            (base64(&[], false), base64(b"abc", false)),
            (String::new(), "YWJj".to_owned())
        );
    }
}
