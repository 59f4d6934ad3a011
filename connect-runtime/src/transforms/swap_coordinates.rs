//! Debezium's `SwapGeometryCoordinates`: the first two numbers of every point change places.

use connect_core::{
    Finding, Properties, Result,
    config::{Config, Key, Rules, Width},
};

use super::{
    geometry::{Geometries, OnGeometry},
    shown::{Shown, debezium},
    wkb,
};

connect_core::config! {
    /// Swaps longitudes and latitudes.
    pub(super) struct SwapCoordinatesConfig;
    group "Geometry" {
        /// A comma-separated list of Geometry SRIDs that indicate which geometry fields should be included when swapping coordinates.
        srids: Option<String> = none, "srids", Low;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[(
    "srids",
    Width::Medium,
    "Geometry SRIDs that should be considered for coordinate swapping",
)];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(SwapCoordinatesConfig::keys(), SHOWN)
}

impl SwapCoordinatesConfig {
    fn numbers(&self) -> Result<Vec<i32>, std::num::ParseIntError> {
        match &self.srids {
            None => Ok(vec![4326, 3857, 4269]),
            Some(list) => {
                let list = list.trim_end_matches(',').split(',');
                list.map(|srid| srid.trim().parse()).collect()
            }
        }
    }
}

impl Rules for SwapCoordinatesConfig {
    fn rules(&self) -> Vec<Finding> {
        let given = self.srids.as_deref().unwrap_or_default();
        let why = "A comma-separated list of numbers is expected";
        let wrong = self.numbers().is_err();
        wrong
            .then(|| Finding::invalid("srids", given, why))
            .into_iter()
            .collect()
    }
}

/// The transform.
pub(super) struct SwapCoordinates {
    srids: Vec<i32>,
}

impl SwapCoordinates {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Geometries<Self>, Vec<Finding>> {
        let config = SwapCoordinatesConfig::parse(settings)?;
        let srids = config.numbers().unwrap_or_default();
        Ok(Geometries(Self { srids }))
    }
}

impl OnGeometry for SwapCoordinates {
    const WITHIN_LISTS: bool = true;

    fn change(&mut self, bytes: &[u8], srid: Option<i32>) -> Result<Option<Vec<u8>>> {
        match srid.is_some_and(|srid| self.srids.contains(&srid)) {
            true => wkb::swapped(bytes).map(Some),
            false => Ok(None),
        }
    }
}
