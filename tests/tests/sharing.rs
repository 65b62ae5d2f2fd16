//! Do sequences disturb each other? Rollback, forks, batches, and sixteen threads on one compiled grammar.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use formwork::{CompiledGrammar, Compiler, Grammar, MatchError, Matcher, TokenId, Vocabulary, fill_masks};
use formwork_bench::data::split_mix;
use formwork_tests::stress::recursive_schema;
use formwork_tests::vocabulary::SmallVocabulary;

const N_THREADS: u64 = 16;

fn compiled() -> Arc<CompiledGrammar> {
    let vocabulary = SmallVocabulary::random(400, 7).to_formwork();
    Compiler::new(vocabulary).compile(&Grammar::json_schema(recursive_schema())).unwrap()
}

fn mask(matcher: &mut Matcher, vocabulary: &Vocabulary) -> Vec<u32> {
    let mut row = vec![0; vocabulary.mask_words()];
    matcher.fill_mask(&mut row).unwrap();
    row
}

/// Follows allowed tokens that `seed` chooses; the masks on the way.
fn walk(grammar: &Arc<CompiledGrammar>, seed: u64, n_steps: u64) -> (Matcher, Vec<Vec<u32>>) {
    let vocabulary = grammar.vocabulary();
    let mut matcher = grammar.matcher();
    let mut masks = vec![mask(&mut matcher, vocabulary)];
    for step in 0..n_steps {
        let is_text = |token: &TokenId| !vocabulary.stop_tokens().contains(token);
        let allowed: Vec<TokenId> = matcher.mask().unwrap().iter().filter(is_text).collect();
        if allowed.is_empty() {
            break;
        }
        let choice = split_mix(seed, step) % allowed.len() as u64;
        matcher.accept_token(allowed[choice as usize]).unwrap();
        masks.push(mask(&mut matcher, vocabulary));
    }
    (matcher, masks)
}

#[test]
fn rollback_restores_every_mask_on_the_way_back() {
    let grammar = compiled();
    for seed in 0..20 {
        let (mut matcher, masks) = walk(&grammar, seed, 40);
        assert_eq!(matcher.n_steps(), masks.len() - 1);
        for expected in masks.iter().rev().skip(1) {
            matcher.rollback(1).unwrap();
            assert_eq!(mask(&mut matcher, grammar.vocabulary()), *expected, "seed {seed}");
        }
        let error = matcher.rollback(1).unwrap_err();
        assert!(matches!(error, MatchError::Rollback { asked: 1, available: 0 }), "{error}");
    }
}

#[test]
fn reset_goes_back_to_the_start() {
    let grammar = compiled();
    let (mut matcher, masks) = walk(&grammar, 3, 25);
    matcher.reset();
    assert_eq!((mask(&mut matcher, grammar.vocabulary()), matcher.n_steps()), (masks[0].clone(), 0));
}

#[test]
fn forks_go_their_own_ways() {
    let grammar = compiled();
    let (mut matcher, masks) = walk(&grammar, 5, 12);
    let before = masks.last().unwrap();
    let mut fork = matcher.fork();
    let token = fork.mask().unwrap().iter().next().unwrap();
    fork.accept_token(token).unwrap();
    assert_eq!(mask(&mut matcher, grammar.vocabulary()), *before);
    fork.rollback(1).unwrap();
    assert_eq!(mask(&mut fork, grammar.vocabulary()), *before);
}

#[test]
fn threads_that_share_a_grammar_see_what_one_thread_sees() {
    let alone = compiled();
    let expected: Vec<Vec<Vec<u32>>> = (0..N_THREADS).map(|seed| walk(&alone, seed % 4, 60).1).collect();
    let shared = compiled();
    let actual: Vec<Vec<Vec<u32>>> = std::thread::scope(|scope| {
        let walks: Vec<_> = (0..N_THREADS)
            .map(|seed| (seed, &shared))
            .map(|(seed, it)| scope.spawn(move || walk(it, seed % 4, 60).1))
            .collect();
        walks.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(expected == actual, "masks differ between one thread and {N_THREADS}");
}

#[test]
fn a_batch_is_filled_as_one_by_one() {
    let grammar = compiled();
    let n_words = grammar.vocabulary().mask_words();
    let (mut matchers, masks): (Vec<Matcher>, Vec<Vec<Vec<u32>>>) =
        (0..33).map(|seed| walk(&grammar, seed, seed % 17)).unzip();
    let expected: Vec<u32> = masks.iter().flat_map(|it| it.last().unwrap()).copied().collect();
    for n_threads in [1, 2, 7] {
        let mut rows = vec![u32::MAX; matchers.len() * n_words];
        fill_masks(&mut matchers, &mut rows, n_threads).unwrap();
        assert!(rows == expected, "batch on {n_threads} threads");
    }
}

#[test]
fn refusals_are_typed_and_change_nothing() {
    let grammar = compiled();
    let (mut matcher, masks) = walk(&grammar, 9, 10);
    let n_tokens = grammar.vocabulary().len();
    let beyond = TokenId::new(u32::try_from(n_tokens).unwrap());
    assert!(matches!(matcher.accept_token(beyond), Err(MatchError::TokenOutOfRange { .. })));
    assert!(matches!(matcher.accept_token(TokenId::new(u32::MAX)), Err(MatchError::TokenOutOfRange { .. })));
    assert!(matches!(matcher.accept_bytes(b"\x00"), Err(MatchError::ByteNotAllowed { offset: 0 })));
    let mut short = vec![0; grammar.vocabulary().mask_words() - 1];
    assert!(matches!(matcher.fill_mask(&mut short), Err(MatchError::BufferTooShort { .. })));
    assert_eq!(mask(&mut matcher, grammar.vocabulary()), *masks.last().unwrap());
}
