//! Does the engine judge nothing in the JSON-Schema-Test-Suite wrongly, and as much as recorded?
//!
//! Every draft whose folder is there is run; the numbers are those of `tests/data/baseline/suite.json`. A run that is
//! better passes; record it with `FORMWORK_BASELINE=write cargo test -p formwork-tests --test suite`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::Path;

use formwork_tests::suite::{Counts, run_draft};
use formwork_tests::{baseline, shared};

fn drafts(suite: &Path) -> Vec<String> {
    let known = ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"];
    known.into_iter().filter(|draft| suite.join("tests").join(draft).is_dir()).map(str::to_owned).collect()
}

#[test]
fn nothing_is_judged_wrongly_and_every_draft_is_no_worse() {
    let Some(suite) = shared::shared("json-schema-test-suite") else { return };
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    let mut findings = Vec::new();
    for draft in drafts(&suite) {
        let run = run_draft(&suite, &draft).unwrap();
        let summary = run.summary();
        counts.insert(format!("{draft}/required"), summary.required);
        counts.insert(format!("{draft}/optional"), summary.optional);
        let shown = run.wrong.iter().map(|wrong| format!("{draft}/{}: {}: {}", wrong.file, wrong.case, wrong.reason));
        findings.extend(shown);
    }
    assert!(findings.is_empty(), "{} wrong verdicts:\n{}", findings.len(), findings.join("\n"));
    baseline::check("suite", &counts);
}
