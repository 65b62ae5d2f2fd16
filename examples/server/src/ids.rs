//! How are answers and calls called, and when were they made? Names that no two of them share, and the time of day.
//!
//! The clock on the wall may jump. Nothing but what people read is taken from it: deadlines are `Instant`s, and a lint
//! keeps it so (`disallowed-methods` in `clippy.toml`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static N_IDS: AtomicU64 = AtomicU64::new(0);

/// A new name behind `prefix`.
pub(crate) fn new(prefix: &str) -> String {
    name(prefix, since_1970(), N_IDS.fetch_add(1, Ordering::Relaxed))
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    since_1970().as_secs()
}

/// Nothing where the clock is set to earlier.
#[expect(clippy::disallowed_methods, reason = "for names and dates alone")]
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The time and a counter, mixed so that they do not look like either. The counter alone makes names differ in one process,
/// and the time between processes.
fn name(prefix: &str, time: Duration, count: u64) -> String {
    format!("{prefix}{:016x}{:08x}", mix(time.as_nanos() as u64 ^ count.rotate_left(48)), count as u32)
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): one to one.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_differ_whatever_the_clock_does() {
        // It stands still, goes back, and comes to the same times again.
        let times = [5, 5, 4, 0, 5, u64::MAX, 0].map(Duration::from_nanos);
        let names: HashSet<String> =
            times.iter().cycle().zip(0..10_000).map(|(time, count)| name("x_", *time, count)).collect();
        assert_eq!(names.len(), 10_000);
        assert!(names.iter().all(|name| name.len() == 26 && name.starts_with("x_")));
    }
}
