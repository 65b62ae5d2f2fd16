//! Which byte strings is a lexeme made of? Lazily determinised byte automata for terminals.
//!
//! [`Terminal`] describes a language, [`Automaton`] runs it: a state is one word, a step is a table look-up, and only
//! steps from which the lexeme can still be completed are offered.

mod alphabet;
mod automaton;
mod byte_regex;
mod combination;
mod common;
mod component;
mod content;
pub(crate) mod decide;
mod decimal;
pub(crate) mod decoder;
mod ending;
pub(crate) mod expression;
mod formula;
mod free_text;
mod host_name;
mod idna;
mod json_string;
mod json_text;
mod keys;
mod lazy_dfa;
mod lengths;
mod literals;
mod look_around;
mod names;
mod nfa;
mod number;
mod number_values;
mod overflow;
pub(crate) mod property_names;
mod regex_text;
mod relation;
mod spec;
mod word_count;

pub(crate) use self::alphabet::Alphabet;
pub(crate) use self::automaton::Automaton;
pub use self::combination::Combination;
pub(crate) use self::combination::join as join_strings;
pub(crate) use self::content::ContentDfa;
pub use self::decimal::Decimal;
pub use self::decoder::Escapes;
pub use self::expression::{Expression, Node as ExpressionNode};
pub(crate) use self::free_text::FreeText;
pub(crate) use self::json_string::{StringAutomaton, StringState};
pub(crate) use self::keys::{KeyFilter, Keys};
pub(crate) use self::lazy_dfa::Kin;
pub(crate) use self::lengths::Lengths;
pub(crate) use self::literals::{MAX_STRINGS as MAX_KEYS, longer_than, next_bytes};
pub(crate) use self::names::{NameState, NameTrial};
pub(crate) use self::nfa::shorten;
pub(crate) use self::overflow::{Allowance, OverflowWatch, charge, spend_or_fail};
pub(crate) use self::relation::Relation;
pub use self::spec::{
    Bound, ContentConstraint, ContentLanguage, NumberForm, NumberSpec, Numbers, StringSpec, Terminal,
};
pub(crate) use self::word_count::WordCount;
