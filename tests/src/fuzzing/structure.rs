//! Are the masks of outputs in parts exact? Random structures, and calls in free text, against the naive twin.

use formwork::{Grammar, Marker, Structure, Tag, TagCount};

use super::Counters;
use super::draw;
use super::oracle::compare;
use crate::oracle::{Language, Piece};
use crate::universe::Dice;

const N_RANDOM_TOKENS: usize = 50;

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let mut dice = Dice::from_bytes(input);
    let is_tagged = dice.one_in(3);
    let piece = draw::piece(&mut dice);
    let seed = dice.below(1 << 16) as u64;
    let vocabulary = Piece::vocabulary(N_RANDOM_TOKENS, seed);
    let mut language = Language::default();
    let (structure, start) = if is_tagged {
        let count = *dice.pick(&[TagCount::Any, TagCount::AtLeastOne, TagCount::AtMostOne, TagCount::One]);
        let begins = [*dice.pick(&["<a", "ab", "b\u{e9}<"]), *dice.pick(&["<b", "1", "<"])];
        let tag = |begin: &str, content: &Piece| Tag {
            begin: Marker::from(begin),
            content: content.to_structure(&vocabulary),
            end: Marker::from("</a>"),
        };
        let empty = Piece::Text(String::new());
        let structure = Structure::tagged_text([tag(begins[0], &piece), tag(begins[1], &empty)], count);
        (structure, tagged(&piece, begins, count).to_expression(&mut language))
    } else {
        (piece.to_structure(&vocabulary), piece.to_expression(&mut language))
    };
    compare(&Grammar::structure(structure), (language, start), &vocabulary, &mut dice, counters);
}

/// What [`Structure::tagged_text`] means, from its documentation: tags in free text that holds none of their beginnings.
fn tagged(content: &Piece, begins: [&'static str; 2], count: TagCount) -> Piece {
    let text = |text: &str| Piece::Text(text.to_owned());
    let free = Piece::Free(begins.to_vec(), Vec::new());
    let first = Piece::Sequence(vec![text(begins[0]), content.clone(), text("</a>")]);
    let tag = Piece::Choice(vec![first, Piece::Sequence(vec![text(begins[1]), text("</a>")])]);
    let (min, max) = match count {
        TagCount::Any => (0, None),
        TagCount::AtLeastOne => (1, None),
        TagCount::AtMostOne => (0, Some(1)),
        TagCount::One => (1, Some(1)),
    };
    let between = if max.is_none() { vec![tag, free.clone()] } else { vec![tag] };
    Piece::Sequence(vec![free, Piece::Repeat(Box::new(Piece::Sequence(between)), None, min, max)])
}
