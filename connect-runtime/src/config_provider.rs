//! `${provider:path:key}` placeholders: stored as they are, resolved when a configuration is used (KIP-297).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use connect_core::{Error, Properties, Result};

use crate::{error::PLACEHOLDER, worker_config::WorkerConfig};

/// The providers of this worker.
#[derive(Debug)]
pub(crate) struct Providers(BTreeMap<String, Provider>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Provider {
    kind: Kind,
    /// Only paths below these may be read; empty for any.
    allowed: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `${file:/path:key}`: a key of a Java properties file.
    File,
    /// `${dir:/path:name}`: the contents of a file in a folder.
    Directory,
    /// `${env:NAME}` (`${env::NAME}`): an environment variable.
    Env,
}

impl Providers {
    /// `file`, `dir`, `directory` and `env`, and those that `config.providers` names.
    pub(crate) fn new(config: &WorkerConfig) -> Result<Self> {
        let standard = [
            ("file", Kind::File),
            ("dir", Kind::Directory),
            ("directory", Kind::Directory),
            ("env", Kind::Env),
        ];
        let mut all: BTreeMap<String, Provider> = standard
            .into_iter()
            .map(|(name, kind)| {
                (
                    name.to_owned(),
                    Provider {
                        kind,
                        allowed: Vec::new(),
                    },
                )
            })
            .collect();
        for name in &config.config_providers.0 {
            let settings = config.under(&format!("config.providers.{name}."));
            let class = settings.get("class").map_or(name.as_str(), String::as_str);
            let kind = Kind::of(class).or_else(|| all.get(name).map(|p| p.kind)).ok_or_else(|| {
                let what = format!("Invalid value {class} for configuration config.providers.{name}.class: \
                    no such provider; there are FileConfigProvider, DirectoryConfigProvider and EnvVarConfigProvider");
                Error::config(what)
            })?;
            let paths = settings
                .get("param.allowed.paths")
                .map_or("", String::as_str);
            let allowed = paths.split(',').map(str::trim).filter(|p| !p.is_empty());
            all.insert(
                name.clone(),
                Provider {
                    kind,
                    allowed: allowed.map(PathBuf::from).collect(),
                },
            );
        }
        Ok(Self(all))
    }

    /// The properties with every placeholder of a known provider replaced.
    pub(crate) fn resolve(&self, given: &Properties) -> Result<Properties> {
        let resolved = given.iter().map(|(name, value)| {
            let value = self.text(value).map_err(|e| e.context("property", name))?;
            Ok((name.clone(), value))
        });
        resolved.collect()
    }

    fn text(&self, text: &str) -> Result<String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some(at) = rest.find("${") {
            let (before, after) = rest.split_at(at);
            let Some(end) = after.find('}') else { break };
            let inside = &after[2..end];
            out.push_str(before);
            match self.placeholder(inside)? {
                Some(value) => out.push_str(&value),
                None => out.push_str(&after[..=end]),
            }
            rest = &after[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `None` when no provider has this name: then the text stays, as `${topic}` of a transform has to.
    fn placeholder(&self, inside: &str) -> Result<Option<String>> {
        let Some((name, rest)) = inside.split_once(':') else {
            return Ok(None);
        };
        let Some(provider) = self.0.get(name) else {
            return Ok(None);
        };
        let (path, key) = rest.rsplit_once(':').unwrap_or(("", rest));
        provider.read(path, key).map(Some)
    }
}

impl Kind {
    fn of(class: &str) -> Option<Self> {
        match class.rsplit('.').next()? {
            "FileConfigProvider" => Some(Self::File),
            "DirectoryConfigProvider" => Some(Self::Directory),
            "EnvVarConfigProvider" => Some(Self::Env),
            _ => None,
        }
    }
}

impl Provider {
    // Invariant 7: an error names the place, never what stands there.
    fn read(&self, path: &str, key: &str) -> Result<String> {
        match self.kind {
            Kind::Env => std::env::var(key)
                .map_err(|_| missing(format!("the environment has no variable {key}"))),
            Kind::Directory => {
                let file = self.allowed(&Path::new(path).join(key))?;
                std::fs::read_to_string(&file)
                    .map_err(|e| missing(format!("{} cannot be read", file.display())).caused_by(e))
            }
            Kind::File => {
                let file = self.allowed(Path::new(path))?;
                let text = std::fs::read_to_string(&file)
                    .map_err(|e| missing(format!("{path} cannot be read")).caused_by(e))?;
                java_property(&text, key)
                    .ok_or_else(|| missing(format!("{path} has no property {key}")))
            }
        }
    }

    fn allowed(&self, path: &Path) -> Result<PathBuf> {
        let climbs = path
            .components()
            .any(|c| c == std::path::Component::ParentDir);
        let inside = self.allowed.iter().any(|root| path.starts_with(root));
        if self.allowed.is_empty() || (inside && !climbs) {
            return Ok(path.to_owned());
        }
        Err(missing(format!(
            "{} is outside of allowed.paths",
            path.display()
        )))
    }
}

fn missing(what: String) -> Error {
    Error::new(&PLACEHOLDER, what)
}

/// A key of a Java properties file: `key=value`, `key: value`, `#` and `!` comments, `\` escapes in values.
fn java_property(text: &str, key: &str) -> Option<String> {
    text.lines()
        .map(str::trim)
        .filter(|l| !l.starts_with(['#', '!']))
        .find_map(|line| {
            let at = line.find(['=', ':', ' '])?;
            let (name, rest) = line.split_at(at);
            let value = rest
                .trim_start()
                .trim_start_matches(['=', ':'])
                .trim_start();
            (name == key).then(|| unescaped(value))
        })
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers(given: &[(&str, &str)]) -> Providers {
        let given = given
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Providers::new(&WorkerConfig::read(&given).unwrap()).unwrap()
    }

    #[test]
    fn files_folders_and_variables_are_read() {
        let dir = std::env::temp_dir().join(format!("providers-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("secret.properties");
        std::fs::write(&file, "# note\nuser = joe\npassword=a\\=b:c\n").unwrap();
        let text = format!(
            "${{file:{0}:user}}/${{file:{0}:password}}/${{dir:{1}:secret.properties}}/${{env:PATH}}",
            file.display(),
            dir.display()
        );
        let resolved = providers(&[]).text(&text).unwrap();
        assert!(resolved.starts_with("joe/a=b:c/# note"), "{resolved}");
        assert!(!resolved.contains("${"), "{resolved}");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_no_provider_knows_stays() {
        let providers = providers(&[]);
        for text in ["${topic}", "${other:x}", "$1-${unclosed", "}${", "a"] {
            assert_eq!(providers.text(text).unwrap(), text);
        }
    }

    #[test]
    fn a_missing_place_is_an_error_and_paths_can_be_fenced() {
        let fenced = providers(&[
            ("config.providers", "f"),
            (
                "config.providers.f.class",
                "org.apache.kafka.common.config.provider.FileConfigProvider",
            ),
            ("config.providers.f.param.allowed.paths", "/data"),
        ]);
        for text in [
            "${env:NO_SUCH_VARIABLE_HERE}",
            "${file:/nope:x}",
            "${f:/etc/passwd:x}",
            "${f:/data/../etc/passwd:x}",
        ] {
            assert!(fenced.text(text).is_err(), "{text}");
        }
    }
}
