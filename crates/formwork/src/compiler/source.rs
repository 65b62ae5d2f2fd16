//! What does the caller want to be written? A JSON Schema, a regex, choices, tools, a grammar, or several of them.

use std::sync::Arc;

use serde_json::Value;

use super::structure::{self, Structure};
use crate::automata::Terminal;
use crate::error::{CompileError, GrammarError, SchemaError, ViolationKind};
use crate::grammar::{Expr, GrammarBuilder};
use crate::ids::NonterminalId;
use crate::json_schema::{self, Context, Documents, Lint, LoweredSchema, Report, SchemaOptions, ToolSet};
use crate::limits::Limits;
use crate::syntax::{self, Notation};
use crate::vocabulary::Vocabulary;

/// What output must look like: a JSON Schema, a regex, a set of choices, a grammar as text or made in code, or several in one
/// output.
#[derive(Clone, Debug)]
pub struct Grammar {
    source: Arc<Source>,
    options: SchemaOptions,
    documents: Documents,
}

#[derive(Clone, Debug)]
enum Source {
    Schema(Value),
    SchemaText(String),
    JsonObject,
    Tools(ToolSet),
    Regex(String),
    Choice(Vec<String>),
    Text(Notation, String),
    Built(Box<GrammarBuilder>, NonterminalId),
    Structure(Structure),
}

/// What lowering a grammar depends on besides the grammar.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) limits: &'a Limits,
    /// Levels of structures above.
    depth: usize,
}

impl<'a> Scope<'a> {
    pub(super) fn new(vocabulary: &'a Vocabulary, limits: &'a Limits) -> Scope<'a> {
        Scope { vocabulary, limits, depth: 0 }
    }

    /// One level further down; `None` beyond the limit.
    pub(super) fn deeper(self) -> Option<Scope<'a>> {
        (self.depth < self.limits.max_schema_depth).then(|| Scope { depth: self.depth + 1, ..self })
    }
}

impl Grammar {
    fn new(source: Source) -> Grammar {
        Grammar { source: Arc::new(source), options: SchemaOptions::default(), documents: Documents::new() }
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

    /// Texts of a grammar in Lark's notation, in the dialect that llguidance reads and OpenAI's custom tools are given. The
    /// first rule is `start`.
    ///
    /// A text is in the language if it can be cut into lexemes in any way: there is no lexer that would prefer the longest,
    /// and priorities are refused. What `%ignore` names may stand before, between and behind lexemes. Left recursion is
    /// taken out. Regular expressions have the syntax of the Rust crate `regex`, without anchors. Beside Lark's own there are
    /// `%json {...}` for instances of a JSON Schema, `<name>` for a control token, and `{2,3}` for repetitions.
    ///
    /// ```
    /// use formwork::{Compiler, Grammar, TokenId, Vocabulary};
    ///
    /// let grammar = Grammar::lark(r#"
    ///     start: sum
    ///     sum: sum "+" product | product
    ///     product: product "*" atom | atom
    ///     atom: NUMBER | "(" sum ")"
    ///     %import common.NUMBER
    ///     %ignore " "
    /// "#);
    /// let vocabulary = Vocabulary::from_tokens(["1", "+", "(", ")", " ", "</s>"], &[TokenId::new(5)])?;
    /// let mut matcher = Compiler::new(vocabulary).compile(&grammar)?.matcher();
    /// matcher.accept_bytes(b"(1 + 1")?;
    /// let allowed: Vec<u32> = matcher.mask()?.iter().map(TokenId::get).collect();
    /// assert_eq!(allowed, [0, 1, 3, 4]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lark(text: impl Into<String>) -> Grammar {
        Grammar::new(Source::Text(Notation::Lark, text.into()))
    }

    /// Texts of a grammar in GBNF, llama.cpp's notation, which XGrammar reads as well. The first rule is `root`. Left
    /// recursion is taken out.
    pub fn gbnf(text: impl Into<String>) -> Grammar {
        Grammar::new(Source::Text(Notation::Gbnf, text.into()))
    }

    /// A grammar made in code.
    pub fn from_builder(builder: GrammarBuilder, start: NonterminalId) -> Grammar {
        Grammar::new(Source::Built(Box::new(builder), start))
    }

    /// Grammars with literal text, control tokens and free text around them.
    pub fn structure(structure: impl Into<Structure>) -> Grammar {
        Grammar::new(Source::Structure(structure.into()))
    }

    /// Sets layout, profile and strictness of JSON grammars; ignored by the others. The grammars in a structure have their
    /// own.
    pub fn with_options(mut self, options: SchemaOptions) -> Grammar {
        self.options = options;
        self
    }

    /// Sets the documents that a schema, or the schemas of tools, may refer to; ignored by the others.
    pub fn with_documents(mut self, documents: Documents) -> Grammar {
        self.documents = documents;
        self
    }

    fn context<'a>(&'a self, limits: &'a Limits) -> Context<'a> {
        Context::new(&self.options, &self.documents, limits)
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
            Source::Text(Notation::Lark, text) => ("lark", text.clone()),
            Source::Text(Notation::Gbnf, text) => ("gbnf", text.clone()),
            Source::Built(..) => return None,
            Source::Structure(structure) => ("structure", structure.cache_key()?),
        };
        let documents = match &*self.source {
            Source::Schema(_) | Source::SchemaText(_) | Source::Tools(_) | Source::Text(..) => self.documents.text(),
            _ => "",
        };
        // Their length keeps the documents apart from what follows them.
        Some(format!("{kind} {:?} {} {documents}{text}", self.options, documents.len()))
    }

    /// Makes expressions of it.
    pub(super) fn lower(&self, scope: Scope<'_>) -> Result<LoweredSchema, CompileError> {
        let limits = scope.limits;
        let mut lowered = match &*self.source {
            Source::Schema(schema) => json_schema::lower_schema(schema, self.context(limits))?,
            Source::SchemaText(text) => {
                let (schema, numbers) = json_schema::parse_schema(text).map_err(malformed)?;
                json_schema::lower_schema(&schema, Context { long_numbers: Some(&numbers), ..self.context(limits) })?
            }
            Source::JsonObject => json_schema::lower_json_object(&self.options),
            Source::Tools(tools) => json_schema::lower_tools(tools, self.context(limits))?,
            Source::Regex(pattern) => single(Terminal::Regex(pattern.as_str().into()), pattern),
            Source::Choice(choices) => lower_choices(choices)?,
            Source::Text(notation, text) => {
                let special = |name: &str| structure::special(scope.vocabulary, name);
                syntax::lower_text(*notation, text, &special, self.context(limits))?
            }
            // These have their own order of keys.
            Source::Built(builder, start) => {
                return Ok(LoweredSchema { builder: (**builder).clone(), start: *start });
            }
            Source::Structure(structure) => return structure::lower(structure, scope),
        };
        lowered.builder.set_key_order(self.options.key_order);
        Ok(lowered)
    }

    /// What to say where its expressions make no grammar. That nothing fits a schema is known only then where the algebra
    /// left it open.
    pub(super) fn build_error(&self, error: GrammarError) -> CompileError {
        match (&*self.source, error) {
            (Source::Schema(_) | Source::SchemaText(_), GrammarError::Unsatisfiable) => {
                SchemaError::new(ViolationKind::Unsatisfiable, "", None, "no instance can be valid").into()
            }
            (_, error) => error.into(),
        }
    }
}

impl Grammar {
    /// What becomes of every keyword of its schemas. A schema that is refused is reported as well, with all reasons that
    /// can be found; see [`json_schema::report`].
    pub fn report(&self) -> Report {
        self.report_within(&Limits::default())
    }

    /// What in its schemas is probably a mistake; see [`json_schema::lint`].
    pub fn lint(&self) -> Vec<Lint> {
        let limits = Limits::default();
        match &*self.source {
            Source::Schema(schema) => json_schema::lint_within(schema, self.context(&limits)),
            Source::SchemaText(text) => match json_schema::parse_schema(text) {
                Ok((schema, numbers)) => {
                    let context = Context { long_numbers: Some(&numbers), ..self.context(&limits) };
                    json_schema::lint_within(&schema, context)
                }
                Err(_) => Vec::new(),
            },
            Source::Tools(tools) => json_schema::lint_tools(tools, self.context(&limits)),
            Source::Structure(structure) => structure::lint(structure),
            _ => Vec::new(),
        }
    }

    /// [`Grammar::report`] with limits; lowers the schemas once more.
    pub(super) fn report_within(&self, limits: &Limits) -> Report {
        let refused = |error: SchemaError| Report { violations: error.violations().to_vec(), ..Report::default() };
        match &*self.source {
            Source::Schema(schema) => json_schema::report_within(schema, self.context(limits)),
            Source::SchemaText(text) => match json_schema::parse_schema(text) {
                Ok((schema, numbers)) => {
                    let context = Context { long_numbers: Some(&numbers), ..self.context(limits) };
                    json_schema::report_within(&schema, context)
                }
                Err(error) => refused(malformed(error)),
            },
            Source::Tools(tools) => json_schema::tools_report(tools, self.context(limits)).unwrap_or_else(refused),
            Source::Structure(structure) => structure::report(structure, limits),
            _ => Report::default(),
        }
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
