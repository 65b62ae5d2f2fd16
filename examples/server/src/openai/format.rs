//! What must the text be? `response_format` and the fields that other servers have for the same.

use formwork::json_schema::{Layout, Profile, SchemaOptions};
use formwork::{CompileError, Grammar, Violation};
use serde_json::{Value, json};

use crate::failure::{Failure, describe};
use crate::layout::{LAYOUT, options};
use crate::request::{flag, text};

/// A grammar, and what to say when it is refused.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) grammar: Grammar,
    /// The field of the request that it comes from.
    pub(crate) param: &'static str,
    /// The name of a schema that has one.
    name: Option<String>,
}

impl Wanted {
    fn new(grammar: Grammar, param: &'static str) -> Wanted {
        Wanted { grammar, param, name: None }
    }

    /// The refusal, worded as OpenAI words it for schemas with a name.
    pub(crate) fn refusal(&self, error: &CompileError) -> Failure {
        let message = match (&self.name, first_violation(error)) {
            (Some(name), Some(violation)) => {
                let place = in_context(violation, &violation.pointer);
                format!("Invalid schema for response_format '{name}': {place}")
            }
            _ => format!("Invalid {}: {}", self.param, describe(error)),
        };
        Failure::about(self.param, message).with_code("invalid_json_schema")
    }
}

pub(crate) fn first_violation(error: &CompileError) -> Option<&Violation> {
    match error {
        CompileError::Schema(schema) => schema.violations().first(),
        _ => None,
    }
}

/// A violation with its place in a schema as a tuple of path segments, which is OpenAI's way, and as a JSON Pointer.
pub(crate) fn in_context(violation: &Violation, pointer: &str) -> String {
    let segments: Vec<String> = pointer.split('/').skip(1).map(|segment| format!("'{segment}'")).collect();
    let comma = if segments.len() == 1 { "," } else { "" };
    let at = if pointer.is_empty() { "/" } else { pointer };
    let keyword = violation.keyword.as_ref().map(|keyword| format!("'{keyword}': ")).unwrap_or_default();
    format!("In context=({}{comma}), {keyword}{} (at {at}).", segments.join(", "), violation.reason)
}

/// `response_format` of chat completions, LMDeploy's types among them. `None` for free text.
pub(crate) fn response_format(format: Option<&Value>) -> Result<Option<Wanted>, Failure> {
    typed_format(format, "response_format", "response_format")
}

/// `text.format` of responses, which has the same types; a schema stands beside its name.
pub(crate) fn text_format(format: Option<&Value>) -> Result<Option<Wanted>, Failure> {
    typed_format(format, "text.format", "text.format.schema")
}

/// A format by its type. Refusals name `param`, and those of a schema `schema_param`.
fn typed_format(
    format: Option<&Value>,
    param: &'static str,
    schema_param: &'static str,
) -> Result<Option<Wanted>, Failure> {
    let Some(format) = format.filter(|format| !format.is_null()) else { return Ok(None) };
    let wrong = |message: &str| Failure::about(param, message);
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(None),
        Some("json_object") => match format.get("schema").filter(|schema| !schema.is_null()) {
            // llama.cpp's and others' way to name a schema.
            Some(schema) => Ok(Some(Wanted::new(full(schema, schema_param)?, schema_param))),
            None => Ok(Some(Wanted::new(Grammar::json_object().with_options(options()), param))),
        },
        Some("json_schema") => {
            let wrapper = format.get("json_schema").unwrap_or(format);
            named_schema(wrapper, schema_param).map(Some)
        }
        Some("regex_schema") => match format.get("regex_schema") {
            Some(Value::String(pattern)) => Ok(Some(Wanted::new(Grammar::regex(pattern), param))),
            _ => Err(wrong("regex_schema must be a regular expression")),
        },
        Some("grammar") => match format.get("grammar") {
            Some(Value::String(text)) => Ok(Some(Wanted::new(grammar_text(text), param))),
            _ => Err(wrong("grammar must be a text in the notation of Lark or GBNF")),
        },
        Some(other) => Err(wrong(&format!(
            "{param}.type is {other:?}, it must be text, json_object, json_schema, regex_schema or grammar"
        ))),
        None => Err(wrong(&format!("{param} needs a type"))),
    }
}

/// A schema with name and strictness: `{name, schema, strict}`.
pub(crate) fn named_schema(wrapper: &Value, param: &'static str) -> Result<Wanted, Failure> {
    let name = text(wrapper, "name", param)?;
    if let Some(name) = name {
        check_name(name, param)?;
    }
    text(wrapper, "description", param)?;
    let schema = ["schema", "json_schema"].iter().find_map(|key| wrapper.get(*key)).filter(|schema| !schema.is_null());
    let Some(schema) = schema else {
        return Err(Failure::about(param, "json_schema needs a schema").with_code("missing_required_parameter"));
    };
    let is_strict = flag(wrapper, "strict", param)?.unwrap_or(false);
    let grammar = match is_strict {
        true => Grammar::json_schema(parsed(schema, param)?).with_options(strict_options()),
        false => full(schema, param)?,
    };
    Ok(Wanted { grammar, param, name: name.map(str::to_owned) })
}

/// Names are at most 64 letters, digits, `_` and `-`.
pub(crate) fn check_name(name: &str, param: &str) -> Result<(), Failure> {
    let is_fine = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    match is_fine {
        true => Ok(()),
        false => Err(Failure::about(param, format!("{name:?} is no name of 1 to 64 letters, digits, _ and -"))),
    }
}

pub(crate) fn strict_options() -> SchemaOptions {
    SchemaOptions { profile: Profile::OpenAiStrict, ..options() }
}

/// A schema by all that the engine enforces.
fn full(schema: &Value, param: &str) -> Result<Grammar, Failure> {
    Ok(Grammar::json_schema(parsed(schema, param)?).with_options(options()))
}

/// A schema may be given as JSON text, which LMDeploy's clients do.
fn parsed(schema: &Value, param: &str) -> Result<Value, Failure> {
    match schema {
        Value::String(text) => serde_json::from_str(text)
            .map_err(|error| Failure::about(param, format!("the schema is not JSON: {error}"))),
        schema => Ok(schema.clone()),
    }
}

/// A grammar in either notation: only GBNF has `::=` in all its rules.
fn grammar_text(text: &str) -> Grammar {
    match text.contains("::=") {
        true => Grammar::gbnf(text),
        false => Grammar::lark(text).with_options(options()),
    }
}

/// vLLM's `structured_outputs`: one of `json`, `regex`, `choice`, `json_object`, `grammar`, with options of the white space.
pub(crate) fn structured_outputs(field: Option<&Value>) -> Result<Option<Wanted>, Failure> {
    const PARAM: &str = "structured_outputs";
    let Some(value) = field.filter(|field| !field.is_null()) else { return Ok(None) };
    let wrong = |message: &str| Failure::about(PARAM, message);
    let Some(field) = value.as_object() else { return Err(wrong("structured_outputs must be an object")) };
    let present = |key: &&str| field.get(*key).is_some_and(|value| !value.is_null() && *value != json!(false));
    const KINDS: [&str; 6] = ["json", "regex", "choice", "json_object", "grammar", "structural_tag"];
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| present(kind)).collect();
    let [kind] = kinds[..] else {
        return Err(wrong("exactly one of json, regex, choice, json_object and grammar must be given"));
    };
    let compact = flag(value, "disable_any_whitespace", PARAM)?.unwrap_or(false);
    let options = SchemaOptions { layout: if compact { Layout::COMPACT } else { LAYOUT }, ..options() };
    if present(&"whitespace_pattern") {
        return Err(wrong("whitespace_pattern is not supported; disable_any_whitespace is"));
    }
    let grammar = match kind {
        "json" => full(&field[kind], PARAM)?.with_options(options),
        "json_object" => Grammar::json_object().with_options(options),
        "regex" => Grammar::regex(field[kind].as_str().ok_or_else(|| wrong("regex must be a text"))?),
        "grammar" => grammar_text(field[kind].as_str().ok_or_else(|| wrong("grammar must be a text"))?),
        "choice" => choice(&field[kind]).ok_or_else(|| wrong("choice must be a list of texts"))?,
        other => return Err(wrong(&format!("{other} is not supported"))),
    };
    Ok(Some(Wanted::new(grammar, PARAM)))
}

fn choice(choices: &Value) -> Option<Grammar> {
    let choices: Option<Vec<&str>> = choices.as_array()?.iter().map(Value::as_str).collect();
    choices.map(Grammar::choice)
}

/// llama.cpp's `json_schema` and LMDeploy's `regex_schema` at the top of a request.
pub(crate) fn top_level(json_schema: Option<&Value>, regex_schema: Option<&Value>) -> Result<Option<Wanted>, Failure> {
    let json_schema = json_schema.filter(|schema| !schema.is_null());
    let regex_schema = regex_schema.filter(|pattern| !pattern.is_null());
    match (json_schema, regex_schema) {
        (Some(schema), None) => Ok(Some(Wanted::new(full(schema, "json_schema")?, "json_schema"))),
        (None, Some(Value::String(pattern))) => Ok(Some(Wanted::new(Grammar::regex(pattern), "regex_schema"))),
        (None, Some(_)) => Err(Failure::about("regex_schema", "regex_schema must be a regular expression")),
        (Some(_), Some(_)) => Err(Failure::about("regex_schema", "json_schema and regex_schema exclude each other")),
        (None, None) => Ok(None),
    }
}

/// The one of several ways to ask for a structure that was used.
pub(crate) fn one_of(wanted: [Option<Wanted>; 3]) -> Result<Option<Wanted>, Failure> {
    let mut wanted = wanted.into_iter().flatten();
    let first = wanted.next();
    match (&first, wanted.next()) {
        (Some(first), Some(second)) => {
            Err(Failure::about(second.param, format!("{} and {} exclude each other", first.param, second.param)))
        }
        _ => Ok(first),
    }
}
