//! The files of Kafka Connect's own extension for logins: JAAS, which names a file of properties with users and passwords.

use std::{env, fs};

use connect_core::{Error, Result};

use crate::settings::RestConfig;

const OPTION: &str = "-Djava.security.auth.login.config=";

/// The path of the file of users.
pub(crate) fn users_file(config: &RestConfig) -> Result<String> {
    let path = config
        .jaas
        .clone()
        .or_else(|| of_options(&env::var("KAFKA_OPTS").ok()?));
    let Some(path) = path else {
        let what = format!(
            "BasicAuthSecurityRestExtension needs a file of JAAS: name it with rest.jaas.config.file, or as {OPTION}FILE in KAFKA_OPTS"
        );
        return Err(Error::config(what));
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        Error::config(format!("the file of JAAS {path} cannot be read")).caused_by(error)
    })?;
    file_of(&text).ok_or_else(|| {
        Error::config(format!(
            "{path} has no `KafkaConnect {{ …PropertyFileLoginModule required file=\"…\"; }};`"
        ))
    })
}

/// The path in the options of a Java program.
fn of_options(options: &str) -> Option<String> {
    let found = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix(OPTION))?;
    Some(found.trim_matches(['"', '\'']).to_owned())
}

/// The option `file` of the section `KafkaConnect`.
fn file_of(text: &str) -> Option<String> {
    let (_, section) = text.split_once("KafkaConnect")?;
    let (_, section) = section.split_once('{')?;
    let (section, _) = section.split_once('}')?;
    let (_, module) = section.split_once("PropertyFileLoginModule")?;
    let (_, value) = module.split_once("file")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let end = value.strip_prefix('"').map(|quoted| (quoted, '"'));
    let (value, end) = end.unwrap_or((value, ';'));
    let path = value.split(end).next()?.trim();
    (!path.is_empty()).then(|| path.to_owned())
}

/// `name=password` lines. Blanks around both are no part of them.
pub(crate) fn properties(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with(['#', '!']))
        .filter_map(|line| line.split_once(['=', ':']))
        .map(|(name, password)| (name.trim().to_owned(), password.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_jaas_are_read() {
        let text = "Other { x required file=\"no\"; };\nKafkaConnect {\n \
                    org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n file=\"/etc/users\";\n};";
        assert_eq!(file_of(text).as_deref(), Some("/etc/users"));
        assert_eq!(file_of("KafkaConnect { }"), None);
        assert_eq!(
            file_of("KafkaConnect { PropertyFileLoginModule required file="),
            None
        );
        let options = "-Xmx1g -Djava.security.auth.login.config=/etc/jaas.conf";
        assert_eq!(of_options(options).as_deref(), Some("/etc/jaas.conf"));
        assert_eq!(
            properties("# x\nanna = a=b\n\n")[0],
            ("anna".into(), "a=b".into())
        );
    }
}
