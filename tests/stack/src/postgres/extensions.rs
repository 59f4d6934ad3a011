//! Servers with extensions that have packages of their own.
//!
//! Of PostGIS the part without rasters and solids: their libraries are larger than the server.

use super::PgVersion;
use crate::install::prefix::Packages;

/// The server with PostGIS and, where Debian has it, pgvector.
pub(super) fn packages(version: PgVersion) -> Packages {
    match version {
        PgVersion::V15 => Packages {
            name: "postgres15-extensions",
            suite: "bookworm",
            packages: &[
                "postgresql-15",
                "postgresql-client-15",
                "libgeos-c1v5",
                "libjson-c5",
                "libproj25",
                "libprotobuf-c1",
            ],
            alone: &["postgresql-15-postgis-3", "postgresql-15-postgis-3-scripts"],
            links: &[(
                "usr/share/postgresql/15/extension/postgis.control",
                "postgis-3.control",
            )],
        },
        PgVersion::V18 => Packages {
            name: "postgres18-extensions",
            suite: "sid",
            packages: &[
                "postgresql-18",
                "postgresql-client-18",
                "libgeos-c1t64",
                "libjson-c5",
                "libproj25",
                "libprotobuf-c1",
            ],
            alone: &[
                "postgresql-18-postgis-3",
                "postgresql-18-postgis-3-scripts",
                "postgresql-18-pgvector",
            ],
            links: &[(
                "usr/share/postgresql/18/extension/postgis.control",
                "postgis-3.control",
            )],
        },
    }
}
