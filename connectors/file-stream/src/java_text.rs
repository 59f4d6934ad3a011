//! A value as Java's `toString` shows it, which is what `FileStreamSink` writes: `null`, `Struct{a=1,b=x}`, `{a=1}`, `[1, 2]`.

use connect_core::{Datum, datum::View};

/// Appends a value.
pub(crate) fn write(out: &mut String, value: Datum<'_>) {
    match value.view() {
        View::Null | View::Absent => out.push_str("null"),
        View::Struct => of_struct(out, value),
        View::Map => of_map(out, value),
        View::Array => of_array(out, value),
        View::Bytes(bytes, _) => {
            // Java shows the address of an object here, which tells nothing.
            bytes
                .iter()
                .for_each(|byte| out.push_str(&format!("{byte:02x}")));
        }
        View::Float(number) => out.push_str(&float(number)),
        _ => out.push_str(&value.text().unwrap_or_default()),
    }
}

/// `1.0` where Rust writes `1`; exponents as Java has them.
fn float(number: f64) -> String {
    let size = number.abs();
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("{sign}Infinity");
    }
    if size != 0.0 && !(1e-3..1e7).contains(&size) {
        let text = format!("{number:E}");
        let (digits, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        return format!("{digits}{point}E{exponent}");
    }
    format!("{number:?}")
}

/// Fields that are null are left out.
fn of_struct(out: &mut String, value: Datum<'_>) {
    out.push_str("Struct{");
    let mut first = true;
    for (name, field) in value.entries() {
        if field.is_null() || field.is_absent() {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        out.push_str(&name);
        out.push('=');
        write(out, field);
    }
    out.push('}');
}

fn of_map(out: &mut String, value: Datum<'_>) {
    out.push('{');
    for (at, (name, entry)) in value.entries().into_iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(&name);
        out.push('=');
        write(out, entry);
    }
    out.push('}');
}

fn of_array(out: &mut String, value: Datum<'_>) {
    out.push('[');
    for (at, item) in value.items().into_iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write(out, item);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use connect_core::Value;

    use super::*;

    #[test]
    fn values_are_shown_as_java_shows_them() {
        let shown = |value: &Value| {
            let mut out = String::new();
            write(&mut out, Datum::of_value(None, value));
            out
        };
        let text = |text: &str| Value::Str(text.to_owned());
        assert_eq!(shown(&Value::Null), "null");
        assert_eq!(shown(&text("a b")), "a b");
        assert_eq!(shown(&Value::Float(1.0)), "1.0");
        assert_eq!(shown(&Value::Float(1e7)), "1.0E7");
        assert_eq!(shown(&Value::Float(1.5e-4)), "1.5E-4");
        let map = Value::Map(vec![
            ("a".into(), Value::Int(1)),
            ("b".into(), Value::Array(vec![text("x"), Value::Bool(true)])),
        ]);
        assert_eq!(shown(&map), "{a=1, b=[x, true]}");
    }
}
