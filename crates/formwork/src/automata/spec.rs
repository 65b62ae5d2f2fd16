//! What may one terminal match? Descriptions of lexeme languages, as values that can be compared and hashed.
//!
//! A description says which byte strings a terminal matches and nothing of how they are found: equal
//! descriptions share one automaton across all grammars of a compiler.

use std::sync::Arc;

use super::combination::Combination;
use super::decimal::Decimal;
use super::decoder::Escapes;
use super::expression::Expression;
use crate::ids::TokenId;

/// The language of one terminal's lexemes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Terminal {
    /// Exactly these bytes (not empty).
    Literal(Arc<[u8]>),
    /// Any one of these byte strings (none empty); sorted and without duplicates, see [`Terminal::one_of`].
    OneOf(Arc<[Box<[u8]>]>),
    /// Any byte string that the regular expression (Rust `regex` syntax) matches as a whole.
    Regex(Arc<str>),
    /// A JSON number.
    Number(Arc<NumberSpec>),
    /// A JSON string, its quotes included.
    String(Arc<StringSpec>),
    /// Any UTF-8 text, the empty one included, that holds none of these strings; see [`Terminal::free_text`].
    FreeText(Arc<[Box<str>]>),
    /// A control token ([`TokenKind::Special`](crate::TokenKind::Special)), as that one token: it is no text, and no text
    /// spells it.
    Special(TokenId),
}

impl Terminal {
    /// A terminal of one byte string.
    pub fn literal(bytes: impl AsRef<[u8]>) -> Terminal {
        Terminal::Literal(bytes.as_ref().into())
    }

    /// A terminal of several byte strings, in any order.
    pub fn one_of<T: Into<Vec<u8>>>(alternatives: impl IntoIterator<Item = T>) -> Terminal {
        let mut sorted: Vec<Box<[u8]>> =
            alternatives.into_iter().map(|bytes| bytes.into().into_boxed_slice()).collect();
        sorted.sort_unstable();
        sorted.dedup();
        Terminal::OneOf(sorted.into())
    }

    /// A terminal of any UTF-8 text, the empty one included, without these strings: at most 256 of them, none empty, of
    /// 8,192 bytes together, and 63 of them ending beyond ASCII.
    pub fn free_text<T: Into<Box<str>>>(without: impl IntoIterator<Item = T>) -> Terminal {
        let mut sorted: Vec<Box<str>> = without.into_iter().map(Into::into).collect();
        sorted.sort_unstable();
        sorted.dedup();
        Terminal::FreeText(sorted.into())
    }
}

/// One end of a number range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    /// The end itself.
    pub value: Decimal,
    /// Whether the end itself is outside the range.
    pub exclusive: bool,
}

/// How numbers are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Numbers {
    /// Whole numbers without fraction and exponent (and zero without a minus), others as plain decimals; an exponent
    /// only where nothing but the side of zero is asked for.
    #[default]
    Plain,
    /// Every spelling that JSON has for an allowed value.
    Any,
}

/// Which spellings of a value count, whatever the value. Up to draft-04 the spelling says whether a number is an integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NumberForm {
    /// All.
    #[default]
    Free,
    /// Those of digits alone.
    Digits,
    /// Those with a fraction or an exponent.
    NotDigits,
}

/// Which JSON numbers are allowed, and in which spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NumberSpec {
    /// Only whole numbers.
    pub integer: bool,
    /// Which of their spellings count.
    pub form: NumberForm,
    /// Least value.
    pub minimum: Option<Bound>,
    /// Greatest value.
    pub maximum: Option<Bound>,
    /// Values of which the number must be a whole multiple (each above zero).
    pub multiples: Vec<Decimal>,
    /// Values of which the number must be no whole multiple (each above zero).
    pub not_multiples: Vec<Decimal>,
    /// Values that are left out; sorted and without duplicates.
    pub excluded: Vec<Decimal>,
    /// Nothing but these values; sorted and without duplicates.
    pub values: Option<Vec<Decimal>>,
    /// Digits before the point, and likewise after it; `None` is unbounded. A number that must be longer may be. Only
    /// with [`Numbers::Plain`].
    pub max_digits: Option<u32>,
    /// How the numbers are spelled.
    pub spelling: Numbers,
}

/// Which JSON strings are allowed: constraints on the decoded content, all of which must hold.
///
/// Lengths count Unicode characters (code points) of the decoded content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct StringSpec {
    /// Languages that the content must be in, or must not be in.
    pub content: Vec<ContentConstraint>,
    /// Least number of characters.
    pub min_chars: u32,
    /// Greatest number of characters.
    pub max_chars: Option<u32>,
    /// How characters may be spelled.
    pub escapes: Escapes,
}

impl StringSpec {
    /// Whether the number of characters matters.
    pub(crate) fn is_bounded(&self) -> bool {
        self.min_chars > 0 || self.max_chars.is_some()
    }
}

/// A language that a string's decoded content must, or must not, belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContentConstraint {
    /// The language.
    pub language: ContentLanguage,
    /// Whether the content must lie outside it.
    pub negated: bool,
}

/// A set of Unicode strings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContentLanguage {
    /// Strings in which the regular expression (Rust `regex` syntax) matches somewhere; `^` and `$` are the ends of
    /// the whole string.
    Search(Arc<str>),
    /// Strings that the regular expression (Rust `regex` syntax) matches as a whole.
    Match(Arc<str>),
    /// Exactly these strings; sorted and without duplicates.
    OneOf(Arc<[Arc<str>]>),
    /// Strings in which the expression matches somewhere, or as a whole where it says so.
    Expression(Arc<Expression>),
    /// Host names: RFC 1123's, or with international labels.
    HostName {
        /// Whether labels may be U-labels (RFC 5890).
        international: bool,
    },
    /// JSON texts.
    JsonText,
    /// Regular expressions of ECMA-262 (ES2020), read with the flag `u`. Left out are names of groups beyond ASCII,
    /// references to groups beyond the 99th, and class ranges between two unescaped characters beyond ASCII that are near
    /// each other.
    RegexText,
    /// Strings that are in some languages and outside others, in one of several ways. Must stand alone.
    Combination(Arc<Combination>),
}

impl ContentLanguage {
    /// Whether a match anywhere decides, whatever comes after it.
    pub(super) fn is_search(&self) -> bool {
        match self {
            ContentLanguage::Search(_) => true,
            ContentLanguage::Expression(expression) => !expression.whole,
            _ => false,
        }
    }
}
