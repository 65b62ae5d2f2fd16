//! How is JSON laid out? Whitespace, separators, the length and spelling of numbers, the spelling of strings.

pub use crate::automata::{Escapes, Numbers};
use crate::grammar::Whitespace;

/// The layout that output must have.
///
/// The default is [`Layout::BOUNDED`]: whitespace wherever JSON allows it, but bounded, so that a model cannot loop
/// for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What stands between two elements, usually `","`.
    pub item_separator: &'static str,
    /// What stands between a key and its value, usually `":"`.
    pub key_separator: &'static str,
    /// Whitespace that may stand between any two lexemes.
    pub whitespace: Option<Whitespace>,
    /// Most digits before a number's point, and likewise after it; only with [`Numbers::Plain`].
    pub max_digits: Option<u32>,
    /// Which spellings of a number's value may be written.
    pub numbers: Numbers,
    /// Which spellings of a string's characters may be written, in values and in keys. Constants and named keys are spelled in
    /// one way: with as few escapes as that allows.
    pub escapes: Escapes,
}

impl Layout {
    /// Any whitespace up to 64 bytes in a row between lexemes, numbers of up to 40 digits either side of the point.
    pub const BOUNDED: Layout = Layout {
        item_separator: ",",
        key_separator: ":",
        whitespace: Some(Whitespace { max: Some(64), surrounding: false }),
        max_digits: Some(40),
        numbers: Numbers::Plain,
        escapes: Escapes::Canonical,
    };
    /// No whitespace at all.
    pub const COMPACT: Layout = Layout { whitespace: None, ..Layout::BOUNDED };
    /// One space after each comma and colon and none elsewhere, as Python's `json.dumps` writes it.
    pub const SPACED: Layout = Layout { item_separator: ", ", key_separator: ": ", ..Layout::COMPACT };
    /// Whatever JSON allows: unbounded whitespace, also around the document, numbers in any spelling and length, and any escapes.
    pub const FREE: Layout = Layout {
        whitespace: Some(Whitespace { max: None, surrounding: true }),
        max_digits: None,
        numbers: Numbers::Any,
        escapes: Escapes::Any,
        ..Layout::BOUNDED
    };
}

impl Default for Layout {
    fn default() -> Layout {
        Layout::BOUNDED
    }
}
