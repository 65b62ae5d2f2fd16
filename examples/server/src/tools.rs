//! Which tools may be called, and must one be? From a list of tools to a grammar of calls and a scanner for them.

use formwork::json_schema::{ArgumentsKey, Layout, Profile, SchemaOptions, Tool, ToolCalls, ToolSet};
use formwork::{Grammar, Marker, Structure};
use serde_json::{Value, json};

use crate::calls::CallFormat;
use crate::layout::{LAYOUT, options};

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
fn call_grammar(tools: &[ToolSpec], family: Family, calls: ToolCalls, profile: Profile, layout: Layout) -> Structure {
    let set = ToolSet {
        tools: tools.iter().map(|tool| Tool { name: tool.name.clone(), parameters: tool.parameters.clone() }).collect(),
        arguments_key: family.arguments_key(),
        calls,
    };
    // What a loose tool has that cannot be enforced is no reason to refuse it.
    let relax_unsupported = !tools.iter().any(|tool| tool.is_strict);
    Grammar::tools(set).with_options(SchemaOptions { profile, relax_unsupported, layout, ..options() }).into()
}

/// How calls stand in an answer.
struct Calls {
    /// What free text must not hold, because a call begins with it.
    triggers: Vec<Marker>,
    /// One call, or all of them where they stand in a list.
    call: Structure,
    /// What is between two of them; `None` where `call` holds all.
    separator: Option<&'static str>,
    format: CallFormat,
}

impl Family {
    /// `has_special` tells which control tokens the vocabulary has: their names are not in the text.
    fn calls(
        self,
        call: impl Fn(ToolCalls) -> Structure,
        is_parallel: bool,
        has_special: impl Fn(&str) -> bool,
    ) -> Calls {
        let arguments_key = match self.arguments_key() {
            ArgumentsKey::Arguments => "arguments",
            ArgumentsKey::Parameters => "parameters",
        };
        let format =
            |begin: &str, end: &str| CallFormat { begins: vec![begin.to_owned()], end: end.to_owned(), arguments_key };
        let marker = |name: &str| Marker::SpecialOrText(name.to_owned());
        match self {
            Family::Hermes => {
                let (begin, end) = ("<tool_call>", "</tool_call>");
                let format = match has_special(begin) {
                    true => format("\n{\"name\": \"", "\n"),
                    false => format("<tool_call>\n", "\n</tool_call>"),
                };
                let call = [
                    Structure::marker(begin),
                    Structure::text("\n"),
                    call(ToolCalls::One),
                    Structure::text("\n"),
                    Structure::marker(end),
                ];
                let texts = format.begins.iter().cloned().map(Marker::Text);
                let triggers = texts.chain([marker(begin)]).collect();
                Calls { triggers, call: Structure::sequence(call), separator: Some("\n"), format }
            }
            Family::Mistral => {
                let begin = "[TOOL_CALLS]";
                let max = if is_parallel { None } else { Some(1) };
                let format = match has_special(begin) {
                    true => format("[{\"name\": \"", ""),
                    false => format("[TOOL_CALLS][{\"name\": \"", ""),
                };
                let triggers = vec![marker(begin), Marker::Text("[{\"name\": \"".to_owned())];
                let call = Structure::sequence([Structure::marker(begin), call(ToolCalls::Many { max })]);
                Calls { triggers, call, separator: None, format }
            }
            Family::Llama3 | Family::Plain => {
                // A call is an object that begins with its name, however it is laid out.
                let begins = ["", " ", "\n", "\n ", "\n  ", "\n    ", "\n\t"].map(|blank| format!("{{{blank}\"name\""));
                let triggers = begins.iter().cloned().map(Marker::Text).collect();
                let format = CallFormat { begins: begins.into(), end: String::new(), arguments_key };
                Calls { triggers, call: call(ToolCalls::One), separator: Some("\n"), format }
            }
        }
    }
}

/// The grammar of an answer: calls, or for [`Choice::Auto`] the text of `answer`, or any, with calls in it.
pub(crate) fn tool_plan(
    family: Family,
    tools: &[ToolSpec],
    choice: Choice,
    is_parallel: bool,
    profile: Profile,
    answer: Option<Grammar>,
    has_special: impl Fn(&str) -> bool,
) -> ToolPlan {
    // Without markers a model that calls by itself lays out as it has learnt to.
    let is_free = choice == Choice::Auto && matches!(family, Family::Plain | Family::Llama3);
    let layout = if is_free { Layout::BOUNDED } else { LAYOUT };
    let call = |calls| call_grammar(tools, family, calls, profile, layout);
    let Calls { triggers, call, separator, format } = family.calls(call, is_parallel, has_special);
    let several = match separator {
        Some(separator) if is_parallel => {
            let separator = Some(Box::new(Structure::text(separator)));
            Structure::Repeat { part: Box::new(call.clone()), separator, min: 1, max: None }
        }
        _ => call,
    };
    let output = match (choice, answer) {
        (Choice::Auto, Some(answer)) => Structure::choice([answer.into(), several]),
        (Choice::Auto, None) => Structure::sequence([Structure::free(triggers), several.optional()]),
        _ => several,
    };
    ToolPlan { grammar: Grammar::structure(output), format }
}
