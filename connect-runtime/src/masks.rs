//! Secrets in configurations: hidden where these are shown, and put back where what was shown comes back.
//!
//! Invariant 7. A secret is the value of a property that the connector's plugin calls one, or that sounds like one where the plugin does
//! not know it; and the login in a URL, whatever its property. Placeholders (`${file:…}`) are none, since they tell nothing.

use connect_core::{
    Error, Properties, Result, config::Kind, plugin::Plugin, secret::without_logins,
};

use crate::{
    answers::{ConfigInfos, ConnectorInfo, GivenConfig},
    error::BAD_REQUEST,
    herder::Herder,
    shared::Shared,
};

/// What is shown instead of a secret.
pub(crate) const MASK: &str = "[hidden]";
/// The same within a URL.
const LOGIN_MASK: &str = "://[hidden]@";

/// Whether a property of this name sounds like a secret.
pub(crate) fn sounds_secret(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "password",
        "passphrase",
        "passwd",
        "secret",
        "token",
        "credential",
        "jaas",
        "api.key",
        "apikey",
        "access.key",
        "private.key",
        "keystore.key",
        "user.info",
        "userinfo",
    ];
    let lower = name.to_ascii_lowercase().replace(['_', '-'], ".");
    WORDS.iter().any(|word| lower.contains(word))
}

/// Secrets on their way out and back in.
impl Herder {
    /// A connector without its secrets.
    pub fn without_secrets(&self, mut info: ConnectorInfo) -> ConnectorInfo {
        info.config = self.masked(&info.config);
        info
    }

    /// A configuration of a connector, or of one of its tasks, without its secrets.
    pub fn masked(&self, config: &Properties) -> Properties {
        let masks = Masks::new(&self.shared, config.get("connector.class"));
        let show = |(name, value): (&String, &String)| (name.clone(), masks.shown(name, value));
        config.iter().map(show).collect()
    }

    /// The answer of a validation without secrets that no declaration tells of.
    pub fn validated_without_secrets(&self, mut infos: ConfigInfos) -> ConfigInfos {
        let masks = Masks::new(&self.shared, Some(&infos.name));
        for config in &mut infos.configs {
            if let Some(value) = &config.value.value {
                config.value.value = Some(masks.shown(&config.value.name, value));
            }
        }
        infos
    }

    /// A configuration for a connector as a client sends it: where it has the mask of a secret that is stored, it gets the secret.
    /// 400 when there is none that the mask could stand for.
    pub fn with_secrets(&self, name: &str, given: GivenConfig) -> Result<GivenConfig> {
        let mut given = self.with_known_secrets(name, given);
        let class = given.get("connector.class").cloned().flatten();
        let stored = self.shared.info(name).ok();
        let class = class.or_else(|| stored?.config.get("connector.class").cloned());
        let masks = Masks::new(&self.shared, class.as_ref());
        for (key, value) in &mut given {
            let Some(value) = value else { continue };
            let is_mask = value == MASK && masks.is_secret(key) || value.contains(LOGIN_MASK);
            if is_mask {
                let what = format!(
                    "The value of {key} is the mask of a secret, and no secret is stored that it could stand for: send the secret itself"
                );
                return Err(Error::new(&BAD_REQUEST, what));
            }
        }
        Ok(given)
    }

    /// The same, where masks of nothing stay.
    pub fn with_known_secrets(&self, name: &str, mut given: GivenConfig) -> GivenConfig {
        let Ok(stored) = self.shared.info(name) else {
            return given;
        };
        let masks = Masks::new(&self.shared, stored.config.get("connector.class"));
        for (key, value) in &mut given {
            let (Some(value), Some(kept)) = (value, stored.config.get(key)) else {
                continue;
            };
            let shown = masks.shown(key, kept);
            if shown != *kept && shown == *value {
                value.clone_from(kept);
            }
        }
        given
    }
}

/// Whether a value is the mask of a secret, or has one within.
pub(crate) fn is_masked(value: &str) -> bool {
    value == MASK || value.contains(LOGIN_MASK)
}

/// What is a secret in configurations of a class.
struct Masks<'a> {
    shared: &'a Shared,
    plugin: Option<&'a Plugin>,
}

impl<'a> Masks<'a> {
    fn new(shared: &'a Shared, class: Option<&String>) -> Self {
        let plugin = class.and_then(|class| shared.plugins.find(class));
        Self { shared, plugin }
    }

    fn is_secret(&self, name: &str) -> bool {
        let keys = self.plugin.map(Plugin::keys).unwrap_or_default();
        match keys.iter().find(|key| key.name == name) {
            Some(declared) => declared.kind == Kind::Password,
            None => sounds_secret(name) || self.shared.plugins.is_secret(name),
        }
    }

    fn shown(&self, name: &str, value: &str) -> String {
        if !value.is_empty() && !is_placeholder(value) && self.is_secret(name) {
            return MASK.to_owned();
        }
        without_logins(value).into_owned()
    }
}

/// Whether a value is made of placeholders alone.
fn is_placeholder(value: &str) -> bool {
    let mut rest = value;
    while let Some(inner) = rest.strip_prefix("${") {
        let Some((_, after)) = inner.split_once('}') else {
            return false;
        };
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sound_like_secrets() {
        for name in [
            "database.password",
            "aws_secret_access_key",
            "sasl.jaas.config",
            "value.converter.basic.auth.user.info",
            "apiKey",
            "ssl.keystore.key",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["key.converter", "redis.key.template", "topics", "tasks.max"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }

    #[test]
    fn placeholders_are_no_secrets() {
        assert!(is_placeholder("${file:/run/s:p}") && is_placeholder("${a:b}${c:d}"));
        assert!(!is_placeholder("x${a:b}") && !is_placeholder("${a:b") && !is_placeholder("pw"));
    }
}
