//! The declaration itself.

/// Declares a configuration; see [`config`](crate::config) for an example.
///
/// Each line is `field: Type = default, "property.name", Importance;` with the documentation above it. The default is
/// a text that is parsed as if it had been given, `required`, or `none` for an `Option`. Properties that are not
/// declared are kept in the field `rest`.
#[macro_export]
macro_rules! config {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident;
        $(group $group:literal {
            $($(#[doc = $doc:literal])+ $field:ident: $ty:ty = $default:tt, $prop:literal, $importance:ident;)*
        })*
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        $vis struct $name {
            $($($(#[doc = $doc])+ pub $field: $ty,)*)*
            /// Properties that are not declared here.
            pub rest: $crate::config::Properties,
        }

        impl $crate::config::Config for $name {
            fn keys() -> Vec<$crate::config::Key> {
                let mut keys = Vec::new();
                $({
                    let mut order = 0;
                    $({
                        order += 1;
                        keys.push($crate::config::Key {
                            name: $prop,
                            kind: <$ty as $crate::config::ParseValue>::KIND,
                            required: $crate::config!(@required $default),
                            default: $crate::config!(@default $default),
                            importance: $crate::config::Importance::$importance,
                            documentation: concat!($($doc, "\n"),+).trim().replace("\n ", " "),
                            group: Some($group),
                            order,
                            width: <$ty as $crate::config::ParseValue>::WIDTH,
                            display: $prop,
                            allowed: <$ty as $crate::config::ParseValue>::ALLOWED,
                        });
                    })*
                    let _ = order;
                })*
                keys
            }

            fn parse(
                given: &$crate::config::Properties,
            ) -> Result<Self, Vec<$crate::Finding>> {
                let mut findings = Vec::new();
                let known: &[&str] = &[$($($prop),*),*];
                let rest = given
                    .iter()
                    .filter(|(name, _)| !known.contains(&name.as_str()))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                $($(
                    let $field: Option<$ty> =
                        $crate::config!(@read $default, given, $prop, &mut findings);
                )*)*
                let all = (|| Some(Self { $($($field: $field?,)*)* rest }))();
                match all {
                    Some(config) if !findings.iter().any($crate::Finding::is_error) => {
                        findings.extend($crate::config::Rules::rules(&config));
                        if findings.iter().any($crate::Finding::is_error) {
                            return Err(findings);
                        }
                        Ok(config)
                    }
                    _ => Err(findings),
                }
            }
        }
    };
    (@required required) => { true };
    (@required $other:tt) => { false };
    (@default required) => { None };
    (@default none) => { None };
    (@default $text:literal) => { Some($text) };
    (@read required, $given:ident, $prop:literal, $findings:expr) => {
        $crate::config::read_required($given, $prop, $findings)
    };
    (@read none, $given:ident, $prop:literal, $findings:expr) => {
        $crate::config::read_optional($given, $prop, $findings)
    };
    (@read $text:literal, $given:ident, $prop:literal, $findings:expr) => {
        $crate::config::read_default($given, $prop, $text, $findings)
    };
}

/// Declares an enum of allowed values for a property: `choice! { pub enum Mode { Initial = "initial", Never = "never" } }`.
#[macro_export]
macro_rules! choice {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name { $($(#[$doc])* $variant,)+ }

        impl $crate::config::ParseValue for $name {
            const KIND: $crate::config::Kind = $crate::config::Kind::String;
            const ALLOWED: &'static [&'static str] = &[$($text),+];
            fn parse_value(text: &str) -> Result<Self, String> {
                let text = text.trim();
                $(
                    if text.eq_ignore_ascii_case($text) {
                        return Ok(Self::$variant);
                    }
                )+
                Err(format!("String must be one of: {}", Self::ALLOWED.join(", ")))
            }
        }

        impl $name {
            /// The text of the property.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}
