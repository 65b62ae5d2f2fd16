//! Does the command print what it should? Cases in `tests/data/*.json`, each run in a folder of its own.
//!
//! A case has `name`, `args`, and where they are needed `files` (name to text), `stdin`, the exit code `code` (0 when
//! not given), the lines of standard output `stdout`, and `stderr`, texts that standard error's one line holds (it is
//! empty when they are not given). A text `{"repeat": [TEXT, N]}` is N times TEXT, and a list of texts is all of them
//! in a row.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

#[test]
fn check() {
    run_cases("check", include_str!("data/check.json"));
}

#[test]
fn explain() {
    run_cases("explain", include_str!("data/explain.json"));
}

#[test]
fn vocab_and_mask() {
    run_cases("vocab_and_mask", include_str!("data/vocab_and_mask.json"));
}

#[test]
fn bad_input() {
    run_cases("bad_input", include_str!("data/bad_input.json"));
}

/// Runs all cases and reports every one that differs.
fn run_cases(group: &str, cases: &str) {
    let cases: Value = serde_json::from_str(cases).unwrap();
    let failures: Vec<String> = cases.as_array().unwrap().iter().filter_map(|case| failure(group, case)).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// What is wrong with a case; `None` when nothing is.
fn failure(group: &str, case: &Value) -> Option<String> {
    let name = case["name"].as_str().unwrap();
    let folder = prepare_folder(group, name, case);
    let output = run(&folder, case);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let code = i64::from(output.status.code().unwrap_or(-1));
    let lines = |key: &str| -> Vec<&str> {
        case[key].as_array().map(|lines| lines.iter().map(|line| line.as_str().unwrap()).collect()).unwrap_or_default()
    };
    let is_good = code == case["code"].as_i64().unwrap_or(0)
        && stdout.lines().eq(lines("stdout"))
        && stderr.lines().count() == usize::from(!lines("stderr").is_empty())
        && lines("stderr").iter().all(|text| stderr.contains(text));
    (!is_good).then(|| format!("{name}: exit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}"))
}

/// A new folder with the files of a case.
fn prepare_folder(group: &str, name: &str, case: &Value) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(group).join(name.replace(' ', "_"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (file, text) in case["files"].as_object().into_iter().flatten() {
        fs::write(folder.join(file), expand(text)).unwrap();
    }
    folder
}

fn run(folder: &Path, case: &Value) -> Output {
    let args = case["args"].as_array().unwrap().iter().map(expand);
    let mut child = Command::new(env!("CARGO_BIN_EXE_formwork"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = case.get("stdin").map(expand).unwrap_or_default();
    // A command that reads nothing closes its end.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// A text, one made by repetition, or several of them in a row.
fn expand(text: &Value) -> String {
    match text {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(expand).collect(),
        repeated => {
            let parts = repeated["repeat"].as_array().unwrap();
            parts[0].as_str().unwrap().repeat(usize::try_from(parts[1].as_u64().unwrap()).unwrap())
        }
    }
}
