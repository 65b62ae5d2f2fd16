//! Does the engine judge a sample of MaskBench at least as well as recorded, and accept nothing wrongly?
//!
//! Bytes only: no masks, so that a debug build runs it in seconds. The whole data with masks is `maskbench`'s work.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use formwork::grammar::KeyOrder;
use formwork::json_schema::SchemaOptions;
use formwork::{Compiler, Grammar};
use formwork_bench::data::{self, Case};
use formwork_tests::suite::Counts;
use formwork_tests::vocabulary::SmallVocabulary;
use formwork_tests::{baseline, shared};

const N_SCHEMAS: usize = 300;
const SEED: u64 = 20_261_120;

/// Counts schemas, as `maskbench` does.
#[test]
fn a_sample_is_no_worse_and_nothing_is_wrongly_accepted() {
    let Some(folder) = shared::shared("maskbench") else { return };
    let cases = data::sample(data::read_cases(&[folder]).unwrap(), N_SCHEMAS, SEED);
    let compiler = Compiler::builder(SmallVocabulary::bytes().to_formwork()).cached_grammars(0).build();
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for text in cases {
        let case = text.parse().unwrap();
        let judged = catch_unwind(AssertUnwindSafe(|| judge(&compiler, &case)));
        let panicked = Counts { cases: 1, unsupported: 1, panicked: 1, ..Counts::default() };
        let sum = counts.entry(text.group.clone()).or_default();
        *sum = sum.plus(judged.unwrap_or(panicked));
    }
    let total = counts.values().copied().fold(Counts::default(), Counts::plus);
    assert_eq!((total.wrong_accept, total.panicked), (0, 0), "{counts:#?}");
    baseline::check("maskbench", &counts);
}

fn judge(compiler: &Compiler, case: &Case) -> Counts {
    let one = Counts { cases: 1, ..Counts::default() };
    let options = SchemaOptions { key_order: KeyOrder::Any, ..SchemaOptions::default() };
    let Ok(compiled) = compiler.compile(&Grammar::json_schema(case.schema.clone()).with_options(options)) else {
        return Counts { unsupported: 1, ..one };
    };
    let is_wrong = |valid: bool| {
        case.instances.iter().filter(|instance| instance.valid == valid).any(|instance| {
            let mut matcher = compiled.matcher();
            let accepted = matcher.accept_bytes(instance.text.as_bytes()).is_ok() && matcher.is_accepting();
            accepted != valid
        })
    };
    if is_wrong(false) {
        eprintln!("wrongly accepted: an instance of {}", case.name);
        Counts { wrong_accept: 1, ..one }
    } else if is_wrong(true) {
        Counts { wrong_reject: 1, ..one }
    } else {
        Counts { right: 1, ..one }
    }
}
