//! Is any text a grammar or a refusal, within the limits? And does what compiles have masks?
//!
//! A text with `::=` is read as GBNF, any other as Lark.

use formwork::Grammar;

use super::Counters;
use super::engine::{compile, compiler, dice_of, small_limits, wander};
use crate::vocabulary::SmallVocabulary;

const N_STEPS: usize = 16;

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let text = String::from_utf8_lossy(input);
    let grammar = if text.contains("::=") { Grammar::gbnf(text.as_ref()) } else { Grammar::lark(text.as_ref()) };
    let compiled = compile(&compiler(&SmallVocabulary::bytes(), small_limits()), &grammar, counters);
    if let Some(compiled) = compiled {
        wander(&compiled, N_STEPS, &mut dice_of(input), counters);
    }
}
