//! Which crate may depend on which: the arrows of the map.
//!
//! `connect-core ← {connect-log, connect-codec, connect-tls, connectors} ← connect-runtime ← api ← tidewater`. Dev-dependencies are
//! free.

use crate::workspace::Package;

const CORE: &[&str] = &["connect-core"];
/// A crate of the workspace and the crates of the workspace it may depend on.
const WALLS: &[(&str, &[&str])] = &[
    ("connect-core", &[]),
    ("connect-log", &["connect-core", "connect-tls"]),
    ("connect-codec", &["connect-core", "connect-tls"]),
    ("connect-tls", CORE),
    ("cdc", CORE),
    (
        "connect-runtime",
        &["connect-core", "connect-log", "connect-codec"],
    ),
    ("api", &["connect-core", "connect-runtime"]),
    ("stack", &[]),
    ("xtask", &["stack"]),
];
const CONNECTOR: &[&str] = &["connect-core", "connect-tls", "cdc"];

/// Libraries that one crate hides from the others.
const HIDDEN: &[(&str, &str)] = &[
    ("rdkafka", "connect-log"),
    ("rusqlite", "connect-log"),
    ("kafka-protocol", "connect-log"),
];

/// Every dependency that points through a wall.
pub(crate) fn broken(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            let ours = packages.iter().any(|other| other.name == *dependency);
            if ours && allowed(package).is_some_and(|some| !some.contains(&dependency.as_str())) {
                broken.push(format!("{} must not depend on {dependency}", package.name));
            }
            let owner = HIDDEN.iter().find(|(library, _)| library == dependency);
            if let Some((library, owner)) = owner.filter(|(_, owner)| *owner != package.name) {
                broken.push(format!(
                    "{} must not depend on {library}: only {owner} may",
                    package.name
                ));
            }
        }
    }
    broken
}

/// What the crate may depend on; everything when `None`.
fn allowed(package: &Package) -> Option<&'static [&'static str]> {
    let own = WALLS
        .iter()
        .find(|(name, _)| *name == package.name)
        .map(|(_, some)| *some);
    own.or_else(|| {
        package
            .folder
            .starts_with("connectors")
            .then_some(CONNECTOR)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies.iter().map(|name| (*name).to_owned()).collect();
        Package {
            name: name.into(),
            folder: folder.into(),
            dependencies,
        }
    }

    #[test]
    fn names_the_arrows_that_point_the_wrong_way() {
        let packages = [
            package("connect-core", "connect-core", &["connect-log", "serde"]),
            package("connect-log", "connect-log", &["connect-core", "rdkafka"]),
            package("cdc", "connectors/cdc", &["connect-core"]),
            package(
                "redis-sink",
                "connectors/redis-sink",
                &["cdc", "connect-log"],
            ),
            package("tidewater", "tidewater", &["redis-sink", "rusqlite"]),
        ];
        let expected = [
            "connect-core must not depend on connect-log",
            "redis-sink must not depend on connect-log",
            "tidewater must not depend on rusqlite: only connect-log may",
        ];
        assert_eq!(broken(&packages), expected);
    }
}
