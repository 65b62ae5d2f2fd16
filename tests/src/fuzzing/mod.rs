//! What do the fuzz targets check? For each a function from bytes to counters; what must not happen is a panic.
//!
//! The glue for libFuzzer is in `fuzz/`, and `tests/tests/fuzz_targets.rs` runs the same functions over the corpus, the
//! regressions and inputs of its own. Bytes are either a text that is read as it stands, or choices
//! ([`Dice::from_bytes`](crate::universe::Dice::from_bytes)) from which something well formed is drawn.

mod draw;
mod edit;
mod engine;
mod grammar_text;
mod oracle;
mod regex;
mod request;
mod schema_generate;
mod schema_text;
mod sequence;
mod structure;
mod tokenizer;

use std::panic;
use std::sync::{Mutex, Once, PoisonError};

pub use self::edit::mutated;
pub use crate::counters::Counters;

/// Something to fuzz.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name of its binary, corpus and regressions.
    pub name: &'static str,
    /// Takes one input; panics where a promise is broken.
    pub run: fn(&[u8], &mut Counters),
    /// A counter that grows when the target does what it is there for.
    pub goal: &'static str,
}

/// The targets by name.
pub mod targets {
    use super::{
        Target, grammar_text, oracle, regex, request, schema_generate, schema_text, sequence, structure, tokenizer,
    };

    /// Any text as a schema.
    pub const SCHEMA_TEXT: Target = Target { name: "schema_text", run: schema_text::run, goal: "compiled" };
    /// Documents of random schemas, judged by validators.
    pub const SCHEMA_GENERATE: Target =
        Target { name: "schema_generate", run: schema_generate::run, goal: "valid documents" };
    /// Masks against the naive twin.
    pub const ORACLE: Target = Target { name: "oracle", run: oracle::run, goal: "masks compared" };
    /// Steps back and forth against a replay.
    pub const SEQUENCE: Target = Target { name: "sequence", run: sequence::run, goal: "masks compared" };
    /// Regular expressions against `regex-automata`.
    pub const REGEX: Target = Target { name: "regex", run: regex::run, goal: "bytes compared" };
    /// Tokenizer files.
    pub const TOKENIZER: Target = Target { name: "tokenizer", run: tokenizer::run, goal: "loaded" };
    /// Outputs of several parts against the naive twin.
    pub const STRUCTURE: Target = Target { name: "structure", run: structure::run, goal: "masks compared" };

    /// Requests to the server.
    pub const REQUEST: Target = Target { name: "request", run: request::run, goal: "answered" };

    /// Any text as a grammar.
    pub const GRAMMAR_TEXT: Target = Target { name: "grammar_text", run: grammar_text::run, goal: "compiled" };

    /// All of them.
    pub const ALL: [Target; 9] =
        [SCHEMA_TEXT, SCHEMA_GENERATE, ORACLE, SEQUENCE, REGEX, TOKENIZER, STRUCTURE, REQUEST, GRAMMAR_TEXT];
}

/// Runs one input in a process that fuzzes one target, and now and then prints what was done so far.
pub fn fuzz(target: Target, input: &[u8]) {
    static SHOWS_PANICS: Once = Once::new();
    static TOTAL: Mutex<Counters> = Mutex::new(Counters::new());
    SHOWS_PANICS.call_once(abort_on_our_panics);
    let mut counters = Counters::new();
    (target.run)(input, &mut counters);
    let mut total = TOTAL.lock().unwrap_or_else(PoisonError::into_inner);
    counters.count("inputs", 1);
    total.plus(&counters);
    let n_inputs = total.get("inputs");
    if n_inputs.is_power_of_two() || n_inputs.is_multiple_of(10_000) {
        eprintln!("{}: {total}", target.name);
    }
}

/// libFuzzer's hook ends the process at every panic. Those of the library that reads tokenizers are contained by our own
/// code, which is to be tested.
fn abort_on_our_panics() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|location| location.file().contains("/tokenizers-")) {
            hook(panic);
        }
    }));
}
