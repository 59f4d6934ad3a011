//! Which server it is, and what it wants to be asked in.

use serde::Deserialize;

/// A product and its version, as `GET /` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    /// Whether it is OpenSearch.
    pub(crate) opensearch: bool,
    /// Its version, such as `9.4.3`; empty when the server does not tell.
    pub(crate) version: String,
}

#[derive(Deserialize)]
struct Root {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    number: String,
    #[serde(default)]
    distribution: String,
}

impl Product {
    /// Reads the answer of `GET /`.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let root: Root = serde_json::from_slice(body).ok()?;
        Some(Self {
            opensearch: root.version.distribution == "opensearch",
            version: root.version.number,
        })
    }

    /// A server that does not tell, such as one that asks for more rights: plain JSON does everywhere.
    pub(crate) fn unknown() -> Self {
        Self {
            opensearch: true,
            version: String::new(),
        }
    }

    /// The first number of its version.
    pub(crate) fn major(&self) -> Option<u32> {
        self.version.split('.').next()?.parse().ok()
    }

    /// The media type of JSON, and of lines of JSON. Elasticsearch since 8 keeps an older behaviour when asked in a type
    /// that names it, so that its upgrades do not break us.
    pub(crate) fn media_types(&self) -> (String, String) {
        match self.major() {
            Some(major) if !self.opensearch && major >= 8 => {
                let with = major.min(9);
                (
                    format!("application/vnd.elasticsearch+json; compatible-with={with}"),
                    format!("application/vnd.elasticsearch+x-ndjson; compatible-with={with}"),
                )
            }
            _ => ("application/json".into(), "application/x-ndjson".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_products_are_known() {
        let opensearch =
            Product::read(br#"{"version":{"distribution":"opensearch","number":"3.8.0"}}"#)
                .unwrap();
        assert!(opensearch.opensearch);
        assert_eq!(opensearch.media_types().0, "application/json");
        let elastic =
            Product::read(br#"{"version":{"number":"9.4.3","build_flavor":"default"}}"#).unwrap();
        assert!(
            elastic
                .media_types()
                .1
                .ends_with("x-ndjson; compatible-with=9")
        );
        let old = Product::read(br#"{"version":{"number":"7.17.0"}}"#).unwrap();
        assert_eq!(old.media_types().1, "application/x-ndjson");
        assert_eq!(Product::read(b"<html>"), None);
    }
}
