//! Debezium's `GeometryFormatTransformer`: geometries with their SRID within the bytes, or without.

use connect_core::{
    Error, Finding, Properties, Result,
    config::{Config, Key, Rules, Width},
};

use super::{
    geometry::{Geometries, OnGeometry},
    shown::{Shown, debezium},
    wkb,
};

connect_core::choice! {
    /// Forms of geometries.
    pub(super) enum Format {
        /// Well-Known Binary.
        Wkb = "wkb",
        /// The same with an SRID, as PostGIS has it.
        Ewkb = "ewkb",
    }
}

connect_core::config! {
    /// Puts SRIDs into geometries, or takes them out.
    pub(super) struct GeometryFormatConfig;
    group "Geometry" {
        /// The target Geometry format to convert to. Options are 'wkb' and 'ewkb'
        format: Format = "wkb", "format", Low;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[("format", Width::Medium, "Target Format")];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(GeometryFormatConfig::keys(), SHOWN)
}

impl Rules for GeometryFormatConfig {}

/// The transform. It does what Debezium's does, not what the property says: an SRID that is there is taken out, and with `wkb` one that
/// is not there is put in, until the first geometry that has one; from then on (and with `ewkb`) none is put in.
pub(super) struct GeometryFormat {
    puts_in: bool,
}

impl GeometryFormat {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Geometries<Self>, Vec<Finding>> {
        let config = GeometryFormatConfig::parse(settings)?;
        let puts_in = config.format == Format::Wkb;
        Ok(Geometries(Self { puts_in }))
    }
}

impl OnGeometry for GeometryFormat {
    const WITHIN_LISTS: bool = false;

    fn change(&mut self, bytes: &[u8], srid: Option<i32>) -> Result<Option<Vec<u8>>> {
        if wkb::is_extended(bytes) {
            self.puts_in = false;
            return wkb::without_srid(bytes).map(Some);
        }
        if !self.puts_in {
            return Ok(None);
        }
        let srid = srid.ok_or_else(|| {
            Error::record("A geometry without SRID cannot become EWKB: set format=ewkb to leave it")
        })?;
        wkb::with_srid(bytes, srid).map(Some)
    }
}
