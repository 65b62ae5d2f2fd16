//! Are the masks of outputs in parts exact? Random structures, and calls in free text, against the naive twin.

use formwork::{Grammar, Marker, Structure, Tag, TagCount};

use super::Counters;
use super::draw::{self, N_SPECIAL};
use super::oracle::compare;
use crate::oracle::{Language, Piece};
use crate::universe::Dice;
use crate::vocabulary::SmallVocabulary;

const N_RANDOM_TOKENS: usize = 50;

/// Single bytes, some of which are no text: byte fallback has them all.
const SINGLES: &[u8] = b"<>/ab1{}\",:[] \n\xc3\xa9\xa8\xe6\x97\xa5\xff\xfe\x80";

/// Pieces that cross the ends of what free text must not hold, and characters.
const PIECES: [&[u8]; 20] = [
    b"<",
    b">",
    b"<a",
    b"a>",
    b"/",
    b"a",
    b"b",
    b"ab",
    b"{\"",
    b"\":",
    b"1",
    b",",
    b"}",
    b" ",
    b"\n ",
    "\u{e9}".as_bytes(),
    b"\xc3",
    b"\xa9",
    b"\xff",
    b"\xe6\x97",
];

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let mut dice = Dice::from_bytes(input);
    let is_tagged = dice.one_in(3);
    let piece = draw::piece(&mut dice);
    let seed = dice.below(1 << 16) as u64;
    let vocabulary = SmallVocabulary::of_pieces(SINGLES, &PIECES, N_RANDOM_TOKENS, seed).with_special(N_SPECIAL);
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
