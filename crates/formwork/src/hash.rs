//! How are keys of tables hashed? By `ahash`, with keys that are drawn once for the process.
//!
//! Compiling a schema makes some forty tables. Each with keys of its own would take longer to make than most are in use;
//! none with fixed keys would let a schema's author choose names that collide.

use std::collections;
use std::hash::BuildHasher;
use std::sync::OnceLock;

use ahash::{AHasher, RandomState};
use indexmap::IndexSet;

/// A table of this crate.
pub(crate) type HashMap<K, V> = collections::HashMap<K, V, Seeded>;
/// A set of this crate.
pub(crate) type HashSet<T> = collections::HashSet<T, Seeded>;
/// Values that are held once each, and numbered in the order in which they came. None is hashed again when the table grows.
pub(crate) type Numbered<T> = IndexSet<T, Seeded>;

/// Hashes with the keys of the process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seeded;

impl BuildHasher for Seeded {
    type Hasher = AHasher;

    fn build_hasher(&self) -> AHasher {
        static STATE: OnceLock<RandomState> = OnceLock::new();
        STATE.get_or_init(RandomState::new).build_hasher()
    }
}
