//! Glue: see `tests/src/fuzzing/request.rs`.

#![no_main]

use formwork_tests::fuzzing::{self, targets};

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzing::fuzz(targets::REQUEST, input));
