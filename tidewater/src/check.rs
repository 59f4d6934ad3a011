//! `tidewater check`: lints a connector's configuration and tests its connections before it runs.

use std::{io::Read, process::ExitCode};

use connect_core::{Finding, Properties, plugin::Plugin};
use serde_json::Value;

use crate::{Failure, cli::Check, plugins};

/// Prints every finding; ends with 1 when one of them is an error.
pub(crate) async fn run(options: &Check) -> Result<ExitCode, Failure> {
    let config = properties(&read(options)?)?;
    let Some(class) = config.get("connector.class") else {
        return Err("the configuration has no \"connector.class\"".into());
    };
    let all = plugins::all();
    let Some(plugin) = all.iter().find(|p| p.answers_to(class)) else {
        let known: Vec<&str> = all.iter().map(|p| p.about.class).collect();
        return Err(format!(
            "no connector is called {class}; there are: {}",
            known.join(", ")
        )
        .into());
    };
    let findings = findings(plugin, &config, options.offline).await;
    for finding in &findings {
        println!("{}", line(finding));
    }
    let errors = findings.iter().filter(|f| f.is_error()).count();
    let warnings = findings.len() - errors;
    let how = if options.offline {
        "properties"
    } else {
        "properties and connections"
    };
    println!(
        "{}: {how} checked, {errors} error(s), {warnings} warning(s)",
        plugin.about.class
    );
    Ok(if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn findings(plugin: &Plugin, config: &Properties, offline: bool) -> Vec<Finding> {
    match offline {
        true => plugin.validate(config),
        false => plugin.check(config).await,
    }
}

fn line(finding: &Finding) -> String {
    let grade = if finding.is_error() {
        "error"
    } else {
        "warning"
    };
    match finding.key.as_str() {
        "" => format!("{grade}: {}", finding.message),
        key => format!("{grade}: {key}: {}", finding.message),
    }
}

fn read(options: &Check) -> Result<String, Failure> {
    let mut text = String::new();
    if options.file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(&options.file)
        .map_err(|error| format!("{}: {error}", options.file.display()).into())
}

/// The flat configuration, out of `{"name": …, "config": {…}}` or as it is.
fn properties(text: &str) -> Result<Properties, Failure> {
    let parsed: Value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    let inner = parsed
        .get("config")
        .filter(|c| c.is_object())
        .unwrap_or(&parsed);
    let Some(entries) = inner.as_object() else {
        return Err("the configuration must be a JSON object".into());
    };
    let mut config = Properties::new();
    for (name, value) in entries {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => {
                return Err(
                    format!("{name}: the value must be text, a number or a boolean").into(),
                );
            }
        };
        config.insert(name.clone(), text);
    }
    if let Some(name) = parsed.get("name").and_then(Value::as_str) {
        config
            .entry("name".to_owned())
            .or_insert_with(|| name.to_owned());
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_configuration_are_read() {
        let posted = properties(r#"{"name":"n","config":{"tasks.max":1}}"#).unwrap();
        assert_eq!(posted["tasks.max"], "1");
        assert_eq!(posted["name"], "n");
        assert_eq!(properties(r#"{"a":"b"}"#).unwrap()["a"], "b");
        assert!(properties("[1]").is_err());
        assert!(properties("{").is_err());
    }
}
