//! What does the caller want to be written? A JSON Schema, a regex, choices, tools, or a grammar made in code.

use std::sync::Arc;

use serde_json::Value;

use crate::automata::Terminal;
use crate::error::{CompileError, GrammarError, SchemaError, ViolationKind};
use crate::grammar::{Expr, GrammarBuilder};
use crate::ids::NonterminalId;
use crate::json_schema::{self, LoweredSchema, Report, SchemaOptions, ToolSet};
use crate::limits::Limits;

/// What output must look like: a JSON Schema, a regex, a set of choices, or a grammar made in code.
#[derive(Clone, Debug)]
pub struct Grammar {
    source: Arc<Source>,
    options: SchemaOptions,
}

#[derive(Clone, Debug)]
enum Source {
    Schema(Value),
    SchemaText(String),
    JsonObject,
    Tools(ToolSet),
    Regex(String),
    Choice(Vec<String>),
    Built(Box<GrammarBuilder>, NonterminalId),
}

impl Grammar {
    fn new(source: Source) -> Grammar {
        Grammar { source: Arc::new(source), options: SchemaOptions::default() }
    }

    /// Instances of a JSON Schema.
    pub fn json_schema(schema: impl Into<Value>) -> Grammar {
        Grammar::new(Source::Schema(schema.into()))
    }

    /// Instances of a JSON Schema, given as text.
    pub fn json_schema_text(schema: impl Into<String>) -> Grammar {
        Grammar::new(Source::SchemaText(schema.into()))
    }

    /// Any JSON object ("JSON mode").
    pub fn json_object() -> Grammar {
        Grammar::new(Source::JsonObject)
    }

    /// Calls of tools.
    pub fn tools(tools: ToolSet) -> Grammar {
        Grammar::new(Source::Tools(tools))
    }

    /// Text that a regular expression (Rust `regex` syntax) matches as a whole.
    pub fn regex(pattern: impl Into<String>) -> Grammar {
        Grammar::new(Source::Regex(pattern.into()))
    }

    /// One of several texts.
    pub fn choice<T: Into<String>>(choices: impl IntoIterator<Item = T>) -> Grammar {
        Grammar::new(Source::Choice(choices.into_iter().map(Into::into).collect()))
    }

    /// A grammar made in code.
    pub fn from_builder(builder: GrammarBuilder, start: NonterminalId) -> Grammar {
        Grammar::new(Source::Built(Box::new(builder), start))
    }

    /// Sets layout, profile and strictness of JSON grammars; ignored by the others.
    pub fn with_options(mut self, options: SchemaOptions) -> Grammar {
        self.options = options;
        self
    }

    /// Applies the order of keys; a grammar made in code has its own.
    pub(super) fn set_key_order(&self, builder: &mut GrammarBuilder) {
        if !matches!(*self.source, Source::Built(..)) {
            builder.set_key_order(self.options.key_order);
        }
    }

    /// Equal for equal grammars; `None` for those that are not cached. The order of a schema's properties matters.
    pub(super) fn cache_key(&self) -> Option<String> {
        let (kind, text) = match &*self.source {
            Source::Schema(schema) => ("schema", schema.to_string()),
            Source::SchemaText(text) => ("text", text.clone()),
            Source::JsonObject => ("object", String::new()),
            Source::Tools(tools) => ("tools", format!("{tools:?}")),
            Source::Regex(pattern) => ("regex", pattern.clone()),
            Source::Choice(choices) => ("choice", format!("{choices:?}")),
            Source::Built(..) => return None,
        };
        Some(format!("{kind} {:?} {text}", self.options))
    }

    /// Makes expressions of it.
    pub(super) fn lower(&self, limits: &Limits) -> Result<LoweredSchema, CompileError> {
        match &*self.source {
            Source::Schema(schema) => Ok(json_schema::lower_schema(schema, &self.options, limits)?),
            Source::SchemaText(text) => {
                let schema = serde_json::from_str(text).map_err(malformed)?;
                Ok(json_schema::lower_schema(&schema, &self.options, limits)?)
            }
            Source::JsonObject => Ok(json_schema::lower_json_object(&self.options)),
            Source::Tools(tools) => Ok(json_schema::lower_tools(tools, &self.options, limits)?),
            Source::Regex(pattern) => Ok(single(Terminal::Regex(pattern.as_str().into()), pattern)),
            Source::Choice(choices) => lower_choices(choices),
            Source::Built(builder, start) => Ok(LoweredSchema { builder: (**builder).clone(), start: *start }),
        }
    }
}

impl Grammar {
    /// What becomes of every keyword; lowers the schema once more.
    pub(super) fn report(&self, limits: &Limits) -> Report {
        let report = match &*self.source {
            Source::Schema(schema) => json_schema::schema_report(schema, &self.options, limits),
            Source::SchemaText(text) => match serde_json::from_str(text) {
                Ok(schema) => json_schema::schema_report(&schema, &self.options, limits),
                Err(error) => Err(malformed(error)),
            },
            Source::Tools(tools) => json_schema::tools_report(tools, &self.options, limits),
            _ => Ok(Report::default()),
        };
        // A grammar that was compiled has been lowered without an error, and lowering is deterministic.
        report.unwrap_or_default()
    }
}

fn malformed(error: serde_json::Error) -> SchemaError {
    SchemaError::new(ViolationKind::Malformed, "", None, format!("not JSON: {error}"))
}

/// A grammar of one terminal.
fn single(terminal: Terminal, name: &str) -> LoweredSchema {
    let mut builder = GrammarBuilder::new();
    let body = Expr::Terminal(builder.terminal(terminal));
    let start = builder.nonterminal(crate::automata::shorten(name), body);
    LoweredSchema { builder, start }
}

fn lower_choices(choices: &[String]) -> Result<LoweredSchema, CompileError> {
    if choices.is_empty() {
        return Err(GrammarError::Unsatisfiable.into());
    }
    let texts = choices.iter().filter(|choice| !choice.is_empty()).map(|choice| choice.as_bytes());
    let mut builder = GrammarBuilder::new();
    let mut parts = vec![Expr::Terminal(builder.terminal(Terminal::one_of(texts)))];
    if choices.iter().any(String::is_empty) {
        parts.push(Expr::Empty);
    }
    let start = builder.nonterminal("choice", Expr::Choice(parts));
    Ok(LoweredSchema { builder, start })
}
