//! Base64 with padding, of bytes that are shown as text.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_ADDRESSES: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Appends the text; whether with the alphabet for addresses.
pub fn push(bytes: &[u8], for_addresses: bool, out: &mut Vec<u8>) {
    let alphabet = if for_addresses {
        FOR_ADDRESSES
    } else {
        STANDARD
    };
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        let digit = |shift: u32| alphabet[(bits >> shift & 63) as usize];
        let mut four = [digit(18), digit(12), digit(6), digit(0)];
        four.iter_mut()
            .skip(three.len() + 1)
            .for_each(|digit| *digit = b'=');
        out.extend_from_slice(&four);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_examples_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            let mut out = Vec::new();
            super::push(bytes.as_bytes(), false, &mut out);
            assert_eq!(out, text.as_bytes());
        }
        let mut out = Vec::new();
        super::push(&[0xfb, 0xff], true, &mut out);
        assert_eq!(out, b"-_8=");
    }
}
