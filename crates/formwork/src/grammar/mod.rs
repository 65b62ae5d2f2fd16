//! What may be written? Symbols, bodies and the immutable grammar they make.
//!
//! A grammar is a set of nonterminals whose bodies are small automata over symbols: a list is a loop, not a
//! recursion, and bounds are counters in an item's register, not unrolled copies. [`GrammarBuilder`] is the only way
//! to make one; it takes expressions, checks them, removes what cannot be completed and lowers the rest.

mod builder;
mod cheapest;
mod completion;
mod cover;
mod distinct;
mod effect;
mod include;
mod json_value;
mod list_rules;
mod lower;
mod productions;
mod productive;
mod record_bounds;
mod record_rules;
mod rules;
mod seen;
mod spacing;
mod steps;
mod tally;
mod totals;
mod view;

pub use self::builder::{
    Case, Counter, Expr, GrammarBuilder, KeyOrder, List, OtherKeys, PresenceClause, Property, Record, Whitespace,
};
pub(crate) use self::cheapest::{Cheapest, Cost, NEVER, Part, Prices};
pub(crate) use self::effect::Effect;
pub(crate) use self::productions::{Next, Place, Productions, Register, Symbol};
pub(crate) use self::seen::{SeenId, SeenSets};
pub(crate) use self::spacing::Spacing;
pub(crate) use self::view::{PlaceView, Reached};
