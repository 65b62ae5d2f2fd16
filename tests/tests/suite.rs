//! Does the engine judge the JSON-Schema-Test-Suite at least as well as recorded?

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork_tests::{baseline, shared, suite};

fn check(draft: &str) {
    let Some(folder) = shared::shared("json-schema-test-suite") else { return };
    let counts = suite::run_draft(&folder, draft).unwrap();
    baseline::check(&format!("suite-{draft}"), &counts);
}

#[test]
fn draft2020_12_is_no_worse() {
    check("draft2020-12");
}

#[test]
fn draft7_is_no_worse() {
    check("draft7");
}
