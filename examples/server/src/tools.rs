//! Which tools may be called, and must one be? From a list of tools to a grammar of calls and a scanner for them.

use formwork::Grammar;
use formwork::json_schema::{ArgumentsKey, Profile, SchemaOptions, Tool, ToolCalls, ToolSet};
use serde_json::{Value, json};

use crate::calls::CallFormat;
use crate::layout::options;

/// One tool of a request, whatever API it came by.
#[derive(Clone, Debug)]
pub(crate) struct ToolSpec {
    pub(crate) name: String,
    pub(crate) parameters: Value,
    pub(crate) is_strict: bool,
    /// Whether its input is a text, which stands in the arguments under `input`.
    pub(crate) is_custom: bool,
}

/// Whether tools are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Not at all.
    None,
    /// As the model likes: free text, and calls in it.
    Auto,
    /// At least once.
    Required,
}

/// What an answer with tools is.
#[derive(Clone, Debug)]
pub(crate) struct ToolPlan {
    pub(crate) grammar: Grammar,
    pub(crate) format: CallFormat,
}

/// How the model's family writes calls, told by its chat template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Family {
    /// `<tool_call>\n{...}\n</tool_call>`: Hermes, Qwen.
    Hermes,
    /// `{"name": ..., "parameters": {...}}`: Llama 3.
    Llama3,
    /// `[TOOL_CALLS][{...}, ...]`: Mistral.
    Mistral,
    /// `{"name": ..., "arguments": {...}}`.
    #[default]
    Plain,
}

impl Family {
    /// Told by what a template writes around calls.
    pub(crate) fn of_template(source: &str) -> Family {
        if source.contains("<tool_call>") {
            Family::Hermes
        } else if source.contains("[TOOL_CALLS]") {
            Family::Mistral
        } else if source.contains("<|python_tag|>") || source.contains("\"parameters\": ") {
            Family::Llama3
        } else {
            Family::Plain
        }
    }

    pub(crate) fn arguments_key(self) -> ArgumentsKey {
        match self {
            Family::Llama3 => ArgumentsKey::Parameters,
            _ => ArgumentsKey::Arguments,
        }
    }
}

/// A tool without parameters takes an empty object.
pub(crate) fn parameters_or_empty(parameters: Option<&Value>) -> Value {
    let empty = || json!({"type": "object", "properties": {}, "additionalProperties": false});
    parameters.filter(|parameters| !parameters.is_null()).cloned().unwrap_or_else(empty)
}

/// The arguments of a tool whose input is a text: any, or what a regular expression matches as a whole.
pub(crate) fn input_parameters(regex: Option<&str>) -> Value {
    let input = match regex {
        Some(regex) => json!({"type": "string", "pattern": format!("^(?:{regex})$")}),
        None => json!({"type": "string"}),
    };
    json!({"type": "object", "properties": {"input": input}, "required": ["input"], "additionalProperties": false})
}

/// The calls of some tools, one object or a list of them.
pub(crate) fn call_grammar(tools: &[ToolSpec], family: Family, calls: ToolCalls, profile: Profile) -> Grammar {
    let set = ToolSet {
        tools: tools.iter().map(|tool| Tool { name: tool.name.clone(), parameters: tool.parameters.clone() }).collect(),
        arguments_key: family.arguments_key(),
        calls,
    };
    // What a loose tool has that cannot be enforced is no reason to refuse it.
    let relax_unsupported = !tools.iter().any(|tool| tool.is_strict);
    Grammar::tools(set).with_options(SchemaOptions { profile, relax_unsupported, ..options() })
}

/// The grammar of an answer: calls, or for [`Choice::Auto`] the text of `answer`, or any, with calls in it.
pub(crate) fn tool_plan(
    family: Family,
    tools: &[ToolSpec],
    _choice: Choice,
    is_parallel: bool,
    profile: Profile,
    _answer: Option<Grammar>,
) -> ToolPlan {
    let calls = if is_parallel { ToolCalls::Many { max: None } } else { ToolCalls::One };
    let arguments_key = match family.arguments_key() {
        ArgumentsKey::Arguments => "arguments",
        ArgumentsKey::Parameters => "parameters",
    };
    let begin = if is_parallel { "[{\"name\": \"" } else { "{\"name\": \"" };
    let format = CallFormat { begin: begin.to_owned(), end: String::new(), arguments_key };
    ToolPlan { grammar: call_grammar(tools, family, calls, profile), format }
}
