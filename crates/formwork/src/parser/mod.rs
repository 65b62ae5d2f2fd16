//! Where in the grammar can the text be? Earley items in canonical sets, and the configurations made of them.
//!
//! The parser is Earley's (J. Earley, "An efficient context-free parsing algorithm", 1970) with one change: an item's
//! origin is not a position in the text but the *interned set of items to return to*. Item sets are interned by content,
//! so two places in a document with the same future are the same set, and a step is a memoised look-up. Completion copies
//! a list; nothing is searched. Left recursion cannot be had that way and is refused when the grammar is lowered.

mod blanks;
mod bytes;
mod configuration;
mod ending;
mod item_set;
mod live;
mod past;
mod predict;
mod view;
mod within;
mod written;

pub(crate) use self::blanks::Blank;
pub(crate) use self::bytes::{ByteSet, next_bytes};
pub(crate) use self::configuration::{Configuration, Entry, Lexing, behind_lexeme};
pub(crate) use self::ending::{CheapTexts, Ending, Endings, Spelling};
pub(crate) use self::item_set::{Item, Parser, Scan, SetId};
pub(crate) use self::view::{ConfigurationView, TokenReach};
pub(crate) use self::written::{Adopted, Elements, PastId, WordSetId, Written};
