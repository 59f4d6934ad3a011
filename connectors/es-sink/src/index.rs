//! The indices that records go to: their names, their making, their mappings.

use connect_core::{
    Datum, Error, Result, Schema, batch::Row, json::write_string, route::RouteId,
    template::Template,
};
use reqwest::Method;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};

use crate::{
    client::Client,
    config::EsConfig,
    error::{COLLISION, INDEX_NAME, MAPPING_UPDATE, NO_INDEX, PERMISSION},
    mapping,
};

/// An index by its number in [`Indices`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct IndexId(u32);

/// All indices that records went to.
pub(crate) struct Indices {
    template: Template,
    per_topic: bool,
    by_route: FxHashMap<RouteId, IndexId>,
    /// By name as the template gives it.
    by_name: FxHashMap<Vec<u8>, IndexId>,
    /// Which schemas an index's mapping has.
    mapped: FxHashSet<(RouteId, IndexId)>,
    names: Vec<String>,
    json_names: Vec<Vec<u8>>,
    name: Vec<u8>,
}

/// The servers take no longer name.
const LONGEST_NAME: usize = 255;

impl IndexId {
    /// Its place among all names.
    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}

impl Indices {
    /// No index yet.
    pub(crate) fn new(config: &EsConfig) -> Result<Self> {
        let template = config.index_template().map_err(Error::config)?;
        Ok(Self {
            per_topic: template.is_per_topic(),
            template,
            by_route: FxHashMap::default(),
            by_name: FxHashMap::default(),
            mapped: FxHashSet::default(),
            names: Vec::new(),
            json_names: Vec::new(),
            name: Vec::new(),
        })
    }

    /// The index of a record. A new one is created, and one for a new schema gets its fields, if the configuration says so.
    pub(crate) async fn of(
        &mut self,
        row: Row<'_>,
        side: Option<Datum<'_>>,
        config: &EsConfig,
        client: &Client,
    ) -> Result<IndexId> {
        let route = row.route();
        if let (true, Some(known)) = (self.per_topic, self.by_route.get(&route.id())) {
            return Ok(*known);
        }
        self.name.clear();
        let side = side.or_else(|| Some(row.key()));
        self.template
            .render(row, side, &mut self.name)
            .map_err(|err| Error::new(&INDEX_NAME, "the record gives no index").caused_by(err))?;
        let index = match self.by_name.get(&self.name) {
            Some(known) => *known,
            None => self.add()?,
        };
        if !self.mapped.contains(&(route.id(), index)) {
            if config.mapping_create {
                let schema = route.value().filter(|_| !config.schema_ignore);
                ensure(
                    self.name(index),
                    schema.map(|s| mapping::row_of(s)),
                    config,
                    client,
                )
                .await?;
            }
            self.mapped.insert((route.id(), index));
        }
        self.by_route.insert(route.id(), index);
        Ok(index)
    }

    /// Its name.
    pub(crate) fn name(&self, index: IndexId) -> &str {
        self.names.get(index.at()).map_or("", String::as_str)
    }

    /// All names as JSON.
    pub(crate) fn json_names(&self) -> &[Vec<u8>] {
        &self.json_names
    }

    fn add(&mut self) -> Result<IndexId> {
        let given = String::from_utf8_lossy(&self.name).into_owned();
        let name = sanitised(&given).ok_or_else(|| {
            Error::new(&INDEX_NAME, "nothing is left of the index name").context("name", &given)
        })?;
        if self.names.contains(&name) {
            return Err(Error::new(&COLLISION, "two names become the same index")
                .context("name", &given)
                .context("index", &name));
        }
        let index = IndexId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let mut json = Vec::new();
        write_string(name.as_bytes(), &mut json);
        self.json_names.push(json);
        self.names.push(name);
        self.by_name.insert(self.name.clone(), index);
        Ok(index)
    }
}

/// A name that the servers take: lower-case, without the characters they refuse; `None` when nothing is left.
pub(crate) fn sanitised(name: &str) -> Option<String> {
    let refused = |c: char| c.is_control() || c.is_whitespace() || "\\/*?\"<>|,#:".contains(c);
    let clean: String = name
        .to_lowercase()
        .chars()
        .map(|c| if refused(c) { '-' } else { c })
        .collect();
    let mut clean = clean.trim_start_matches(['-', '_', '+', '.']).to_owned();
    while clean.len() > LONGEST_NAME {
        clean.pop();
    }
    (!clean.is_empty()).then_some(clean)
}

/// Creates the index, or adds the fields that it does not have.
async fn ensure(
    name: &str,
    row: Option<&Schema>,
    config: &EsConfig,
    client: &Client,
) -> Result<()> {
    let wanted = row
        .map(|row| mapping::properties(row, config))
        .unwrap_or_default();
    let have = match existing(name, client).await {
        Err(err) if err.code() == &NO_INDEX => match create(name, &wanted, config, client).await? {
            true => return Ok(()),
            // Another task was faster.
            false => existing(name, client).await?,
        },
        // Who may only write cannot look; then the index is as its owner wants it.
        Err(err) if err.code() == &PERMISSION => {
            tracing::warn!(
                index = name,
                "the mapping cannot be read; it is left as it is"
            );
            return Ok(());
        }
        have => have?,
    };
    let missing = mapping::missing(&wanted, &have);
    if missing.is_empty() {
        return Ok(());
    }
    tracing::info!(
        index = name,
        fields = missing.len(),
        "adding fields to the mapping"
    );
    let body = json!({ "properties": missing });
    let done = client
        .json(Method::PUT, &[name, "_mapping"], "", Some(&body))
        .await;
    done.map(drop).map_err(|err| refused(err, name))
}

/// The fields of an index, or of what an alias stands for.
async fn existing(name: &str, client: &Client) -> Result<Map<String, Value>> {
    let answer = client
        .json(Method::GET, &[name, "_mapping"], "", None)
        .await?;
    let first = answer.as_object().and_then(|all| all.values().next());
    let properties = first.and_then(|index| index.get("mappings")?.get("properties")?.as_object());
    Ok(properties.cloned().unwrap_or_default())
}

/// False when it exists by now.
async fn create(
    name: &str,
    wanted: &Map<String, Value>,
    config: &EsConfig,
    client: &Client,
) -> Result<bool> {
    let body = json!({
        "settings": {"index": {"gc_deletes": config.gc_deletes}},
        // A text that looks like a date by chance would make all other texts of its field an error.
        "mappings": {"date_detection": false, "properties": wanted},
    });
    match client.json(Method::PUT, &[name], "", Some(&body)).await {
        Ok(_) => {
            tracing::info!(index = name, "created the index");
            Ok(true)
        }
        Err(err) if err.report().contains("resource_already_exists_exception") => Ok(false),
        Err(err) => Err(refused(err, name)),
    }
}

/// An index or mapping that the server refuses is no record's fault.
fn refused(err: Error, name: &str) -> Error {
    match err.verdict() {
        connect_core::Verdict::Reject => Error::new(
            &MAPPING_UPDATE,
            "the server refused the index or its mapping",
        )
        .context("index", name)
        .caused_by(err),
        _ => err.context("index", name),
    }
}

#[cfg(test)]
mod tests {
    use super::sanitised;

    #[test]
    fn names_become_what_the_servers_take() {
        assert_eq!(
            sanitised("Shop.Public.Orders").as_deref(),
            Some("shop.public.orders")
        );
        assert_eq!(sanitised("_-a b/c*#:d").as_deref(), Some("a-b-c---d"));
        assert_eq!(sanitised("..").as_deref(), None);
        assert_eq!(sanitised(&"é".repeat(200)).unwrap().len(), 254);
    }
}
