//! How do grammars stand in a larger output? Literal text, control tokens and free text around them.
//!
//! A call of a tool between markers, a thought before the answer, several answers in one output: the parts have their own
//! grammars, and what stands between them is exact, too.

mod lower;
mod report;
mod tags;

pub(super) use self::lower::{lower, special};
pub(super) use self::report::{lint, report};
pub use self::tags::{Tag, TagCount};
use super::Grammar;

/// An output of several parts, see [`Grammar::structure`].
///
/// Tool calls as models of the Hermes kind write them, with as much text as they like around them:
///
/// ```
/// use formwork::{Compiler, Grammar, Marker, Structure, TokenId, Vocabulary};
///
/// let call = Structure::sequence([
///     Structure::text("<tool_call>"),
///     Grammar::choice(["one", "two"]).into(),
///     Structure::text("</tool_call>"),
///     Structure::free(["<tool_call>"]),
/// ]);
/// let output = Structure::sequence([Structure::free(["<tool_call>"]), call.repeated(0, None)]);
///
/// let vocabulary = Vocabulary::from_tokens(["Sure", "<tool", "_call>", "o", "n", "e", "</s>"], &[TokenId::new(6)])?;
/// let grammar = Compiler::new(vocabulary).compile(&Grammar::structure(output))?;
/// let mut matcher = grammar.matcher();
/// for token in [0, 1] {
///     matcher.accept_token(TokenId::new(token))?;
/// }
/// assert!(matcher.is_accepting(), "free text goes on, or ends");
/// matcher.accept_token(TokenId::new(2))?;
/// assert!(!matcher.is_accepting(), "a call that is begun must be made");
/// let allowed: Vec<u32> = matcher.mask()?.iter().map(TokenId::get).collect();
/// assert_eq!(allowed, [3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Structure {
    /// Text or a control token.
    Marker(Marker),
    /// Whatever a grammar describes, in its own layout.
    Grammar(Grammar),
    /// One after the other.
    Sequence(Vec<Structure>),
    /// Any one of them.
    Choice(Vec<Structure>),
    /// The part `min` to `max` times, with the separator between two of them.
    Repeat {
        /// What is repeated; must not derive the empty text.
        part: Box<Structure>,
        /// What stands between two of them.
        separator: Option<Box<Structure>>,
        /// Least number of times.
        min: u32,
        /// Greatest number of times.
        max: Option<u32>,
    },
    /// Free text: any UTF-8, the empty text included, that holds none of these. Control tokens are in it in no case. At most
    /// 256 different texts, of 8,192 bytes together, 63 of them ending beyond ASCII.
    Free {
        /// What the text must not hold.
        without: Vec<Marker>,
    },
}

/// A fixed text or a control token: what parts of an output begin and end with.
///
/// A name is looked up among a vocabulary's special tokens when the grammar is compiled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Marker {
    /// This text, however it is cut into tokens.
    Text(String),
    /// The control token of this name ([`TokenKind::Special`](crate::TokenKind::Special)), as that one token; text never
    /// spells it. A vocabulary without it is refused.
    Special(String),
    /// The control token of this name, or this text where the vocabulary has no such control token.
    SpecialOrText(String),
}

impl Structure {
    /// This text.
    pub fn text(text: impl Into<String>) -> Structure {
        Structure::Marker(Marker::Text(text.into()))
    }

    /// The control token of this name.
    pub fn special(name: impl Into<String>) -> Structure {
        Structure::Marker(Marker::Special(name.into()))
    }

    /// The control token of this name, or this text where the vocabulary has no such control token: what a family of
    /// models calls by one name, and only some of its tokenizers have as a control token.
    pub fn marker(name: impl Into<String>) -> Structure {
        Structure::Marker(Marker::SpecialOrText(name.into()))
    }

    /// One after the other.
    pub fn sequence(parts: impl IntoIterator<Item = Structure>) -> Structure {
        Structure::Sequence(parts.into_iter().collect())
    }

    /// Any one of them.
    pub fn choice(parts: impl IntoIterator<Item = Structure>) -> Structure {
        Structure::Choice(parts.into_iter().collect())
    }

    /// Free text that holds none of these.
    pub fn free<T: Into<Marker>>(without: impl IntoIterator<Item = T>) -> Structure {
        Structure::Free { without: without.into_iter().map(Into::into).collect() }
    }

    /// This `min` to `max` times, with nothing between two of them.
    pub fn repeated(self, min: u32, max: Option<u32>) -> Structure {
        Structure::Repeat { part: Box::new(self), separator: None, min, max }
    }

    /// This or nothing.
    pub fn optional(self) -> Structure {
        Structure::Choice(vec![self, Structure::Sequence(Vec::new())])
    }

    /// Equal for equal structures; `None` where a grammar in it is not cached.
    pub(super) fn cache_key(&self) -> Option<String> {
        let keys = |parts: &[Structure]| -> Option<String> {
            parts.iter().try_fold(String::new(), |keys, part| Some(format!("{keys}{},", part.cache_key()?)))
        };
        Some(match self {
            Structure::Marker(marker) => format!("{marker:?}"),
            // Its length keeps a grammar's text apart from what follows it.
            Structure::Grammar(grammar) => grammar.cache_key().map(|key| format!("grammar {} {key}", key.len()))?,
            Structure::Sequence(parts) => format!("sequence({})", keys(parts)?),
            Structure::Choice(parts) => format!("choice({})", keys(parts)?),
            Structure::Repeat { part, separator, min, max } => {
                let separator = separator.as_deref().map_or(Some(String::new()), Structure::cache_key)?;
                format!("repeat({min} {max:?} {} by {separator})", part.cache_key()?)
            }
            Structure::Free { without } => format!("free({without:?})"),
        })
    }
}

impl From<Grammar> for Structure {
    fn from(grammar: Grammar) -> Structure {
        Structure::Grammar(grammar)
    }
}

impl From<Marker> for Structure {
    fn from(marker: Marker) -> Structure {
        Structure::Marker(marker)
    }
}

impl From<&str> for Marker {
    fn from(text: &str) -> Marker {
        Marker::Text(text.to_owned())
    }
}

impl From<String> for Marker {
    fn from(text: String) -> Marker {
        Marker::Text(text)
    }
}
