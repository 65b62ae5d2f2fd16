//! Which texts does a JSON Schema describe? Schema documents to grammars, with a report of what is enforced.

mod layout;

pub use self::layout::Layout;

use crate::error::SchemaError;
use crate::grammar::GrammarBuilder;
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
    /// Refuse formats that no draft defines instead of taking them as annotations.
    pub refuse_unknown_formats: bool,
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
    /// One entry for each keyword occurrence that was reached.
    pub entries: Vec<ReportEntry>,
}

/// One keyword occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportEntry {
    /// JSON Pointer to the schema object that holds the keyword.
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
}

/// A schema made into a grammar.
pub(crate) struct LoweredSchema {
    pub(crate) builder: GrammarBuilder,
    pub(crate) start: NonterminalId,
    pub(crate) report: Report,
}

/// Normalises `schema` and lowers it to a grammar.
pub(crate) fn lower_schema(
    schema: &serde_json::Value,
    options: &SchemaOptions,
    limits: &Limits,
) -> Result<LoweredSchema, SchemaError> {
    let _ = (schema, options, limits);
    todo!()
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

/// Lowers a set of tools to a grammar.
pub(crate) fn lower_tools(
    tools: &ToolSet,
    options: &SchemaOptions,
    limits: &Limits,
) -> Result<LoweredSchema, SchemaError> {
    let _ = (tools, options, limits);
    todo!()
}

pub(crate) fn lower_json_object(options: &SchemaOptions, limits: &Limits) -> Result<LoweredSchema, SchemaError> {
    let _ = (options, limits);
    todo!()
}
