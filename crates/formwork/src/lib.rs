//! Structured output for language models: at every step, exactly the tokens that keep the output valid.
//!
//! A [`Grammar`] says what the output must look like: a JSON Schema, JSON mode, tools, a regex, choices, a grammar as text
//! (Lark, GBNF) or made in code with [`grammar::GrammarBuilder`], or a [`Structure`] of several with text, control tokens and free text around them. A [`Compiler`] joins it with a [`Vocabulary`], the bytes of every token, into
//! a [`CompiledGrammar`] that any number of sequences and threads share. A [`Matcher`] is the state of one sequence: it
//! fills a mask, takes the token that was sampled, forks and rolls back.
//!
//! ```
//! use formwork::{Compiler, Grammar, TokenId, Vocabulary};
//!
//! let vocabulary = Vocabulary::from_tokens(["yes", "no", "y", "es", "</s>"], &[TokenId::new(4)])?;
//! let grammar = Compiler::new(vocabulary).compile(&Grammar::choice(["yes", "yesterday"]))?;
//! let mut matcher = grammar.matcher();
//! let allowed: Vec<u32> = matcher.mask()?.iter().map(TokenId::get).collect();
//! assert_eq!(allowed, [0, 2]);
//! matcher.accept_token(TokenId::new(0))?;
//! assert!(matcher.is_accepting() && !matcher.is_finished());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A mask is exact: a token is in it if and only if some text of the grammar's language begins with the text so far and
//! the token. What cannot be enforced exactly is refused when the grammar is compiled, with the JSON Pointer and keyword
//! at fault. Every input has a budget, see [`Limits`]; exceeding one is a typed error for that request alone.
//!
//! The engine does no I/O and knows no tokenizer library, model runtime or network; its own crates hold those.

mod automata;
mod compiler;
mod error;
pub mod grammar;
mod hash;
mod ids;
pub mod json_schema;
mod limits;
mod mask;
mod matcher;
mod parser;
#[cfg(test)]
mod random;
mod syntax;
mod vocabulary;

pub use crate::automata::{
    Bound, Combination, ContentConstraint, ContentLanguage, Decimal, Escapes, Expression, ExpressionNode, NumberForm,
    NumberSpec, Numbers, StringSpec, Terminal,
};
pub use crate::compiler::{
    CompiledGrammar, Compiler, CompilerBuilder, Grammar, GrammarStats, Marker, Structure, Tag, TagCount,
};
pub use crate::error::{
    CompileError, GrammarError, LimitError, MatchError, SchemaError, Violation, ViolationKind, VocabularyError,
};
pub use crate::ids::{NonterminalId, TerminalId, TokenId};
pub use crate::limits::Limits;
pub use crate::mask::TokenMask;
pub use crate::matcher::{Matcher, fill_masks};
pub use crate::vocabulary::{MaskRow, TokenKind, Vocabulary, VocabularyBuilder};

/// Compiles the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ReadmeExample;
