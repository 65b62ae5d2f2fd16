//! How is an output of several parts said to the engine and to the twin? Pieces that translate into both.

use formwork::grammar::{Expr, GrammarBuilder, KeyOrder, Whitespace};
use formwork::json_schema::{Escapes, Layout, SchemaOptions};
use formwork::{Grammar, Marker, Structure, Terminal, TokenId};

use super::expression::{ExprId, Language};
use super::shape::ShapeSet;
use crate::vocabulary::SmallVocabulary;

/// Number of special tokens that pieces name.
pub const N_SPECIAL: u32 = 3;

/// What free text may have to be without: some are parts of others, some end within what others begin with.
pub const TRIGGERS: [&str; 8] = ["<a>", "<a", "a<", "ab", "aba", "\u{e9}", "b\u{e9}<", "</a>"];

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

/// A part of an output.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Text.
    Text(String),
    /// A special token by number.
    Special(u32),
    /// Free text without some texts, and without the special tokens of these numbers.
    Free(Vec<&'static str>, Vec<u32>),
    /// A schema's instances in compact layout.
    Schema(ShapeSet, KeyOrder),
    /// The word `1` to `max` times with commas, or a special token, between, and whitespace between those lexemes.
    Words(&'static str, u32, Bound, Option<u32>),
    /// Free text without some texts (none holds whitespace) between two words, and whitespace between those lexemes.
    Between(&'static str, Vec<&'static str>, Bound),
    /// One after the other.
    Sequence(Vec<Piece>),
    /// Any of them.
    Choice(Vec<Piece>),
    /// The piece, which does not derive the empty text, so often, with something between.
    Repeat(Box<Piece>, Option<Box<Piece>>, u32, Option<u32>),
}

/// Whitespace of a grammar: greatest number of bytes in a row, and whether it may stand around the text.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Greatest number; `None` is unbounded.
    pub max: Option<u32>,
    /// Whether it may also stand before the first lexeme and behind the last.
    pub surrounding: bool,
}

impl Piece {
    /// Single bytes, `n_random` tokens that cross the ends of [`TRIGGERS`], and special tokens.
    pub fn vocabulary(n_random: usize, seed: u64) -> SmallVocabulary {
        SmallVocabulary::of_pieces(SINGLES, &PIECES, n_random, seed).with_special(N_SPECIAL)
    }

    /// As the engine takes it, for this vocabulary.
    pub fn to_structure(&self, vocabulary: &SmallVocabulary) -> Structure {
        match self {
            Piece::Text(text) => Structure::text(text),
            Piece::Special(token) => Structure::special(SmallVocabulary::special_name(*token)),
            Piece::Free(texts, tokens) => {
                let tokens = tokens.iter().map(|token| Marker::Special(SmallVocabulary::special_name(*token)));
                Structure::free(texts.iter().map(|text| Marker::from(*text)).chain(tokens))
            }
            Piece::Schema(set, key_order) => {
                let layout = Layout { escapes: Escapes::Any, ..Layout::COMPACT };
                let options = SchemaOptions { layout, key_order: *key_order, ..SchemaOptions::default() };
                Grammar::json_schema(set.to_schema()).with_options(options).into()
            }
            Piece::Words(word, max, bound, special) => {
                words(word, *max, *bound, special.map(|token| vocabulary.special_id(token)))
            }
            Piece::Between(word, texts, bound) => between(word, texts, *bound),
            Piece::Sequence(pieces) => Structure::sequence(pieces.iter().map(|piece| piece.to_structure(vocabulary))),
            Piece::Choice(pieces) => Structure::choice(pieces.iter().map(|piece| piece.to_structure(vocabulary))),
            Piece::Repeat(piece, separator, min, max) => Structure::Repeat {
                part: Box::new(piece.to_structure(vocabulary)),
                separator: separator.as_ref().map(|separator| Box::new(separator.to_structure(vocabulary))),
                min: *min,
                max: *max,
            },
        }
    }

    /// As the twin takes it.
    pub fn to_expression(&self, language: &mut Language) -> ExprId {
        match self {
            Piece::Text(text) => language.literal(text),
            Piece::Special(token) => language.special(*token),
            Piece::Free(texts, _) => language.free(texts),
            Piece::Schema(set, key_order) => set.to_expression(*key_order, language),
            Piece::Words(word, max, bound, special) => words_expression(word, *max, *bound, *special, language),
            Piece::Between(word, texts, bound) => {
                // Whitespace beside free text is free text, too.
                let around = around(*bound, language);
                let (word, free) = (language.literal(word), language.free(texts));
                language.sequence([around, word, free, word, around])
            }
            Piece::Sequence(pieces) => {
                let parts: Vec<ExprId> = pieces.iter().map(|piece| piece.to_expression(language)).collect();
                language.sequence(parts)
            }
            Piece::Choice(pieces) => {
                let parts: Vec<ExprId> = pieces.iter().map(|piece| piece.to_expression(language)).collect();
                language.choice(parts)
            }
            Piece::Repeat(piece, separator, min, max) => {
                let item = piece.to_expression(language);
                let separator = match separator {
                    Some(separator) => separator.to_expression(language),
                    None => language.empty(),
                };
                let next = language.sequence([separator, item]);
                let mut choices = Vec::new();
                if *min == 0 {
                    choices.push(language.empty());
                }
                if *max != Some(0) {
                    let others = language.repeat(next, min.saturating_sub(1), max.map(|max| max - 1));
                    choices.push(language.sequence([item, others]));
                }
                language.choice(choices)
            }
        }
    }
}

fn builder(bound: Bound) -> GrammarBuilder {
    let mut builder = GrammarBuilder::new();
    builder.set_whitespace(Some(Whitespace { max: bound.max, surrounding: bound.surrounding }));
    builder
}

fn words(word: &str, max: u32, bound: Bound, special: Option<TokenId>) -> Structure {
    let mut builder = builder(bound);
    let item = Box::new(Expr::Terminal(builder.terminal(Terminal::literal(word))));
    let separator = match special {
        None => Terminal::literal(","),
        Some(token) => Terminal::Special(token),
    };
    let separator = Some(builder.terminal(separator));
    let start = builder.nonterminal("words", Expr::Repeat { item, separator, min: 1, max: Some(max) });
    Grammar::from_builder(builder, start).into()
}

fn between(word: &str, without: &[&str], bound: Bound) -> Structure {
    let mut builder = builder(bound);
    let word = Expr::Terminal(builder.terminal(Terminal::literal(word)));
    let free = Expr::Terminal(builder.terminal(Terminal::free_text(without.iter().copied())));
    let start = builder.nonterminal("between", Expr::Sequence(vec![word.clone(), free, word]));
    Grammar::from_builder(builder, start).into()
}

/// Whitespace around a text.
fn around(bound: Bound, language: &mut Language) -> ExprId {
    if bound.surrounding { blanks(bound.max, language) } else { language.empty() }
}

fn blanks(max: Option<u32>, language: &mut Language) -> ExprId {
    let blanks: Vec<ExprId> = [" ", "\t", "\n", "\r"].iter().map(|blank| language.literal(blank)).collect();
    let blank = language.choice(blanks);
    language.repeat(blank, 0, max)
}

fn words_expression(word: &str, max: u32, bound: Bound, special: Option<u32>, language: &mut Language) -> ExprId {
    let (blanks, around) = (blanks(bound.max, language), around(bound, language));
    let word = language.literal(word);
    let separator = match special {
        None => language.literal(","),
        Some(token) => language.special(token),
    };
    let next = language.sequence([blanks, separator, blanks, word]);
    let others = language.repeat(next, 0, Some(max - 1));
    language.sequence([around, word, others, around])
}
