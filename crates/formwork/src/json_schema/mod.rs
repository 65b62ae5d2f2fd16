//! Which texts does a JSON Schema describe? Schema documents to grammars, with a report of what is enforced.

mod content;
mod dialect;
mod document;
mod documents;
mod fault;
mod format;
mod keyword;
mod layout;
mod lint;
mod literal;
mod long_numbers;
mod lower;
mod metaschemas;
mod pattern;
mod profile;
mod reduce;
mod report;
mod resolve;
mod scope;
mod shape;
#[cfg(test)]
mod tests;
mod tools;
mod uri;
mod vocabularies;
mod walk;

pub use self::documents::Documents;
pub use self::layout::{Escapes, Layout, Numbers};
pub(crate) use self::lint::lint_within;
pub use self::lint::{Lint, LintKind, lint};
pub use self::report::report;
pub(crate) use self::report::report_within;

use self::fault::Fault;
pub(crate) use self::long_numbers::{LongNumbers, parse as parse_schema};
use self::lower::Lowerer;
use self::reduce::Reducer;
use crate::error::{SchemaError, Violation};
use crate::grammar::{GrammarBuilder, KeyOrder};
use crate::ids::NonterminalId;
use crate::limits::Limits;

/// What a caller may choose about a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaOptions {
    /// Layout of the output.
    pub layout: Layout,
    /// What the schema may contain.
    pub profile: Profile,
    /// Leave out what cannot be enforced, and list it in the report, instead of refusing the schema.
    pub relax_unsupported: bool,
    /// Whether `format` constrains strings.
    pub formats: FormatMode,
    /// Whether `contentEncoding` and `contentMediaType` constrain strings.
    pub content: ContentMode,
    /// Refuse formats that no draft defines instead of taking them as annotations.
    pub refuse_unknown_formats: bool,
    /// In which order the properties of objects are written.
    pub key_order: KeyOrder,
}

/// What `format` means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormatMode {
    /// Strings must be of the format.
    #[default]
    Assert,
    /// It constrains nothing, as the drafts have it where nobody asks for more.
    Annotate,
}

/// What `contentEncoding` and `contentMediaType` mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentMode {
    /// What most readers of the schema's draft take them for: constraints in draft-07, and nothing since.
    #[default]
    ByDraft,
    /// Strings must be of the encoding, and where the media type is JSON's, be JSON.
    Assert,
    /// They constrain nothing.
    Annotate,
}

/// Which published subset of JSON Schema a schema must keep to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Everything that the engine enforces.
    #[default]
    Full,
    /// Cohere's structured outputs, JSON Schema mode.
    CohereJson,
    /// Cohere's strict tools.
    CohereTools,
    /// OpenAI's strict structured outputs.
    OpenAiStrict,
}

/// What became of every keyword of a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One entry for each keyword occurrence.
    pub entries: Vec<ReportEntry>,
    /// Why the schema is refused, all that could be found; empty where it is not.
    pub violations: Vec<Violation>,
}

/// One keyword occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportEntry {
    /// JSON Pointer to the schema object that holds the keyword. Before it stands the way to the schema in a
    /// [`Structure`](crate::Structure): indices in sequences and choices, `part` or `separator` in repetitions.
    pub pointer: String,
    /// The keyword.
    pub keyword: String,
    /// What became of it.
    pub status: Status,
    /// Why, where that is not plain.
    pub note: Option<String>,
}

/// What became of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Every output obeys it.
    Enforced,
    /// It constrains nothing.
    Annotation,
    /// It could not be enforced and was left out on request.
    Relaxed,
    /// The schema is refused because of it.
    Refused,
}

/// Tools of one request, see [`crate::Grammar::tools`].
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSet {
    /// The tools, each with a name of its own.
    pub tools: Vec<Tool>,
    /// Under which key a call's arguments stand.
    pub arguments_key: ArgumentsKey,
    /// How many calls the output holds.
    pub calls: ToolCalls,
}

/// One tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name, the value of `"name"` in a call.
    pub name: String,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
}

/// The key of a call's arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArgumentsKey {
    /// `{"name": ..., "arguments": {...}}`
    #[default]
    Arguments,
    /// `{"name": ..., "parameters": {...}}`
    Parameters,
}

/// How many calls the output holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolCalls {
    /// One call object.
    #[default]
    One,
    /// A JSON array of one or more calls, at most `max` of them.
    Many {
        /// Most calls; `None` is unbounded.
        max: Option<u32>,
    },
}

/// A schema made into a grammar.
pub(crate) struct LoweredSchema {
    pub(crate) builder: GrammarBuilder,
    pub(crate) start: NonterminalId,
}

/// What a schema is read with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) options: &'a SchemaOptions,
    pub(crate) documents: &'a Documents,
    pub(crate) limits: &'a Limits,
    /// Numbers of the schema's text that its value does not hold.
    pub(crate) long_numbers: Option<&'a LongNumbers>,
}

impl<'a> Context<'a> {
    /// For a schema that is given as a value.
    pub(crate) fn new(options: &'a SchemaOptions, documents: &'a Documents, limits: &'a Limits) -> Context<'a> {
        Context { options, documents, limits, long_numbers: None }
    }

    /// Runs `reduce` on a new reducer; once more with dynamic scopes, where some reference turns out to depend on them.
    fn reduce<T>(self, mut reduce: impl FnMut(&mut Reducer<'a>) -> fault::Result<T>) -> Result<T, SchemaError> {
        let mut reducer = Reducer::new(self, false);
        let mut result = reduce(&mut reducer);
        if reducer.document.needs_scopes() {
            result = reduce(&mut Reducer::new(self, true));
        }
        result.map_err(Fault::into_error)
    }
}

/// Normalises `schema` and lowers it to a grammar.
pub(crate) fn lower_schema<'a>(
    schema: &'a serde_json::Value,
    context: Context<'a>,
) -> Result<LoweredSchema, SchemaError> {
    profile::check_schema(schema, context.options.profile, context.limits)?;
    context.reduce(|reducer| lower_root(reducer, schema))
}

fn lower_root<'a>(reducer: &mut Reducer<'a>, schema: &'a serde_json::Value) -> fault::Result<LoweredSchema> {
    let root = reducer.document.add_root(schema, String::new());
    let conj = reducer.conj_of(root)?;
    let mut lowerer = Lowerer::new(reducer);
    let start = lowerer.nonterminal(conj)?;
    lowerer.finish()?;
    let dead = lowerer.dead_root(start);
    let builder = lowerer.into_builder();
    match start {
        Some(start) if !dead => Ok(LoweredSchema { builder, start }),
        _ => Err(reducer.unsatisfiable(root)),
    }
}

/// A grammar of any JSON object; for Cohere's profiles of five levels, as its JSON mode has it.
pub(crate) fn lower_json_object(options: &SchemaOptions) -> LoweredSchema {
    let max_levels = match options.profile {
        Profile::CohereJson | Profile::CohereTools => Some(5),
        Profile::Full | Profile::OpenAiStrict => None,
    };
    let (builder, start) = lower::any_object(options, max_levels);
    LoweredSchema { builder, start }
}

/// Lowers a set of tools to a grammar.
pub(crate) fn lower_tools<'a>(tools: &'a ToolSet, context: Context<'a>) -> Result<LoweredSchema, SchemaError> {
    check_tools(tools, context.options, context.limits)?;
    context.reduce(|reducer| tools::lower(reducer, tools))
}

/// What in the schemas of tools is probably a mistake.
pub(crate) fn lint_tools<'a>(tools: &'a ToolSet, context: Context<'a>) -> Vec<Lint> {
    let mut lints = Vec::new();
    for (index, tool) in tools.tools.iter().enumerate() {
        let found = lint_within(&tool.parameters, context).into_iter();
        let path = tools::pointer(index);
        lints.extend(found.map(|lint| Lint { pointer: format!("{path}{}", lint.pointer), ..lint }));
    }
    lints
}

/// What becomes of every keyword of `tools`.
pub(crate) fn tools_report<'a>(tools: &'a ToolSet, context: Context<'a>) -> Result<Report, SchemaError> {
    check_tools(tools, context.options, context.limits)?;
    context.reduce(|reducer| {
        tools::lower(reducer, tools)?;
        Ok(report::of_reached(reducer))
    })
}

fn check_tools(tools: &ToolSet, options: &SchemaOptions, limits: &Limits) -> Result<(), SchemaError> {
    let violations = tools::check(tools);
    if !violations.is_empty() {
        return Err(SchemaError::from_violations(violations));
    }
    profile::check_tools(tools, options.profile, limits)
}
