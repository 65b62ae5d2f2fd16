//! Is every hostile input compiled, or refused with a typed error? Never a panic, a dead end, or an overflow of the stack.
//!
//! No times are asserted: `cargo run --release -p formwork-tests --bin hostile` measures them against a budget.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use formwork_tests::hostile::{Effort, Outcome, catalogue, measure};
use formwork_tests::vocabulary::SmallVocabulary;

/// In a debug build, some of these inputs take seconds for one text.
const EFFORT: Effort = Effort { n_texts: 1, n_tokens: 10 };

#[test]
fn hostile_inputs_are_compiled_or_refused() {
    let cases = catalogue().unwrap();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    assert_eq!(cases.iter().map(|case| &case.name).collect::<BTreeSet<_>>().len(), cases.len(), "a name twice");
    let vocabulary = Arc::new(SmallVocabulary::complete(500, 1).to_formwork());
    let (mut n_compiled, mut n_masks) = (0, 0);
    for case in &cases {
        let start = std::time::Instant::now();
        let measured = measure(case, &vocabulary, EFFORT).unwrap_or_else(|fault| panic!("{}: {fault}", case.name));
        eprintln!("{}: {:?}, {:.1?}", case.name, measured.outcome, start.elapsed());
        n_compiled += usize::from(!matches!(measured.outcome, Outcome::Refused(..)));
        n_masks += measured.cost.n_masks;
    }
    assert!(n_compiled >= 50 && n_masks >= 300, "{n_compiled} compiled, {n_masks} masks");
}
