//! Bytes for people and back.

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_core::{Error, Result};
use serde_json::{Value, json};

use crate::error::BAD_REQUEST;

/// JSON where writing it again gives the same bytes, else text, else base64; null for none.
pub(super) fn show(bytes: Option<&[u8]>) -> Value {
    let Some(bytes) = bytes else {
        return Value::Null;
    };
    let parsed = serde_json::from_slice::<Value>(bytes).ok();
    let same = parsed.filter(|value| value.to_string().as_bytes() == bytes);
    match (same, std::str::from_utf8(bytes)) {
        (Some(value), _) => json!({ "json": value }),
        (None, Ok(text)) => json!({ "text": text }),
        (None, Err(_)) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

/// The bytes that an edit means, in the forms of [`show`].
pub(super) fn read(given: &Value) -> Result<Option<Vec<u8>>> {
    let wrong = || {
        let what = "A key, value or header of a dead letter has to be null, {\"json\": …}, {\"text\": \"…\"} or {\"base64\": \"…\"}";
        Error::new(&BAD_REQUEST, what)
    };
    if given.is_null() {
        return Ok(None);
    }
    let object = given.as_object().filter(|o| o.len() == 1);
    let (form, value) = object.and_then(|o| o.iter().next()).ok_or_else(wrong)?;
    match (form.as_str(), value) {
        ("json", value) => Ok(Some(value.to_string().into_bytes())),
        ("text", Value::String(text)) => Ok(Some(text.clone().into_bytes())),
        ("base64", Value::String(text)) => STANDARD.decode(text).map(Some).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        for bytes in [
            &br#"{"b":1.10,"a":12345678901234567890123}"#[..],
            br#"{ "spaced": true }"#,
            b"plain",
            b"",
            &[0xff, 0x00],
        ] {
            assert_eq!(read(&show(Some(bytes))).unwrap().as_deref(), Some(bytes));
        }
        assert_eq!(read(&show(None)).unwrap(), None);
    }

    #[test]
    fn what_is_no_content_is_refused() {
        for given in [
            json!("x"),
            json!({"text": 1}),
            json!({"base64": "*"}),
            json!({}),
        ] {
            assert!(read(&given).is_err(), "{given}");
        }
    }
}
