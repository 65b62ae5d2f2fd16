//! What was reached before? Recorded counts that may only improve.
//!
//! A baseline is a JSON file in `tests/data/baseline`. A run that is worse anywhere fails and says where; a better one
//! passes and says that the file should be recorded anew: `FORMWORK_BASELINE=write cargo test -p formwork-tests`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::suite::Counts;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/baseline").join(format!("{name}.json"))
}

/// Compares counts by key with the recorded ones, or records them.
///
/// # Panics
/// When a key is worse than recorded, when a recorded key is missing, or when there is no record.
pub fn check(name: &str, counts: &BTreeMap<String, Counts>) {
    let path = path(name);
    if std::env::var_os("FORMWORK_BASELINE").is_some_and(|value| value == "write") {
        let text = serde_json::to_string_pretty(counts).expect("counts are JSON");
        fs::write(&path, text + "\n").expect("the baseline can be written");
        return;
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let recorded: BTreeMap<String, Counts> = serde_json::from_str(&text).expect("the baseline is as it was written");
    let mut worse = Vec::new();
    let mut n_better = 0;
    for (key, before) in &recorded {
        match counts.get(key) {
            Some(now) if is_worse(*now, *before) => worse.push(format!("{key}: {before:?} -> {now:?}")),
            Some(now) => n_better += usize::from(now != before),
            None => worse.push(format!("{key}: missing")),
        }
    }
    assert!(worse.is_empty(), "{name} got worse:\n{}", worse.join("\n"));
    if n_better > 0 {
        eprintln!("{name}: {n_better} keys are better than recorded; record them with FORMWORK_BASELINE=write");
    }
}

fn is_worse(now: Counts, before: Counts) -> bool {
    now.right < before.right
        || now.wrong_accept > before.wrong_accept
        || now.wrong_reject > before.wrong_reject
        || now.panicked > before.panicked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusing_what_was_right_is_worse_and_judging_what_was_refused_is_not() {
        let before = Counts { cases: 3, right: 2, unsupported: 1, ..Counts::default() };
        assert!(is_worse(Counts { right: 1, unsupported: 2, ..before }, before));
        assert!(!is_worse(Counts { right: 3, unsupported: 0, ..before }, before));
        assert!(is_worse(Counts { wrong_accept: 1, unsupported: 0, ..before }, before));
    }
}
