//! Are the masks of outputs in parts exact? Random structures against the naive twin, token by token.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork::grammar::KeyOrder;
use formwork::{Compiler, Grammar, Limits};
use formwork_tests::oracle::{Bound, Key, Language, N_SPECIAL, Piece, Shape, ShapeSet, TRIGGERS, Twin};
use formwork_tests::walk::Walk;
use proptest::prelude::*;

const N_RANDOM_TOKENS: usize = 60;
const N_WALKS: u64 = 3;
const N_STEPS: usize = 16;

fn check(piece: &Piece, seed: u64) {
    let vocabulary = Piece::vocabulary(N_RANDOM_TOKENS, seed);
    let mut language = Language::default();
    let start = piece.to_expression(&mut language);
    let mut twin = Twin::new(language, start, &vocabulary);
    // Every second time the caches are as good as full at all times, so that matchers move on again and again.
    let max_cache_bytes = if seed.is_multiple_of(2) { 20_000 } else { 64 << 20 };
    let limits = Limits { max_cache_bytes, ..Limits::default() };
    let compiler = Compiler::builder(vocabulary.to_formwork()).limits(limits).build();
    let compiled = match compiler.compile(&Grammar::structure(piece.to_structure(&vocabulary))) {
        Ok(compiled) => compiled,
        Err(error) => {
            assert!(error.is_unsatisfiable() && !twin.is_alive(), "refused: {error}");
            return;
        }
    };
    assert!(twin.is_alive(), "a structure without texts was compiled");
    for walk in 0..N_WALKS {
        Walk::new(&vocabulary, compiled.matcher(), twin.clone(), seed ^ walk << 32).run(N_STEPS);
    }
}

fn free() -> impl Strategy<Value = Piece> {
    let texts = prop::sample::subsequence(TRIGGERS.to_vec(), 0..3);
    (texts, prop::collection::vec(0..N_SPECIAL, 0..2)).prop_map(|(texts, tokens)| Piece::Free(texts, tokens))
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "ab", "<a"])
}

/// Pieces that derive no empty text.
fn solid() -> impl Strategy<Value = Piece> {
    let bound = (prop::option::of(0u32..3), any::<bool>()).prop_map(|(max, surrounding)| Bound { max, surrounding });
    let order = any::<bool>().prop_map(|any| if any { KeyOrder::Any } else { KeyOrder::Listed });
    prop_oneof![
        "[<>ab1 \u{e9}]{1,3}".prop_map(Piece::Text),
        prop::sample::select(TRIGGERS.to_vec()).prop_map(|text| Piece::Text(text.to_owned())),
        (0..N_SPECIAL).prop_map(Piece::Special),
        (schema(), order).prop_map(|(set, order)| Piece::Schema(set, order)),
        (word(), 1u32..4, bound.clone(), prop::option::of(0..N_SPECIAL))
            .prop_map(|(word, max, bound, special)| Piece::Words(word, max, bound, special)),
        (word(), prop::sample::subsequence(TRIGGERS.to_vec(), 0..3), bound)
            .prop_map(|(word, texts, bound)| Piece::Between(word, texts, bound)),
    ]
}

fn schema() -> impl Strategy<Value = ShapeSet> {
    let key = |name: &str, required, value| Key { name: name.to_owned(), required, value };
    let value = prop_oneof![Just(Shape::Boolean), Just(Shape::Integer(0, 12)), Just(Shape::Text(0, Some(2)))];
    (value, any::<bool>(), any::<bool>()).prop_map(move |(value, a, b)| {
        let root = Shape::Object(vec![key("a", a, value), key("b", b, Shape::Null)], None);
        ShapeSet { root, definitions: Vec::new() }
    })
}

fn piece() -> impl Strategy<Value = Piece> {
    let leaf = prop_oneof![2 => solid(), 1 => free(), 1 => Just(Piece::Text(String::new()))];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let item = (solid(), inner.clone()).prop_map(|(solid, rest)| Piece::Sequence(vec![solid, rest]));
        let bounds = (0u32..3, prop::option::of(0u32..3)).prop_map(|(min, room)| (min, room.map(|room| min + room)));
        let repeat = (item, prop::option::of(inner.clone()), bounds)
            .prop_map(|(item, separator, (min, max))| Piece::Repeat(Box::new(item), separator.map(Box::new), min, max));
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(Piece::Sequence),
            2 => prop::collection::vec(inner, 1..4).prop_map(Piece::Choice),
            2 => repeat,
        ]
    })
}

/// `PROPTEST_CASES=5000 cargo test -p formwork-tests --test structures` looks longer.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    ProptestConfig { cases, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn structures_have_exact_masks(piece in piece(), seed in any::<u64>()) {
        check(&piece, seed);
    }

    #[test]
    fn calls_in_free_text_have_exact_masks(
        begin in prop::sample::select(TRIGGERS.to_vec()),
        content in solid(),
        special in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let free = Piece::Free(vec![begin], vec![0]);
        let begin = if special { Piece::Special(0) } else { Piece::Text(begin.to_owned()) };
        let end = if special { Piece::Special(1) } else { Piece::Text("</a>".to_owned()) };
        let call = Piece::Sequence(vec![begin, content, end, free.clone()]);
        check(&Piece::Sequence(vec![free, Piece::Repeat(Box::new(call), None, 0, None)]), seed);
    }
}

#[test]
fn known_hard_places_are_exact() {
    let text = |text: &str| Piece::Text(text.to_owned());
    let words = |word, max, surrounding| Piece::Words(word, 3, Bound { max, surrounding }, None);
    let pieces = [
        // Two grammars that agree but for their whitespace, and text that is neither.
        Piece::Choice(vec![words("a", Some(2), false), words("a", None, true), text("a, a ")]),
        Piece::Sequence(vec![words("a", Some(1), false), text(" ,a"), words("a", Some(0), true), text("\n")]),
        // Free text in front of free text, and of nothing.
        Piece::Sequence(vec![Piece::Free(vec!["ab"], vec![]), Piece::Free(vec!["a<", "\u{e9}"], vec![])]),
        Piece::Free(vec![], vec![]),
        // What free text is without begins within itself.
        Piece::Sequence(vec![Piece::Free(vec!["aba"], vec![]), text("aba"), Piece::Special(1)]),
        Piece::Sequence(vec![Piece::Special(0), Piece::Free(vec!["\u{e9}"], vec![1]), Piece::Special(1), text("a")]),
    ];
    for piece in pieces {
        (0..6).for_each(|seed| check(&piece, seed));
    }
}
