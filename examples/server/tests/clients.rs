//! Do the official clients work unmodified? Each file of `clients/` runs against a server of its own.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use std::process::Command;

use common::python::{python, scripts};
use common::server::{API_KEY, Server};

/// Runs a file's tests with pytest; what it writes is shown when one fails.
fn check(file: &str, options: &[&str]) {
    let Some(python) = python() else { return };
    let server = Server::start(options);
    let mut pytest = Command::new(python);
    pytest.args(["-B", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]).arg(scripts().join(file));
    pytest.env("FORMWORK_URL", &server.url).env("FORMWORK_KEY", API_KEY);
    let output = pytest.output().unwrap();
    let [told, warned] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{file}: {}\n{told}\n{warned}", output.status);
}

#[test]
fn openai_chat() {
    check("test_openai_chat.py", &[]);
}

#[test]
fn openai_schemas() {
    check("test_openai_schemas.py", &[]);
}

#[test]
fn openai_tools() {
    check("test_openai_tools.py", &[]);
}

#[test]
fn openai_errors() {
    check("test_openai_errors.py", &[]);
}

#[test]
fn openai_completions() {
    check("test_openai_completions.py", &[]);
}

#[test]
fn openai_responses() {
    check("test_openai_responses.py", &[]);
}

#[test]
fn lmdeploy() {
    check("test_lmdeploy.py", &["--lmdeploy-errors"]);
}

#[test]
fn cohere() {
    check("test_cohere.py", &[]);
}

/// Answers are short, so that much is asked in little time.
#[test]
fn openapi() {
    check("test_openapi.py", &["--max-answer-tokens", "16"]);
}
