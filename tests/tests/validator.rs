//! Does our slow validator judge as the JSON-Schema-Test-Suite says? It is what the engine is compared with.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use formwork_tests::shared;
use formwork_tests::validator::{Draft, Validator};
use serde_json::Value;

/// Cases that need what the validator leaves out on purpose, by file and description of the group.
const LEFT_OUT: [(&str, &str); 3] = [
    // A metaschema of its own that switches keywords off.
    ("vocabulary", "schema that uses custom metaschema with with no validation vocabulary"),
    // Integers that `serde_json` reads as floats.
    ("optional/bignum", ""),
    // Contents of strings, an annotation in all later drafts.
    ("optional/content", ""),
];

#[derive(Default)]
struct Counts {
    right: usize,
    unjudged: usize,
    wrong: Vec<String>,
}

fn json_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => json_files(&path, files),
            false => files.extend(path.extension().is_some_and(|it| it == "json").then_some(path)),
        }
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn run(draft: Draft, folder: &str) -> Counts {
    let mut counts = Counts::default();
    let Some(suite) = shared::shared("json-schema-test-suite") else { return counts };
    let root = suite.join("remotes");
    let mut files = Vec::new();
    json_files(&root, &mut files);
    let uri = |path: &PathBuf| format!("http://localhost:1234/{}", path.strip_prefix(&root).unwrap().display());
    let remotes: BTreeMap<String, Value> = files.iter().map(|path| (uri(path), read(path))).collect();
    let root = suite.join("tests").join(folder);
    let mut files = Vec::new();
    json_files(&root, &mut files);
    for path in files {
        let name = path.strip_prefix(&root).unwrap().with_extension("").display().to_string();
        for group in read(&path).as_array().unwrap() {
            run_group(&mut counts, &name, group, draft, &remotes);
        }
    }
    counts
}

fn run_group(counts: &mut Counts, name: &str, group: &Value, draft: Draft, remotes: &BTreeMap<String, Value>) {
    let described = group["description"].as_str().unwrap();
    if LEFT_OUT.iter().any(|(file, group)| *file == name && (group.is_empty() || *group == described)) {
        return;
    }
    let mut validator = Validator::new(&group["schema"], draft, remotes);
    if name.starts_with("optional/format") {
        validator = validator.asserting_formats();
    }
    for test in group["tests"].as_array().unwrap() {
        match validator.is_valid(&test["data"]) {
            Err(_) => counts.unjudged += 1,
            Ok(verdict) if verdict == test["valid"] => counts.right += 1,
            Ok(verdict) => counts.wrong.push(format!("{name}: {described}: {test} was judged {verdict}")),
        }
    }
}

fn check(draft: Draft, folder: &str, least_right: usize) {
    let counts = run(draft, folder);
    eprintln!("{folder}: {} right, {} unjudged", counts.right, counts.unjudged);
    assert!(counts.wrong.is_empty(), "{}", counts.wrong.join("\n"));
    assert!(counts.right >= least_right || shared::shared("json-schema-test-suite").is_none());
}

#[test]
fn draft2020_12_is_judged_right() {
    check(Draft::Draft2020, "draft2020-12", 1_200);
}

#[test]
fn draft7_is_judged_right() {
    check(Draft::Draft7, "draft7", 800);
}
