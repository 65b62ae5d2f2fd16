//! Does our slow validator judge random schemas as an independent one does?

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use formwork_tests::universe::{Dice, Size, Trial, Universe};
use formwork_tests::validator::{Draft, Validator};

const N_UNIVERSES: u64 = 60;
const N_SCHEMAS: usize = 8;
const SEED: u64 = 7 << 32;

#[test]
fn our_validator_agrees_with_an_independent_one() {
    let remotes = BTreeMap::new();
    let (mut n_judged, mut differing) = (0, Vec::new());
    for number in 0..N_UNIVERSES {
        let mut dice = Dice::new(SEED + number);
        let universe = Universe::draw(&mut dice, Size::SMALL);
        for _ in 0..N_SCHEMAS {
            let trial = Trial::draw(&universe, &mut dice);
            // Without `$schema` our validator knows keywords of older drafts, which the other one does not.
            if trial.schema.draft == Draft::Unspecified {
                continue;
            }
            let schema = trial.document(false);
            // In 2019-09 `contains` evaluates nothing: `unevaluatedItems` there names `items`, `additionalItems` and
            // itself (Core, section 9.3.1.3). The other validator goes by 2020-12.
            let holds = |keyword: &str| schema.to_string().contains(keyword);
            if trial.schema.draft == Draft::Draft2019 && holds("\"contains\"") && holds("\"unevaluatedItems\"") {
                continue;
            }
            // From 2019-09 on `dependencies` is a keyword of the past: whether it evaluates anything is open.
            if trial.schema.draft >= Draft::Draft2019 && holds("\"dependencies\"") && holds("\"unevaluatedProperties\"")
            {
                continue;
            }
            let ours = Validator::new(&schema, trial.schema.draft, &remotes).asserting_formats();
            let theirs = match jsonschema::options().should_validate_formats(true).build(&schema) {
                Ok(validator) => validator,
                Err(error) => {
                    differing.push(format!("{error}: {schema}"));
                    continue;
                }
            };
            let verdicts = universe.documents.iter().map(|it| (it, ours.is_valid(it).ok(), theirs.is_valid(it)));
            let mut wrong = verdicts.filter(|(_, ours, theirs)| ours.is_some_and(|ours| ours != *theirs));
            n_judged += 1;
            if let Some((document, ours, _)) = wrong.next() {
                differing.push(format!("{document} is {ours:?} by ours: {schema}"));
            }
        }
    }
    assert!(differing.is_empty(), "{} of {n_judged} differ:\n{}", differing.len(), differing.join("\n"));
    assert!(n_judged > 100);
}
