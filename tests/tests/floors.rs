//! Does every module of the engine import only from floors at or below its own? The table of DESIGN.md section 4.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by floor; modules on one floor may know each other only as the second table says.
const FLOORS: [(&str, u32); 15] = [
    ("compiler", 5),
    ("matcher", 5),
    ("mask", 4),
    ("parser", 3),
    ("lexer", 2),
    ("json_schema", 2),
    ("syntax", 2),
    ("grammar", 1),
    ("automata", 1),
    ("vocabulary", 1),
    ("ids", 0),
    ("limits", 0),
    ("error", 0),
    ("hash", 0),
    ("random", 0),
];

/// What must not be known across rooms, whatever the floors say.
const NEVER: [(&str, &str); 6] = [
    ("mask", "json_schema"),
    ("parser", "json_schema"),
    ("parser", "vocabulary"),
    ("json_schema", "vocabulary"),
    ("syntax", "vocabulary"),
    ("vocabulary", "grammar"),
];

fn floor(module: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

fn source_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The module that a file belongs to: the first part of its path, `None` for `lib.rs`.
fn module_of(file: &Path, root: &Path) -> Option<String> {
    let relative = file.strip_prefix(root).unwrap().with_extension("");
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    (first != "lib").then_some(first)
}

/// Tests may look at everything.
fn is_test(file: &Path) -> bool {
    let is_tests =
        |component: std::path::Component<'_>| ["tests", "tests.rs"].iter().any(|it| component.as_os_str() == *it);
    file.components().any(is_tests)
}

/// Modules named after `crate::`, outside comments and test modules.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect())
        .collect()
}

#[test]
fn modules_import_from_their_floor_or_below() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/formwork/src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    let mut faults = Vec::new();
    for file in files {
        let Some(module) = module_of(&file, &root) else { continue };
        if is_test(file.strip_prefix(&root).unwrap()) {
            continue;
        }
        let Some(own) = floor(&module) else {
            faults.push(format!("{}: module {module} is on no floor", file.display()));
            continue;
        };
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            let is_above = floor(&import).is_some_and(|floor| floor > own);
            let is_barred = NEVER.contains(&(module.as_str(), import.as_str()));
            if is_above || is_barred {
                faults.push(format!("{}: {module} must not import from {import}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["crates", "benches/src", "benches/benches", "tests/src", "tests/tests"] {
        source_files(&root.join(folder), &mut files);
    }
    let is_silent = |file: &PathBuf| !fs::read_to_string(file).unwrap().starts_with("//!");
    let silent: Vec<PathBuf> = files.into_iter().filter(is_silent).collect();
    assert!(silent.is_empty(), "no `//!` line at the top: {silent:#?}");
}
