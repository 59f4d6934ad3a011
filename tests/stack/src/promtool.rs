//! Prometheus' own checker of expressions and of what is read.

use std::path::PathBuf;

use crate::{
    Result,
    install::prefix::{Packages, bin},
};

/// The folder's name in the cache.
pub const PROMTOOL: &str = "promtool-1";

/// The program, from Debian's package of Prometheus without what its pages need.
pub fn promtool() -> Result<PathBuf> {
    let prefix = Packages {
        name: PROMTOOL,
        suite: "bookworm",
        packages: &["libc6"],
        alone: &["prometheus"],
        links: &[],
    }
    .install()?;
    Ok(bin(&prefix).join("promtool"))
}
