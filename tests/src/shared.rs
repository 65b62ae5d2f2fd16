//! Where are the data that are too large for the repository? `../shared` beside it, or `FORMWORK_SHARED`.

use std::path::PathBuf;

/// A folder or file of the shared data; `None`, with a message on standard error, where it is missing.
pub fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FORMWORK_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is missing (set FORMWORK_SHARED to the folder that holds {name})", path.display());
    None
}
