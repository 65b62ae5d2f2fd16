//! Is every hostile input compiled, or refused with a typed error? Never a panic, a dead end, or an overflow of the stack.
//!
//! No times are asserted: `cargo run --release -p formwork-tests --bin hostile` measures them against a budget.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use formwork_tests::hostile::{Outcome, catalogue, measure};
use formwork_tests::vocabulary::SmallVocabulary;

const N_TOKENS: usize = 12;

#[test]
fn hostile_inputs_are_compiled_or_refused() {
    let cases = catalogue().unwrap();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    assert_eq!(cases.iter().map(|case| &case.name).collect::<BTreeSet<_>>().len(), cases.len(), "a name twice");
    let vocabulary = Arc::new(SmallVocabulary::complete(500, 1).to_formwork());
    let (mut n_compiled, mut n_masks) = (0, 0);
    for case in &cases {
        let start = std::time::Instant::now();
        let measured = measure(case, &vocabulary, N_TOKENS).unwrap_or_else(|fault| panic!("{}: {fault}", case.name));
        eprintln!("{}: {:?}, {:.1?}", case.name, measured.outcome, start.elapsed());
        n_compiled += usize::from(!matches!(measured.outcome, Outcome::Refused(..)));
        n_masks += measured.cost.n_masks;
    }
    assert!(n_compiled >= 50 && n_masks >= 1_000, "{n_compiled} compiled, {n_masks} masks");
}
