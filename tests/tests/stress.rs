//! Do threads disturb each other? A counted share of what the program `stress` does for as long as asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork_tests::stress::{Effort, Stress};

#[test]
fn threads_see_what_one_thread_sees() {
    let mut stress = Stress::new();
    for seed in 0..4 {
        stress.round(Effort { n_threads: 16, n_actions: 100 }, seed);
    }
    let counters = stress.counters();
    eprintln!("{counters}");
    // Every kind of action was taken, and caches were full.
    for (name, least) in [
        ("observations compared", 3_000),
        ("masks", 1_000),
        ("masks in batches", 300),
        ("compilations", 200),
        ("completions", 200),
        ("rollbacks", 200),
        ("forks", 200),
        ("caches started anew", 100),
    ] {
        assert!(counters.get(name) >= least, "{name}: {counters}");
    }
}
