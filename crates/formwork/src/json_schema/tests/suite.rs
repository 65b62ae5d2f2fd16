//! The official JSON-Schema-Test-Suite, from `../shared` where it is: whatever is not refused must agree.

use std::path::Path;

use serde_json::{Value, json};

use super::accepts;

const SUITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/json-schema-test-suite/tests");

/// Cases that differ by design: the file, a part of the description, and why.
const BY_DESIGN: [(&str, &str, &str); 8] = [
    ("const.json", "float", "a constant has one spelling"),
    ("const.json", "-2.0", "a constant has one spelling"),
    ("enum.json", "float zero", "a constant has one spelling"),
    ("enum.json", "float one", "a constant has one spelling"),
    ("enum.json", "[0.0]", "a constant has one spelling"),
    ("enum.json", "[1.0]", "a constant has one spelling"),
    ("format.json", "only an annotation by default", "formats are enforced"),
    ("vocabulary.json", "no validation", "meta-schemas are not read"),
];

fn run(folder: &str, dialect: &str) {
    let Ok(files) = std::fs::read_dir(Path::new(SUITE).join(folder)) else {
        println!("skipped: the test suite is not here");
        return;
    };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    let (mut n_agree, mut n_refused, mut wrong) = (0, 0, Vec::new());
    let mut refused = std::collections::BTreeMap::<String, usize>::new();
    for path in files {
        let groups: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for group in groups.as_array().unwrap() {
            let mut schema = group["schema"].clone();
            if let Value::Object(map) = &mut schema {
                map.entry("$schema").or_insert(json!(dialect));
            }
            for test in group["tests"].as_array().unwrap() {
                match accepts(&schema, &test["data"]) {
                    Ok(accepted) if Some(accepted) == test["valid"].as_bool() => n_agree += 1,
                    Err(error) if error.is_unsatisfiable() && test["valid"] == false => n_agree += 1,
                    Err(error) if !error.is_unsatisfiable() => {
                        n_refused += 1;
                        let violation = &error.violations()[0];
                        let reason = format!(
                            "{:?} {} {}",
                            violation.kind,
                            violation.keyword.clone().unwrap_or_default(),
                            violation.reason
                        );
                        *refused.entry(reason.chars().take(90).collect()).or_default() += 1;
                    }
                    _ => wrong
                        .push(format!("{file}: {} / {} ({})", group["description"], test["description"], test["data"])),
                }
            }
        }
    }
    println!("{folder}: {n_agree} agree, {n_refused} refused, {} differ", wrong.len());
    for (reason, n) in refused {
        println!("  {n:4} {reason}");
    }
    wrong.retain(|case| !BY_DESIGN.iter().any(|(file, about, _)| case.starts_with(file) && case.contains(about)));
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn draft_2020_12_agrees() {
    run("draft2020-12", "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn draft_7_agrees() {
    run("draft7", "http://json-schema.org/draft-07/schema#");
}

#[test]
fn formats_agree() {
    run("draft2020-12/optional/format", "https://json-schema.org/draft/2020-12/schema");
}
