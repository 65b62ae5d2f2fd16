//! Do the official clients work unmodified? The files of `clients/` run against servers of their own.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use std::process::Command;

use common::python::{python, scripts};
use common::server::{API_KEY, Server};

/// Runs the tests of some files with pytest; what it writes is shown when one fails. One run for all files that can share
/// a server, as what takes longest is to load the clients.
fn check(files: &[&str], options: &[&str]) {
    let Some(python) = python() else { return };
    let server = Server::start(options);
    let mut pytest = Command::new(python);
    pytest.args(["-B", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]);
    pytest.args(files.iter().map(|file| scripts().join(file)));
    pytest.env("FORMWORK_URL", &server.url).env("FORMWORK_KEY", API_KEY);
    let output = pytest.output().unwrap();
    let [told, warned] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{files:?}: {}\n{told}\n{warned}", output.status);
}

#[test]
fn openai() {
    let about = ["chat", "schemas", "tools", "errors", "completions", "responses"];
    let files = about.map(|about| format!("test_openai_{about}.py"));
    check(&files.each_ref().map(String::as_str), &[]);
}

#[test]
fn lmdeploy() {
    check(&["test_lmdeploy.py"], &["--lmdeploy-errors"]);
}

#[test]
fn cohere() {
    check(&["test_cohere.py"], &[]);
}

/// Answers are short, so that much is asked in little time.
#[test]
fn openapi() {
    check(&["test_openapi.py"], &["--max-answer-tokens", "16"]);
}
