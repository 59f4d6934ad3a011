//! Short form by default, long form when the suite is asked for.

/// Whether the long form of the suites was asked for (`cargo xtask test chaos`).
pub fn is_long() -> bool {
    std::env::var_os("TIDEWATER_SUITE").is_some()
}

/// How many rounds: `short` in the default run, `long` in the suite's own.
pub fn rounds(short: u32, long: u32) -> u32 {
    if is_long() { long } else { short }
}
