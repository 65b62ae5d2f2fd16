//! Which byte strings is a lexeme made of? Lazily determinised byte automata for terminals.

pub(crate) mod decide;
mod decimal;
mod spec;

pub use self::decimal::Decimal;
pub use self::spec::{Bound, ContentConstraint, ContentLanguage, NumberSpec, StringSpec, Terminal};
