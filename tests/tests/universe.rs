//! Are masks exact for every keyword? A seeded share of what the program `universe` compares.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork_tests::universe::{Counts, Dice, Outcome, Size, Trial, Universe, shrink};

const N_UNIVERSES: u64 = 60;
const N_SCHEMAS: usize = 8;
const SEED: u64 = 20_261_121 << 32;

/// Every keyword that asserts or applies something.
const KEYWORDS: [&str; 46] = [
    "$anchor",
    "$dynamicRef",
    "$id",
    "$recursiveRef",
    "$ref",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "then",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "$dynamicAnchor",
];

#[test]
fn masks_agree_with_enumerated_languages() {
    let mut counts = Counts::default();
    for number in 0..N_UNIVERSES {
        let mut dice = Dice::new(SEED + number);
        let universe = Universe::draw(&mut dice, Size::SMALL);
        for _ in 0..N_SCHEMAS {
            let trial = Trial::draw(&universe, &mut dice);
            let outcome = trial.run(number);
            if let Outcome::Failed(failure) = &outcome {
                let shown = shrink(&trial).unwrap_or_else(|| failure.clone());
                panic!(
                    "{:?} keys: {}\n{}\nfound as {}",
                    universe.key_order, shown.what, shown.document, failure.document
                );
            }
            counts.add(&trial.schema, &outcome);
        }
    }
    eprint!("{counts}");
    for keyword in KEYWORDS {
        assert!(counts.keywords.contains_key(keyword), "{keyword} was not tried");
    }
}
