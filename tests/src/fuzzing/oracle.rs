//! Are masks exact? Small grammars against the naive twin, and schemas on finite universes against all their texts.

use formwork::json_schema::{Escapes, Layout, SchemaOptions};
use formwork::{Grammar, Limits};

use super::engine::{compile, compiler};
use super::{Counters, draw};
use crate::oracle::{ExprId, Language, Twin, to_grammar_in_order};
use crate::universe::{Dice, Outcome, Size, Trial, Universe};
use crate::vocabulary::SmallVocabulary;
use crate::walk::Walk;

const N_RANDOM_TOKENS: usize = 50;
const N_STEPS: usize = 12;
/// Universes of a millisecond or two.
const SIZE: Size = Size { max_documents: 60, max_texts: 300, n_walks: 2, has_maps: true };

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let mut dice = Dice::from_bytes(input);
    match dice.below(3) {
        0 => universe(&mut dice, counters),
        1 => {
            let (set, key_order) = (draw::shape_set(&mut dice), draw::key_order(&mut dice));
            let layout = Layout { escapes: Escapes::Any, ..Layout::COMPACT };
            let options = SchemaOptions { layout, key_order, ..SchemaOptions::default() };
            let (language, start) = set.to_language(key_order);
            let grammar = Grammar::json_schema(set.to_schema()).with_options(options);
            let vocabulary = SmallVocabulary::random(N_RANDOM_TOKENS, dice.below(1 << 16) as u64);
            compare(&grammar, (language, start), &vocabulary, &mut dice, counters);
        }
        _ => {
            let (rules, key_order) = (draw::rules(&mut dice), draw::key_order(&mut dice));
            let (grammar, language, start) = to_grammar_in_order(&rules, key_order);
            let vocabulary = SmallVocabulary::random(N_RANDOM_TOKENS, dice.below(1 << 16) as u64);
            compare(&grammar, (language, start), &vocabulary, &mut dice, counters);
        }
    }
}

/// # Panics
/// Where a mask differs from the twin's, or a grammar is refused that has texts.
pub(super) fn compare(
    grammar: &Grammar,
    (language, start): (Language, ExprId),
    vocabulary: &SmallVocabulary,
    dice: &mut Dice,
    counters: &mut Counters,
) {
    let mut twin = Twin::new(language, start, vocabulary);
    // Small caches are started anew in the middle of a text.
    let max_cache_bytes = if dice.one_in(4) { 20_000 } else { 64 << 20 };
    let compiler = compiler(vocabulary, Limits { max_cache_bytes, ..Limits::default() });
    let seed = dice.below(1 << 16) as u64;
    match compile(&compiler, grammar, counters) {
        Some(compiled) => {
            assert!(twin.is_alive(), "a grammar without texts was compiled");
            let mut walk = Walk::new(vocabulary, compiled.matcher(), twin, seed);
            walk.run(N_STEPS);
            counters.count("masks compared", walk.n_compared());
        }
        None => assert!(!twin.is_alive(), "a grammar with texts was refused: {:?}", compiler.compile(grammar).err()),
    }
}

/// # Panics
/// Where the engine is wrong.
fn universe(dice: &mut Dice, counters: &mut Counters) {
    let universe = Universe::draw(dice, SIZE);
    let trial = Trial::draw(&universe, dice);
    match trial.run(dice.below(1 << 16) as u64) {
        Outcome::Agreed { n_pairs, .. } => {
            counters.count("compiled", 1);
            counters.count("masks compared", n_pairs);
        }
        Outcome::Refused { .. } => counters.count("refused", 1),
        Outcome::Unjudged(_) => counters.count("unjudged", 1),
        Outcome::Failed(failure) => panic!("{}\nschema: {}", failure.what, failure.document),
    }
}
