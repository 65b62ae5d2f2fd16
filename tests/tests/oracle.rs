//! Are the engine's masks exact? Random small grammars and vocabularies against the naive twin, token by token.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use formwork::grammar::KeyOrder;
use formwork::json_schema::{Escapes, Layout, SchemaOptions};
use formwork::{Compiler, Grammar, Limits};
use formwork_tests::oracle::{
    Body, Elements, ExprId, Field, Fields, Key, Language, PATTERNS, Shape, ShapeSet, Twin, Way,
};
use formwork_tests::oracle::{to_grammar, to_grammar_in_order};
use formwork_tests::vocabulary::SmallVocabulary;
use formwork_tests::walk::Walk;
use proptest::prelude::*;
use serde_json::{Value, json};

const N_RANDOM_TOKENS: usize = 60;
const N_WALKS: u64 = 3;
const N_STEPS: usize = 14;

/// Compares along a few walks; a grammar without texts must be refused as unsatisfiable.
fn check(grammar: &Grammar, language: Language, start: ExprId, seed: u64) {
    check_with(&SmallVocabulary::random(N_RANDOM_TOKENS, seed), N_STEPS, grammar, (language, start), seed);
}

/// The same with a vocabulary and a length of the walks.
fn check_with(
    vocabulary: &SmallVocabulary,
    n_steps: usize,
    grammar: &Grammar,
    (language, start): (Language, ExprId),
    seed: u64,
) {
    let mut twin = Twin::new(language, start, vocabulary);
    // Small caches are started anew in the middle of a text.
    let max_cache_bytes = if seed.is_multiple_of(4) { 20_000 } else { 64 << 20 };
    let limits = Limits { max_cache_bytes, ..Limits::default() };
    let compiled = match Compiler::builder(vocabulary.to_formwork()).limits(limits).build().compile(grammar) {
        Ok(compiled) => compiled,
        Err(error) => {
            assert!(error.is_unsatisfiable() && !twin.is_alive(), "refused: {error}");
            return;
        }
    };
    assert!(twin.is_alive(), "a grammar without texts was compiled");
    for walk in 0..N_WALKS {
        Walk::new(vocabulary, compiled.matcher(), twin.clone(), seed ^ walk << 32).run(n_steps);
    }
}

fn check_schema(set: &ShapeSet, key_order: KeyOrder, seed: u64) {
    let options = SchemaOptions {
        layout: Layout { escapes: Escapes::Any, ..Layout::COMPACT },
        key_order,
        ..SchemaOptions::default()
    };
    let (language, start) = set.to_language(key_order);
    check(&Grammar::json_schema(set.to_schema()).with_options(options), language, start, seed);
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-20i64..200).prop_map(Value::from),
        "[abx\"\\\\\n é日]{0,4}".prop_map(Value::from),
    ]
}

fn leaf() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Null),
        Just(Shape::Boolean),
        (-15i64..20, 0i64..130).prop_map(|(minimum, width)| Shape::Integer(minimum, minimum + width)),
        (0u32..4, prop::option::of(0u32..5)).prop_map(|(min, room)| Shape::Text(min, room.map(|room| min + room))),
        (0..PATTERNS.len()).prop_map(Shape::Pattern),
        prop::collection::vec(scalar(), 1..5).prop_map(Shape::Enum),
        any::<usize>().prop_map(Shape::Ref),
    ]
}

fn bounds() -> impl Strategy<Value = (u32, Option<u32>)> {
    (0u32..3, prop::option::of(0u32..3)).prop_map(|(min, room)| (min, room.map(|room| min + room)))
}

fn shape() -> impl Strategy<Value = Shape> {
    leaf().prop_recursive(3, 12, 4, |inner| {
        let prefix = prop::collection::vec(inner.clone(), 0..3);
        let others = prop::option::of(inner.clone().prop_map(Box::new));
        let array = (prefix, others.clone(), bounds())
            .prop_map(|(prefix, others, (min, max))| Shape::Array(prefix, others, min, max));
        let names = prop::sample::subsequence(vec!["a", "ab", "b", "é", "x\"", ""], 0..4).prop_shuffle();
        let values = prop::collection::vec((any::<bool>(), inner.clone()), 4);
        let object = (names, values, others).prop_map(|(names, values, others)| {
            let key = |(name, (required, value)): (&str, (bool, Shape))| Key { name: name.to_owned(), required, value };
            Shape::Object(names.into_iter().zip(values).map(key).collect(), others)
        });
        prop_oneof![3 => array, 4 => object, 2 => prop::collection::vec(inner, 1..4).prop_map(Shape::AnyOf)]
    })
}

/// Definitions are lists or objects, so that no reference goes round in a circle that consumes nothing.
fn definition() -> impl Strategy<Value = Shape> {
    shape().prop_map(|shape| Shape::Object(vec![Key { name: "d".to_owned(), required: false, value: shape }], None))
}

fn body() -> impl Strategy<Value = Body> {
    let literal = prop::collection::vec(prop::sample::select(b"ab(),\"{\xc3\xa9".to_vec()), 1..4);
    let leaf = prop_oneof![
        literal.clone().prop_map(Body::Literal),
        Just(Body::Word('a', 'b')),
        Just(Body::Word('à', 'é')),
        (literal, bounds()).prop_map(|(item, (min, max))| Body::List(item, min, max)),
        any::<usize>().prop_map(Body::Nested),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Body::Sequence),
            prop::collection::vec(inner, 1..4).prop_map(Body::Choice),
        ]
    })
}

/// Values of lists and records: some alike, some that nest, and perhaps some without any text.
fn values() -> impl Strategy<Value = Vec<Body>> {
    let value = prop_oneof![
        4 => prop::sample::select(vec!["1", "12", "a", "true", "\"a\""]).prop_map(|it| Body::Literal(it.into())),
        2 => Just(Body::Word('a', 'b')),
        1 => any::<usize>().prop_map(Body::Nested),
        1 => Just(Body::Choice(Vec::new())),
    ];
    prop::collection::vec(value, 1..4)
}

fn ways(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Way>> {
    prop::collection::vec((any::<usize>(), 0u32..8).prop_map(|(value, meets)| Way { value, meets }), n)
}

fn elements() -> impl Strategy<Value = Elements> {
    let counters = prop::collection::vec((0u32..3, prop::option::of(0u32..3)), 0..4);
    (prop::collection::vec(ways(0..3), 0..3), ways(0..4), counters, bounds()).prop_map(
        |(prefix, rest, counters, (min, max))| {
            let counters = counters.into_iter().map(|(min, room)| (min, room.map(|room| min + room))).collect();
            Elements { prefix, rest, counters, min, max }
        },
    )
}

fn fields() -> impl Strategy<Value = Fields> {
    let names = prop::sample::subsequence(vec!["a", "ab", "b", "é", "", "abc"], 0..6).prop_shuffle();
    let values = prop::collection::vec((ways(1..3), prop::bool::weighted(0.2)), 6);
    let others = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(ways(0..3), 1..4)];
    let clause = prop::collection::vec((any::<usize>(), any::<bool>()), 0..4);
    let presence = prop_oneof![1 => Just(Vec::new()), 2 => prop::collection::vec(clause, 0..5)];
    let n_unordered = prop_oneof![Just(0), 0u32..6];
    (names, values, n_unordered, others, 0u32..4, presence, (0u32..5, prop::option::of(0u32..3))).prop_map(
        |(names, values, n_unordered, others, n_goals, presence, (min, room))| {
            let max = room.map(|room| min + room);
            let field = |(name, (ways, required)): (&'static str, (Vec<Way>, bool))| Field { name, ways, required };
            let named = names.into_iter().zip(values).map(field).collect();
            Fields { named, n_unordered, others, n_goals, presence, min, max }
        },
    )
}

/// What the texts of lists and records are made of, and pieces of tokens that hold several elements or entries.
const OBLIGED_SINGLES: &[u8] = b"\"[]{}(),:abcxtrue12\xc3\xa9";
const OBLIGED_PIECES: [&[u8]; 16] =
    [b"1", b"1", b"12", b"a", b",", b",", b"1,1,1", b"]", b"[", b"{", b"}", b"\"", b"\"a", b"\":", b"1,\"", b",\"x"];

/// A list or record among other things.
fn obliged() -> impl Strategy<Value = Vec<Body>> {
    let body = prop_oneof![
        (elements(), values()).prop_map(|(elements, values)| Body::Elements(elements, values)),
        (fields(), values()).prop_map(|(fields, values)| Body::Fields(fields, values)),
    ];
    prop::collection::vec(body, 1..3)
}

/// `PROPTEST_CASES=5000 cargo test -p formwork-tests --test oracle` looks longer.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    ProptestConfig { cases, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn schemas_have_exact_masks(
        root in shape(),
        definitions in prop::collection::vec(definition(), 1..3),
        seed in any::<u64>(),
    ) {
        let set = ShapeSet { root, definitions };
        check_schema(&set, KeyOrder::Listed, seed);
        check_schema(&set, KeyOrder::Any, seed);
    }

    #[test]
    fn grammars_have_exact_masks(rules in prop::collection::vec(body(), 1..4), seed in any::<u64>()) {
        let (grammar, language, start) = to_grammar(&rules);
        check(&grammar, language, start, seed);
    }

    #[test]
    fn lists_and_records_with_obligations_have_exact_masks(rules in obliged(), seed in any::<u64>()) {
        for order in [KeyOrder::Listed, KeyOrder::Any] {
            let (grammar, language, start) = to_grammar_in_order(&rules, order);
            let vocabulary = SmallVocabulary::of_pieces(OBLIGED_SINGLES, &OBLIGED_PIECES, N_RANDOM_TOKENS, seed);
            check_with(&vocabulary, 2 * N_STEPS, &grammar, (language, start), seed);
        }
    }

    #[test]
    fn choices_have_exact_masks(choices in prop::collection::vec("[abx\"é,{]{1,5}", 1..8), seed in any::<u64>()) {
        let mut language = Language::default();
        let spellings: Vec<ExprId> = choices.iter().map(|it| language.literal(it)).collect();
        let start = language.choice(spellings);
        check(&Grammar::choice(choices), language, start, seed);
    }
}

#[test]
fn known_hard_places_are_exact() {
    let key = |name: &str, required, value| Key { name: name.to_owned(), required, value };
    let text = |min, max| Shape::Text(min, max);
    let pair = |value: Shape| Shape::Object(vec![key("a", true, value.clone()), key("ab", false, value)], None);
    let roots = [
        text(0, Some(1)),
        text(3, Some(3)),
        Shape::Pattern(1),
        Shape::Pattern(5),
        pair(text(0, Some(2))),
        Shape::AnyOf(vec![pair(Shape::Null), pair(Shape::Boolean), pair(Shape::Integer(0, 120))]),
        Shape::Array(vec![Shape::Boolean, text(0, None)], Some(Box::new(Shape::Integer(-3, 11))), 1, Some(4)),
        Shape::Object(vec![key("a", false, Shape::Null)], Some(Box::new(text(0, Some(1))))),
        Shape::Enum(vec![json!("a"), json!("ab"), json!("a\"\n"), json!(1), json!(12), Value::Null]),
        Shape::Array(Vec::new(), Some(Box::new(Shape::Ref(0))), 0, None),
    ];
    let definitions =
        vec![Shape::Object(vec![key("a", false, Shape::Ref(0)), key("b", true, Shape::Integer(0, 9))], None)];
    for root in roots {
        for seed in 0..4 {
            let set = ShapeSet { root: root.clone(), definitions: definitions.clone() };
            check_schema(&set, KeyOrder::Listed, seed);
            check_schema(&set, KeyOrder::Any, seed);
        }
    }
}

#[test]
fn regexes_have_exact_masks() {
    for seed in 0..6 {
        let mut language = Language::default();
        let letter = language.range(b'a', b'c');
        let word = language.repeat(letter, 2, Some(5));
        let digit = language.range(b'0', b'9');
        let digits = language.repeat(digit, 0, None);
        let accent = language.literal("é");
        let accent = language.optional(accent);
        let start = language.sequence([word, accent, digits]);
        check(&Grammar::regex("[a-c]{2,5}é?[0-9]*"), language, start, seed);
    }
}
