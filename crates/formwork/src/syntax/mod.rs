//! Which grammar does a text describe? Rules in two notations, read and lowered to expressions.
//!
//! [`lark`] and [`gbnf`] read a text into [`Rules`]; `left` takes left recursion out, as the parser has no use for it; and
//! `lower` makes expressions, in which whatever is regular is one terminal.

mod common;
mod gbnf;
mod graph;
mod lark;
mod left;
mod lower;
mod regular;
mod rules;
mod scan;
#[cfg(test)]
mod tests;

use self::lower::lower;
use self::rules::Rules;
use crate::automata::Terminal;
use crate::error::{CompileError, GrammarError};
use crate::json_schema::{Context, LoweredSchema};

/// How a grammar is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    Lark,
    Gbnf,
}

/// Makes expressions of a grammar's text; `special` gives the terminal of a control token's name, `context` is for the schemas
/// in it.
pub(crate) fn lower_text(
    notation: Notation,
    text: &str,
    special: &dyn Fn(&str) -> Result<Terminal, GrammarError>,
    context: Context<'_>,
) -> Result<LoweredSchema, CompileError> {
    let limits = context.limits;
    let rules: Rules = match notation {
        Notation::Lark => lark::parse(text, limits)?,
        Notation::Gbnf => gbnf::parse(text, limits)?,
    };
    lower(rules, special, context)
}
