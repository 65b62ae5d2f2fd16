//! What has a fuzzer or a stress test done so far? Counts by name: one whose counts stand still is idle.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by name.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    counts: BTreeMap<&'static str, u64>,
}

impl Counters {
    /// Nothing counted yet.
    pub const fn new() -> Counters {
        Counters { counts: BTreeMap::new() }
    }

    /// Counts `n` more.
    pub fn count(&mut self, name: &'static str, n: usize) {
        *self.counts.entry(name).or_default() += n as u64;
    }

    /// How many there are.
    pub fn get(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// Adds `other`.
    pub fn plus(&mut self, other: &Counters) {
        other.counts.iter().for_each(|(name, n)| *self.counts.entry(name).or_default() += n);
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self.counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
        f.write_str(&counts.join(", "))
    }
}
