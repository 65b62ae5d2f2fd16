//! Does the model that ships with us write what is asked for? Whole runs of `formwork generate`.

#![allow(clippy::unwrap_used)]

#[path = "../../formwork-ort/tests/common/library.rs"]
#[cfg(feature = "ort")]
mod library;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs `formwork generate` in the folder that holds `book.schema.json`.
fn generate(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn command(args: &[&str]) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
    command.arg("generate").args(args).args(["--prompt", "Describe a book as JSON."]).current_dir(folder);
    command
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn books() {
    let output = generate(&["--schema", "book.schema.json", "--layout", "compact", "-n", "3", "--seed", "5"]);
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 3, "{text}");
    for line in text.lines() {
        let book: Value = serde_json::from_str(line).unwrap();
        assert!((1450..=2100).contains(&book["publication_year"].as_i64().unwrap()), "{line}");
        assert!(book["title"].is_string() && book["author"].is_string(), "{line}");
    }
    let summary = String::from_utf8(output.stderr).unwrap();
    assert_eq!(summary.lines().count(), 3, "one line for each text and no progress line: {summary}");
    assert!(summary.starts_with("seed 5: ") && summary.contains("forced"), "{summary}");
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let args =
        ["--schema", "book.schema.json", "--seed", "11", "--temperature", "1.2", "--top-p", "0.95", "--top-k", "50"];
    assert_eq!(stdout(&generate(&args)), stdout(&generate(&args)));
}

#[test]
fn other_grammars() {
    let choice = stdout(&generate(&["--choice", "fiction,poetry"]));
    assert!(["fiction\n", "poetry\n"].contains(&choice.as_str()), "{choice}");
    let number = stdout(&generate(&["--regex", "[1-9][0-9]{3}", "--temperature", "0"]));
    assert!(number.trim_end().parse::<u32>().is_ok_and(|number| (1000..10_000).contains(&number)), "{number}");
    let grammars = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/grammars");
    let [lark, gbnf] = ["arithmetic.lark", "chess.gbnf"].map(|name| grammars.join(name).display().to_string());
    let sum = stdout(&generate(&["--lark", &lark, "--max-tokens", "40", "--always-complete", "--temperature", "2"]));
    assert!(
        sum.trim_end().bytes().all(|byte| b"0123456789+-*/(). ".contains(&byte)) && !sum.trim().is_empty(),
        "{sum}"
    );
    let game = stdout(&generate(&["--gbnf", &gbnf, "--always-complete", "--temperature", "1.5"]));
    assert!((2..=5).contains(&game.trim_end().lines().count()) && game.contains(". "), "{game}");
    let object = stdout(&generate(&["--json-mode", "--layout", "compact", "--max-tokens", "16", "--temperature", "2"]));
    assert!(object.starts_with('{'), "{object}");
}

#[test]
fn cut_off_texts_are_told() {
    let output = generate(&["--schema", "book.schema.json", "--max-tokens", "3"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("cut off"), "{output:?}");
}

#[test]
fn without_constraint_anything_goes() {
    let output =
        generate(&["--unconstrained", "--schema", "book.schema.json", "--max-tokens", "20", "--temperature", "1.5"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("0 of them forced"), "{output:?}");
}

#[test]
#[cfg(feature = "ort")]
fn both_backends_write_the_same_text() {
    let Some(library) = library::library() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("model");
    let args = ["--schema", "book.schema.json", "--temperature", "0"];
    let by_candle = stdout(&generate(&args));
    for model in [&[][..], &["--model", folder.to_str().unwrap()]] {
        let mut command = command(&[&args[..], &["--backend", "ort"], model].concat());
        let output = command.env("ORT_DYLIB_PATH", &library).output().unwrap();
        assert_eq!(stdout(&output), by_candle);
    }
    let output = command(&["--json-mode", "--backend", "ort"]).env("ORT_DYLIB_PATH", "no/such.so").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("no/such.so does not exist") && message.contains("pip install"), "{message}");
}
