//! Structured output for language models: at every step, exactly the tokens that keep the output valid.

mod automata;
mod compiler;
mod error;
pub mod grammar;
mod ids;
pub mod json_schema;
mod limits;
mod mask;
mod matcher;
mod parser;
mod vocabulary;

pub use crate::automata::{Bound, ContentConstraint, ContentLanguage, Decimal, NumberSpec, StringSpec, Terminal};
pub use crate::compiler::{CompiledGrammar, Compiler, CompilerBuilder, Grammar, GrammarStats};
pub use crate::error::{
    CompileError, GrammarError, LimitError, MatchError, SchemaError, Violation, ViolationKind, VocabularyError,
};
pub use crate::ids::{NonterminalId, TerminalId, TokenId};
pub use crate::limits::Limits;
pub use crate::mask::TokenMask;
pub use crate::matcher::{Matcher, fill_masks};
pub use crate::vocabulary::{TokenKind, Vocabulary, VocabularyBuilder};
