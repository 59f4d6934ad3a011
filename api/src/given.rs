//! Configurations as clients send them: scalars of any JSON type count as text.

use connect_runtime::answers::GivenConfig;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

/// A flat object of scalars; null stays null.
#[derive(Debug, Default)]
pub(crate) struct FlatConfig(pub(crate) GivenConfig);

impl<'de> Deserialize<'de> for FlatConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Map::deserialize(deserializer)?;
        let entries = given.into_iter().map(|(name, value)| match value {
            Value::Null => Ok((name, None)),
            Value::String(text) => Ok((name, Some(text))),
            Value::Bool(_) | Value::Number(_) => Ok((name, Some(value.to_string()))),
            Value::Array(_) | Value::Object(_) => Err(D::Error::custom(format!(
                "the value of {name:?} must be text, a number or a boolean"
            ))),
        });
        Ok(Self(entries.collect::<Result<_, _>>()?))
    }
}

/// A query flag as Kafka Connect reads it: only `true` is true.
pub(crate) fn flag(text: Option<&str>) -> bool {
    text.is_some_and(|t| t.eq_ignore_ascii_case("true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_count_as_text_and_nested_values_are_refused() {
        let given: FlatConfig =
            serde_json::from_str(r#"{"a":1,"b":true,"c":null,"d":"x","e":1.50}"#).unwrap();
        let text = |name: &str| given.0[name].clone();
        assert_eq!(text("a").as_deref(), Some("1"));
        assert_eq!(text("b").as_deref(), Some("true"));
        assert_eq!(text("c"), None);
        assert_eq!(text("d").as_deref(), Some("x"));
        assert_eq!(text("e").as_deref(), Some("1.50"));
        assert!(serde_json::from_str::<FlatConfig>(r#"{"a":{}}"#).is_err());
    }
}
