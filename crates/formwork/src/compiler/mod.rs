//! From a grammar and a vocabulary to what matchers share: compile once, cache, use from any thread.

use std::sync::Arc;

use serde_json::Value;

use crate::error::CompileError;
use crate::grammar::{Expr, GrammarBuilder};
use crate::ids::NonterminalId;
use crate::json_schema::{Report, SchemaOptions, ToolSet};
use crate::limits::Limits;
use crate::matcher::Matcher;
use crate::vocabulary::Vocabulary;

/// What output must look like: a JSON Schema, a regex, a set of choices, or a grammar made in code.
#[derive(Clone, Debug)]
pub struct Grammar;

impl Grammar {
    /// Instances of a JSON Schema.
    pub fn json_schema(schema: impl Into<Value>) -> Grammar {
        let _ = schema.into();
        Grammar
    }
    /// Instances of a JSON Schema, given as text.
    pub fn json_schema_text(schema: impl Into<String>) -> Grammar {
        let _ = schema.into();
        Grammar
    }
    /// Any JSON object ("JSON mode").
    pub fn json_object() -> Grammar {
        Grammar
    }
    /// Calls of tools.
    pub fn tools(tools: ToolSet) -> Grammar {
        let _ = tools;
        Grammar
    }
    /// Text that a regular expression (Rust `regex` syntax) matches as a whole.
    pub fn regex(pattern: impl Into<String>) -> Grammar {
        let _ = pattern.into();
        Grammar
    }
    /// One of several texts.
    pub fn choice<T: Into<String>>(choices: impl IntoIterator<Item = T>) -> Grammar {
        let _ = choices.into_iter().map(Into::into).collect::<Vec<String>>();
        Grammar
    }
    /// A grammar made in code.
    pub fn from_builder(builder: GrammarBuilder, start: NonterminalId) -> Grammar {
        let _ = (builder, start, Expr::Empty);
        Grammar
    }
    /// Sets layout, profile and strictness of JSON grammars; ignored by the others.
    pub fn with_options(self, options: SchemaOptions) -> Grammar {
        let _ = options;
        self
    }
}

/// Compiles grammars for one vocabulary; holds a bounded cache of what it compiled. Shared by threads.
#[derive(Debug)]
pub struct Compiler;

impl Compiler {
    /// With default limits.
    pub fn new(vocabulary: impl Into<Arc<Vocabulary>>) -> Compiler {
        Compiler::builder(vocabulary).build()
    }
    /// With settings.
    pub fn builder(vocabulary: impl Into<Arc<Vocabulary>>) -> CompilerBuilder {
        let _ = vocabulary.into();
        CompilerBuilder
    }
    /// The vocabulary.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        todo!()
    }
    /// Compiles `grammar`, or hands out what was compiled for an equal one before.
    ///
    /// # Errors
    /// [`CompileError`] says what is refused, where, and why.
    pub fn compile(&self, grammar: &Grammar) -> Result<Arc<CompiledGrammar>, CompileError> {
        let _ = grammar;
        todo!()
    }
}

/// Settings of a [`Compiler`].
#[derive(Clone, Debug)]
pub struct CompilerBuilder;

impl CompilerBuilder {
    /// Sets the limits (default: [`Limits::default`]).
    pub fn limits(self, limits: Limits) -> CompilerBuilder {
        let _ = limits;
        self
    }
    /// How many compiled grammars are kept (default 256); 0 keeps none.
    pub fn cached_grammars(self, n: usize) -> CompilerBuilder {
        let _ = n;
        self
    }
    /// Builds.
    pub fn build(self) -> Compiler {
        Compiler
    }
}

/// A grammar ready for use with one vocabulary: immutable, `Send + Sync`, shared by all sequences.
#[derive(Debug)]
pub struct CompiledGrammar;

impl CompiledGrammar {
    /// A matcher at the start of the text.
    pub fn matcher(self: &Arc<Self>) -> Matcher {
        todo!()
    }
    /// What is enforced, keyword by keyword; empty for grammars that are no JSON Schema.
    pub fn report(&self) -> &Report {
        todo!()
    }
    /// The vocabulary.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        todo!()
    }
    /// Work done and sizes so far, over all matchers.
    pub fn stats(&self) -> GrammarStats {
        todo!()
    }
}

/// Counters of one compiled grammar, over all its matchers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrammarStats {
    /// Masks handed out from the cache.
    pub mask_hits: u64,
    /// Masks that had to be computed.
    pub mask_misses: u64,
    /// Distinct masks held.
    pub masks: usize,
    /// Configurations held.
    pub configurations: usize,
    /// Item sets held.
    pub item_sets: usize,
    /// Automaton and parser steps done.
    pub steps: u64,
    /// Bytes held by the grammar and its caches.
    pub bytes: usize,
    /// Times the caches were started anew.
    pub resets: u64,
}
