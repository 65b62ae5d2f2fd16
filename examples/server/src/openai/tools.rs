//! Which tools does a chat request name, and which of them may or must be called?

use formwork::json_schema::Profile;
use formwork::{CompileError, Violation};
use serde_json::{Value, json};

use super::format::{check_name, first_violation, in_context};
use crate::failure::{Failure, describe};
use crate::request::{flag, text};
use crate::tools::{Choice, ToolSpec, input_parameters, parameters_or_empty};

/// The tools of a request and how they may be called.
#[derive(Clone, Debug)]
pub(crate) struct ToolRequest {
    /// Those that may be called.
    pub(crate) tools: Vec<ToolSpec>,
    pub(crate) choice: Choice,
    /// All of them, as the chat template takes them.
    pub(crate) for_template: Value,
    /// Where the parameters of each stand in the request.
    params: Vec<String>,
}

/// Where the shape of a tool differs between APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ToolShape {
    /// `{type, function: {...}}`: chat completions.
    Nested,
    /// `{type, name, ...}`: responses.
    Flat,
}

/// The tools of a request; `None` when it names none.
pub(crate) fn tool_request(
    tools: Option<&Value>,
    choice: Option<&Value>,
    shape: ToolShape,
) -> Result<Option<ToolRequest>, Failure> {
    let tools = match tools {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(tools)) => tools,
        Some(_) => return Err(Failure::about("tools", "tools must be a list")),
    };
    if tools.is_empty() {
        return match choice.and_then(Value::as_str) {
            None if choice.is_none_or(Value::is_null) => Ok(None),
            Some("none" | "auto") => Ok(None),
            _ => Err(Failure::about("tool_choice", "tool_choice is only allowed when tools are specified")),
        };
    }
    let specs: Vec<ToolSpec> =
        tools.iter().enumerate().map(|(index, it)| tool(index, it, shape)).collect::<Result<_, _>>()?;
    for (index, spec) in specs.iter().enumerate() {
        if specs[..index].iter().any(|other| other.name == spec.name) {
            return Err(Failure::about(
                format!("tools[{index}]"),
                format!("another tool is called {:?} already", spec.name),
            ));
        }
    }
    let for_template = specs.iter().zip(tools).map(|(spec, tool)| {
        let described = if shape == ToolShape::Nested { tool.get(kind_of(tool)).unwrap_or(tool) } else { tool };
        let description = described.get("description").cloned().unwrap_or_else(|| "".into());
        let parameters = &spec.parameters;
        json!({"type": "function", "function": {"name": spec.name, "description": description, "parameters": parameters}})
    });
    let for_template = for_template.collect();
    let params = (0..specs.len()).map(|index| match shape {
        ToolShape::Nested => format!("tools[{index}].function.parameters"),
        ToolShape::Flat => format!("tools[{index}].parameters"),
    });
    let request = ToolRequest { params: params.collect(), tools: specs, choice: Choice::Auto, for_template };
    request.with_choice(choice).map(Some)
}

fn kind_of(tool: &Value) -> &str {
    tool.get("type").and_then(Value::as_str).unwrap_or("function")
}

fn tool(index: usize, tool: &Value, shape: ToolShape) -> Result<ToolSpec, Failure> {
    let kind = kind_of(tool);
    let is_custom = match kind {
        "function" => false,
        "custom" => true,
        other => {
            return Err(Failure::about(
                format!("tools[{index}].type"),
                format!("tools of type {other:?} are not supported"),
            ));
        }
    };
    let inner = match shape {
        ToolShape::Nested => tool.get(kind).unwrap_or(&Value::Null),
        ToolShape::Flat => tool,
    };
    let param = |field: &str| match shape {
        ToolShape::Nested => format!("tools[{index}].{kind}.{field}"),
        ToolShape::Flat => format!("tools[{index}].{field}"),
    };
    let Some(name) = inner.get("name").and_then(Value::as_str) else {
        return Err(Failure::about(param("name"), "a tool needs a name").with_code("missing_required_parameter"));
    };
    check_name(name, &param("name"))?;
    let parameters = match is_custom {
        true => custom_parameters(inner.get("format"), &param("format"))?,
        false => parameters_or_empty(inner.get("parameters")),
    };
    text(inner, "description", &param("description"))?;
    let is_strict = flag(inner, "strict", &param("strict"))?.unwrap_or(false);
    Ok(ToolSpec { name: name.to_owned(), parameters, is_strict, is_custom })
}

/// The input of a custom tool: any text, or by a regular expression.
fn custom_parameters(format: Option<&Value>, param: &str) -> Result<Value, Failure> {
    let Some(format) = format.filter(|format| !format.is_null()) else { return Ok(input_parameters(None)) };
    let grammar = format.get("grammar").unwrap_or(format);
    match (format.get("type").and_then(Value::as_str), grammar.get("syntax").and_then(Value::as_str)) {
        (Some("text"), _) => Ok(input_parameters(None)),
        (Some("grammar"), Some("regex")) => match grammar.get("definition").and_then(Value::as_str) {
            Some(regex) => Ok(input_parameters(Some(regex))),
            None => Err(Failure::about(param, "a grammar needs a definition")),
        },
        (Some("grammar"), _) => Err(Failure::about(param, "grammars of custom tools must have the syntax regex")),
        _ => Err(Failure::about(param, "the format of a custom tool must be of type text or grammar")),
    }
}

impl ToolRequest {
    /// Narrows the tools to those that `tool_choice` names.
    fn with_choice(mut self, choice: Option<&Value>) -> Result<ToolRequest, Failure> {
        let wrong = |message: String| Failure::about("tool_choice", message);
        match choice {
            None | Some(Value::Null) => {}
            Some(Value::String(word)) => self.choice = by_word(word)?,
            Some(Value::Object(_)) => {
                let choice = choice.unwrap_or(&Value::Null);
                match choice.get("type").and_then(Value::as_str) {
                    Some("allowed_tools") => {
                        let allowed = choice.get("allowed_tools").unwrap_or(choice);
                        let mode = allowed.get("mode").and_then(Value::as_str).unwrap_or("auto");
                        self.choice = by_word(mode)?;
                        let Some(list) = allowed.get("tools").and_then(Value::as_array) else {
                            return Err(wrong("allowed_tools needs a list of tools".to_owned()));
                        };
                        let names: Option<Vec<&str>> = list.iter().map(named).collect();
                        let names = names.ok_or_else(|| wrong("each of the allowed tools needs a name".to_owned()))?;
                        self.keep(&names)?;
                    }
                    Some("function" | "custom") => {
                        let name =
                            named(choice).ok_or_else(|| wrong("tool_choice needs the name of a tool".to_owned()))?;
                        self.choice = Choice::Required;
                        self.keep(&[name])?;
                    }
                    _ => return Err(wrong("tool_choice must be of type function, custom or allowed_tools".to_owned())),
                }
            }
            Some(_) => return Err(wrong("tool_choice must be a word or an object".to_owned())),
        }
        Ok(self)
    }

    fn keep(&mut self, names: &[&str]) -> Result<(), Failure> {
        if let Some(missing) = names.iter().find(|name| self.tools.iter().all(|tool| tool.name != **name)) {
            return Err(Failure::about(
                "tool_choice",
                format!("Tool choice '{missing}' not found in 'tools' parameter."),
            ));
        }
        let is_kept: Vec<bool> = self.tools.iter().map(|tool| names.contains(&tool.name.as_str())).collect();
        let mut flags = is_kept.iter();
        self.tools.retain(|_| flags.next().copied().unwrap_or(false));
        let mut flags = is_kept.iter();
        self.params.retain(|_| flags.next().copied().unwrap_or(false));
        Ok(())
    }

    /// Strict tools keep to OpenAI's subset, each by itself: one that does not is named.
    pub(crate) fn profile(&self) -> Profile {
        match self.tools.iter().all(|tool| tool.is_strict && !tool.is_custom) {
            true => Profile::OpenAiStrict,
            false => Profile::Full,
        }
    }

    /// The refusal, worded as OpenAI words it, naming the tool at fault.
    pub(crate) fn refusal(&self, error: &CompileError) -> Failure {
        match first_violation(error).and_then(|violation| self.place(violation)) {
            Some((tool, param, place)) => {
                let message = format!("Invalid schema for function '{}': {place}", tool.name);
                Failure::about(param, message).with_code("invalid_function_parameters")
            }
            None => Failure::about("tools", describe(error)).with_code("invalid_function_parameters"),
        }
    }

    /// The tool that a violation is in, the field of its parameters, and the place in these.
    fn place(&self, violation: &Violation) -> Option<(&ToolSpec, &str, String)> {
        // In front is where the calls stand in the answer, behind it where the fault is in the parameters.
        let (_, rest) = violation.pointer.split_once("/tools/")?;
        let index: usize = rest.split('/').next()?.parse().ok()?;
        let place = rest.find("/parameters").map_or("", |at| &rest[at + "/parameters".len()..]);
        Some((self.tools.get(index)?, self.params.get(index)?, in_context(violation, place)))
    }
}

fn by_word(word: &str) -> Result<Choice, Failure> {
    match word {
        "none" => Ok(Choice::None),
        "auto" => Ok(Choice::Auto),
        "required" | "any" => Ok(Choice::Required),
        other => {
            Err(Failure::about("tool_choice", format!("tool_choice is {other:?}, it must be none, auto or required")))
        }
    }
}

fn named(choice: &Value) -> Option<&str> {
    let inner = choice.get("function").or_else(|| choice.get("custom")).unwrap_or(choice);
    inner.get("name").and_then(Value::as_str)
}
