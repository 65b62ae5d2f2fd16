//! Which small grammars are tried against the twin? Shapes, rules and pieces, as random choices have them.

use formwork::grammar::KeyOrder;
use serde_json::{Value, json};

use crate::oracle::{
    Body, Bound, Elements, Field, Fields, Key, N_SPECIAL, PATTERNS, Piece, Shape, ShapeSet, TRIGGERS, Twin, Way,
};
use crate::universe::Dice;
use crate::vocabulary::SmallVocabulary;

pub(super) fn key_order(dice: &mut Dice) -> KeyOrder {
    *dice.pick(&[KeyOrder::Any, KeyOrder::Listed])
}

/// A number below `n`.
fn small(dice: &mut Dice, n: u32) -> u32 {
    dice.below(n as usize) as u32
}

/// A least number below 3, and perhaps a greatest.
fn bounds(dice: &mut Dice) -> (u32, Option<u32>) {
    let min = small(dice, 3);
    (min, (!dice.one_in(3)).then(|| min + small(dice, 3)))
}

fn several<T>(dice: &mut Dice, most: usize, mut draw: impl FnMut(&mut Dice) -> T) -> Vec<T> {
    (0..dice.below(most + 1)).map(|_| draw(dice)).collect()
}

/// A schema of the twin's subset.
pub(super) fn shape_set(dice: &mut Dice) -> ShapeSet {
    let root = shape(dice, 3);
    let n_definitions = 1 + dice.below(2);
    // Definitions are objects, so that no reference goes round in a circle that consumes nothing.
    let definition = |value: Shape| Shape::Object(vec![Key { name: "d".to_owned(), required: false, value }], None);
    ShapeSet { root, definitions: (0..n_definitions).map(|_| definition(shape(dice, 2))).collect() }
}

fn shape(dice: &mut Dice, depth: usize) -> Shape {
    let n_kinds = if depth == 0 { 7 } else { 11 };
    match dice.below(n_kinds) {
        0 => Shape::Null,
        1 => Shape::Boolean,
        2 => {
            let minimum = dice.below(35) as i64 - 15;
            Shape::Integer(minimum, minimum + dice.below(130) as i64)
        }
        3 => {
            let (min, max) = bounds(dice);
            Shape::Text(min, max)
        }
        4 => Shape::Pattern(dice.below(PATTERNS.len())),
        5 => {
            let first = scalar(dice);
            Shape::Enum([vec![first], several(dice, 3, scalar)].concat())
        }
        6 => Shape::Ref(dice.below(4)),
        7 => {
            let prefix = several(dice, 2, |dice| shape(dice, depth - 1));
            let others = dice.one_in(2).then(|| Box::new(shape(dice, depth - 1)));
            let (min, max) = bounds(dice);
            Shape::Array(prefix, others, min, max)
        }
        8 => {
            let first = shape(dice, depth - 1);
            Shape::AnyOf([vec![first], several(dice, 2, |dice| shape(dice, depth - 1))].concat())
        }
        _ => {
            let names = dice.some(&["a", "ab", "b", "é", "x\"", ""]);
            let key = |dice: &mut Dice, name: &str| {
                let required = dice.one_in(2);
                Key { name: name.to_owned(), required, value: shape(dice, depth - 1) }
            };
            let keys = names.into_iter().map(|name| key(dice, name)).collect();
            let others = dice.one_in(2).then(|| Box::new(shape(dice, depth - 1)));
            Shape::Object(keys, others)
        }
    }
}

fn scalar(dice: &mut Dice) -> Value {
    match dice.below(4) {
        0 => Value::Null,
        1 => json!(dice.one_in(2)),
        2 => json!(dice.below(220) as i64 - 20),
        _ => several(dice, 4, |dice| *dice.pick(&['a', 'b', 'x', '"', '\\', '\n', 'é', '日']))
            .into_iter()
            .collect::<String>()
            .into(),
    }
}

/// Rules of a grammar; the first is the start.
pub(super) fn rules(dice: &mut Dice) -> Vec<Body> {
    if dice.one_in(2) {
        return vec![body(dice, 2), body(dice, 2)];
    }
    let obliged = |dice: &mut Dice| {
        let is_list = dice.one_in(2);
        let values = |dice: &mut Dice| (0..1 + dice.below(3)).map(|_| value(dice)).collect();
        match is_list {
            true => Body::Elements(elements(dice), values(dice)),
            false => Body::Fields(fields(dice), values(dice)),
        }
    };
    vec![obliged(dice), obliged(dice)]
}

fn body(dice: &mut Dice, depth: usize) -> Body {
    let n_kinds = if depth == 0 { 5 } else { 8 };
    let literal =
        |dice: &mut Dice| -> Vec<u8> { (0..1 + dice.below(3)).map(|_| *dice.pick(b"ab(),\"{\xc3\xa9")).collect() };
    let parts = |dice: &mut Dice| (0..1 + dice.below(3)).map(|_| body(dice, depth.saturating_sub(1))).collect();
    match dice.below(n_kinds) {
        0 => Body::Literal(literal(dice)),
        1 => Body::Word('a', 'b'),
        2 => Body::Word('à', 'é'),
        3 => {
            let item = literal(dice);
            let (min, max) = bounds(dice);
            Body::List(item, min, max)
        }
        4 => Body::Nested(dice.below(2)),
        5 => Body::Choice(parts(dice)),
        _ => Body::Sequence(parts(dice)),
    }
}

/// Values of lists and records: some alike, some that nest, and perhaps some without any text.
fn value(dice: &mut Dice) -> Body {
    match dice.below(8) {
        0 | 1 => Body::Word('a', 'b'),
        2 => Body::Nested(dice.below(2)),
        3 => Body::Choice(Vec::new()),
        _ => Body::Literal((*dice.pick(&["1", "12", "a", "true", "\"a\""])).into()),
    }
}

fn way(dice: &mut Dice) -> Way {
    Way { value: dice.below(4), meets: small(dice, 8) }
}

fn elements(dice: &mut Dice) -> Elements {
    let prefix = several(dice, 2, |dice| several(dice, 2, way));
    let (rest, counters) = (several(dice, 3, way), several(dice, 3, bounds));
    let (min, max) = bounds(dice);
    Elements { prefix, rest, counters, min, max }
}

fn fields(dice: &mut Dice) -> Fields {
    let names = dice.some(&["a", "ab", "b", "é", "", "abc"]);
    let field = |dice: &mut Dice, name: &'static str| {
        let first = way(dice);
        Field { name, ways: [vec![first], several(dice, 1, way)].concat(), required: dice.one_in(5) }
    };
    let named = names.into_iter().map(|name| field(dice, name)).collect();
    let others = if dice.one_in(2) { several(dice, 3, |dice| several(dice, 2, way)) } else { Vec::new() };
    let presence = several(dice, 4, |dice| several(dice, 3, |dice| (dice.below(6), dice.one_in(2))));
    let (min, max) = bounds(dice);
    let n_unordered = if dice.one_in(2) { small(dice, 6) } else { 0 };
    Fields { named, n_unordered, others, n_goals: small(dice, 4), presence, min, max }
}

/// An output of several parts.
pub(super) fn piece(dice: &mut Dice) -> Piece {
    any_piece(dice, 3)
}

fn any_piece(dice: &mut Dice, depth: usize) -> Piece {
    let n_kinds = if depth == 0 { 4 } else { 10 };
    let parts = |dice: &mut Dice| (0..1 + dice.below(3)).map(|_| any_piece(dice, depth.saturating_sub(1))).collect();
    match dice.below(n_kinds) {
        0 | 1 => solid(dice),
        2 => free(dice),
        3 => Piece::Text(String::new()),
        4 | 5 => Piece::Choice(parts(dice)),
        6 | 7 => {
            let item = Piece::Sequence(vec![solid(dice), any_piece(dice, depth - 1)]);
            let separator = dice.one_in(2).then(|| Box::new(any_piece(dice, depth - 1)));
            let (min, max) = bounds(dice);
            Piece::Repeat(Box::new(item), separator, min, max)
        }
        _ => Piece::Sequence(parts(dice)),
    }
}

fn has_instances(set: &ShapeSet, key_order: KeyOrder) -> bool {
    let (language, start) = set.to_language(key_order);
    Twin::new(language, start, &SmallVocabulary::bytes()).is_alive()
}

fn free(dice: &mut Dice) -> Piece {
    let texts = several(dice, 2, |dice| *dice.pick(&TRIGGERS));
    Piece::Free(texts, several(dice, 1, |dice| small(dice, N_SPECIAL)))
}

/// A piece that derives no empty text.
fn solid(dice: &mut Dice) -> Piece {
    let bound = |dice: &mut Dice| Bound { max: (!dice.one_in(3)).then(|| small(dice, 3)), surrounding: dice.one_in(2) };
    let word = |dice: &mut Dice| *dice.pick(&["a", "ab", "<a"]);
    match dice.below(6) {
        0 => Piece::Text((0..1 + dice.below(3)).map(|_| *dice.pick(&['<', '>', 'a', 'b', '1', ' ', 'é'])).collect()),
        1 => Piece::Text((*dice.pick(&TRIGGERS)).to_owned()),
        2 => Piece::Special(small(dice, N_SPECIAL)),
        3 => {
            // A part without instances is refused, wherever it stands.
            let (set, key_order) = (shape_set(dice), key_order(dice));
            let set = if has_instances(&set, key_order) { set } else { ShapeSet { root: Shape::Null, ..set } };
            Piece::Schema(set, key_order)
        }
        4 => {
            let special = dice.one_in(2).then(|| small(dice, N_SPECIAL));
            Piece::Words(word(dice), 1 + small(dice, 3), bound(dice), special)
        }
        _ => {
            let texts = several(dice, 2, |dice| *dice.pick(&TRIGGERS));
            Piece::Between(word(dice), texts, bound(dice))
        }
    }
}
