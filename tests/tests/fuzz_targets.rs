//! Do the fuzz targets hold on stable Rust as well? Their corpus, every crash ever found, and a counted number of inputs of
//! this test's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::PathBuf;

use formwork_tests::fuzzing::{Counters, Target, mutated, targets};
use formwork_tests::universe::Dice;

const SEED: u64 = 20_261_121;

/// Inputs in one of the folders beside the targets, by name.
fn inputs(folder: &str, target: Target) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder).join(target.name);
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut inputs: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    inputs.sort();
    inputs
}

/// Runs what there is, and `n_own` inputs: corpus that is mutated, and random bytes.
fn replay(target: Target, n_own: u64) {
    let (corpus, regressions) = (inputs("corpus", target), inputs("regressions", target));
    assert!(!corpus.is_empty(), "no corpus of {}", target.name);
    let mut counters = Counters::new();
    for (name, input) in corpus.iter().chain(&regressions) {
        eprintln!("{}: {name}", target.name);
        (target.run)(input, &mut counters);
    }
    for number in 0..n_own {
        let mut dice = Dice::new(SEED << 32 | number);
        let input = match dice.below(4) {
            0 => (0..dice.below(120)).map(|_| dice.below(256) as u8).collect(),
            _ => mutated(&dice.pick(&corpus).1, &mut dice),
        };
        // Shown where the target panics.
        eprintln!("{}: {:?}", target.name, String::from_utf8_lossy(&input));
        (target.run)(&input, &mut counters);
    }
    eprintln!("{}: {counters}", target.name);
    // Most texts that were mutated are refused.
    assert!(counters.get(target.goal) > n_own / 20, "{} is idle: {counters}", target.name);
}

#[test]
fn any_text_is_a_schema_or_refused() {
    replay(targets::SCHEMA_TEXT, 1_000);
}

#[test]
fn documents_of_random_schemas_are_valid() {
    replay(targets::SCHEMA_GENERATE, 200);
}

#[test]
fn masks_are_those_of_the_oracle() {
    replay(targets::ORACLE, 200);
}

#[test]
fn sequences_are_like_their_replay() {
    replay(targets::SEQUENCE, 200);
}

#[test]
fn regexes_are_read_as_their_library_reads_them() {
    replay(targets::REGEX, 500);
}

#[test]
fn tokenizer_files_are_read_or_refused() {
    replay(targets::TOKENIZER, 500);
}

#[test]
fn structures_have_exact_masks() {
    replay(targets::STRUCTURE, 200);
}

#[test]
fn requests_are_answered_or_refused() {
    replay(targets::REQUEST, 500);
}

#[test]
fn any_text_is_a_grammar_or_refused() {
    replay(targets::GRAMMAR_TEXT, 1_000);
}

/// Every target has its glue, and `fuzz/Cargo.toml` builds it.
#[test]
fn all_targets_are_built() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for target in targets::ALL {
        assert!(folder.join("fuzz_targets").join(format!("{}.rs", target.name)).is_file(), "{}", target.name);
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
    }
}
