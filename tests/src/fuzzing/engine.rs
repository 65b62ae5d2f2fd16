//! What do several targets do with the engine? Limits that keep one input cheap, refusals looked at, masks read.

use std::sync::Arc;

use formwork::{CompileError, CompiledGrammar, Compiler, Grammar, Limits, MatchError, Matcher, TokenId};

use super::Counters;
use crate::universe::Dice;
use crate::vocabulary::SmallVocabulary;

/// Limits by which an input costs milliseconds, and which inputs do meet.
pub(super) fn small_limits() -> Limits {
    Limits {
        max_schema_steps: 20_000,
        max_grammar_nodes: 20_000,
        max_regex_bytes: 1 << 18,
        max_automaton_states: 4_000,
        max_items: 1_000,
        max_entries: 256,
        max_unique: 256,
        max_mask_steps: 1_000_000,
        max_completion_steps: 20_000,
        max_cache_bytes: 1 << 20,
        ..Limits::default()
    }
}

/// Choices that follow from a text which itself stays one that can be read.
pub(super) fn dice_of(input: &[u8]) -> Dice {
    Dice::new(input.iter().fold(0, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
}

/// A compiler that has learnt nothing yet, so that an input alone decides what happens.
pub(super) fn compiler(vocabulary: &SmallVocabulary, limits: Limits) -> Compiler {
    Compiler::builder(vocabulary.to_formwork()).limits(limits).cached_grammars(0).build()
}

/// Compiles; counts what becomes of it, and looks at the refusal.
///
/// # Panics
/// Where a refusal is not one line.
pub(super) fn compile(compiler: &Compiler, grammar: &Grammar, counters: &mut Counters) -> Option<Arc<CompiledGrammar>> {
    match compiler.compile(grammar) {
        Ok(compiled) => {
            counters.count("compiled", 1);
            Some(compiled)
        }
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && !text.contains(['\n', '\r']), "no line: {text:?}");
            counters.count(kind(&error), 1);
            None
        }
    }
}

fn kind(error: &CompileError) -> &'static str {
    match error {
        _ if error.is_limit() => "over a limit",
        _ if error.is_unsatisfiable() => "unsatisfiable",
        _ if error.is_unsupported() => "unsupported",
        _ => "refused",
    }
}

/// The allowed ids; `None` where a limit was met.
///
/// # Panics
/// Where the mask cannot be had for another reason.
pub(super) fn allowed(matcher: &mut Matcher) -> Option<Vec<TokenId>> {
    match matcher.mask() {
        Ok(mask) => Some(mask.iter().collect()),
        Err(MatchError::Limit(_)) => None,
        Err(error) => panic!("no mask: {error}"),
    }
}

/// Takes up to `n_steps` random tokens.
///
/// # Panics
/// At an empty mask, and where a token of the mask is refused.
pub(super) fn wander(compiled: &Arc<CompiledGrammar>, n_steps: usize, dice: &mut Dice, counters: &mut Counters) {
    let mut matcher = compiled.matcher();
    for _ in 0..n_steps {
        let Some(allowed) = allowed(&mut matcher) else { return counters.count("masks over a limit", 1) };
        counters.count("masks", 1);
        assert!(!allowed.is_empty(), "a dead end");
        let token = *dice.pick(&allowed);
        match matcher.accept_token(token) {
            Ok(()) if matcher.is_stopped() => return,
            Ok(()) => {}
            Err(MatchError::Limit(_)) => return counters.count("masks over a limit", 1),
            Err(error) => panic!("a token of the mask is refused: {error}"),
        }
    }
}
