//! Glue: see `tests/src/fuzzing/grammar_text.rs`.

#![no_main]

use formwork_tests::fuzzing::{self, targets};

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::fuzz(targets::GRAMMAR_TEXT, input));
