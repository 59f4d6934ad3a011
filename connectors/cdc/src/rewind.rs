//! When a source cannot be set back, whatever the place.

use connect_core::{Result, rewind::refused};

/// A snapshot that runs needs the place where it is.
pub fn no_snapshot(is_first: bool, is_incremental: bool) -> Result<()> {
    if is_first {
        return Err(refused(
            "its snapshot is not complete, and needs the place where it is. Let it complete first, or delete the offsets to begin anew",
        ));
    }
    if is_incremental {
        return Err(refused(
            "an incremental snapshot is running, and needs the place where it is. Let it complete first, or end it with the signal \
             `stop-snapshot`",
        ));
    }
    Ok(())
}
