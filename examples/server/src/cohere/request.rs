//! What does a chat request say? Every field of the API with its range.

use formwork_decode::{CancelToken, GenerationConfig, Sampling};
use serde_json::Value;

use super::fields::{Fields, invalid};
use super::tools::{Tools, tools};
use crate::failure::Failure;

const MAX_STOP_SEQUENCES: usize = 5;

/// A request whose fields are each as they may be.
#[derive(Debug)]
pub(super) struct ChatRequest {
    pub(super) messages: Vec<Value>,
    pub(super) documents: Vec<Value>,
    pub(super) format: Format,
    pub(super) tools: Option<Tools>,
    pub(super) max_tokens: Option<usize>,
    /// All settings but the number of tokens.
    pub(super) config: GenerationConfig,
    pub(super) is_stream: bool,
}

/// `response_format`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Format {
    Text,
    /// Any JSON object.
    Json,
    /// What a schema describes.
    Schema(Value),
}

impl ChatRequest {
    pub(super) fn read(body: &[u8]) -> Result<ChatRequest, Failure> {
        let mut fields = Fields::read(body)?;
        if fields.text("model")?.is_none_or(|model| model.is_empty()) {
            return Err(invalid("model", "model is required"));
        }
        let messages = fields.list("messages")?;
        if messages.is_empty() {
            return Err(invalid("messages", "at least one message is required"));
        }
        let is_strict = fields.flag("strict_tools")?;
        let (list, choice) = (fields.list("tools")?, fields.text("tool_choice")?);
        let request = ChatRequest {
            messages,
            documents: fields.list("documents")?,
            format: format(fields.take("response_format").as_ref())?,
            tools: tools(&list, is_strict, choice.as_deref())?,
            max_tokens: fields.integer("max_tokens", 1..=u64::MAX)?.map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
            config: config(&mut fields)?,
            is_stream: fields.flag("stream")?,
        };
        without_effect(&mut fields)?;
        fields.finish()?;
        Ok(request)
    }
}

fn config(fields: &mut Fields) -> Result<GenerationConfig, Failure> {
    let random = || u64::from_str_radix(&crate::ids::new("")[..16], 16).unwrap_or(0);
    let k = fields.integer("k", 0..=500)?.unwrap_or(0) as usize;
    let sampling = Sampling {
        temperature: fields.number("temperature", 0.0..=1.0, 0.3)?,
        top_k: (k > 0).then_some(k),
        top_p: Some(fields.number("p", 0.01..=0.99, 0.75)?),
        frequency_penalty: fields.number("frequency_penalty", 0.0..=1.0, 0.0)?,
        presence_penalty: fields.number("presence_penalty", 0.0..=1.0, 0.0)?,
        seed: fields.integer("seed", 0..=u64::MAX)?.unwrap_or_else(random),
        ..Sampling::default()
    };
    Ok(GenerationConfig {
        sampling,
        stop_strings: stop_sequences(fields)?,
        record_top: fields.flag("logprobs")?.then_some(0),
        cancel: CancelToken::new(),
        ..GenerationConfig::default()
    })
}

fn stop_sequences(fields: &mut Fields) -> Result<Vec<String>, Failure> {
    const NAME: &str = "stop_sequences";
    let list = fields.list(NAME)?;
    if list.len() > MAX_STOP_SEQUENCES {
        return Err(invalid(NAME, format!("at most {MAX_STOP_SEQUENCES} stop_sequences are supported")));
    }
    let texts = list.into_iter().map(|text| match text {
        Value::String(text) => Ok(text),
        _ => Err(invalid(NAME, "stop_sequences must be strings")),
    });
    texts.collect()
}

/// `{type}`, and for objects the schema under either of its two names.
fn format(format: Option<&Value>) -> Result<Format, Failure> {
    let wrong = |message: &str| Err(invalid("response_format", message));
    let Some(format) = format else { return Ok(Format::Text) };
    let Some(fields) = format.as_object() else { return wrong("response_format must be an object") };
    if let Some(name) = fields.keys().find(|name| !matches!(name.as_str(), "type" | "schema" | "json_schema")) {
        return wrong(&format!("unknown field: response_format.{name}"));
    }
    let schema = |name: &str| fields.get(name).filter(|schema| !schema.is_null());
    let schema = match (schema("schema"), schema("json_schema")) {
        (Some(one), Some(other)) if one != other => {
            return wrong("response_format.schema and response_format.json_schema differ");
        }
        (one, other) => one.or(other),
    };
    match (fields.get("type").and_then(Value::as_str), schema) {
        (Some("text"), None) => Ok(Format::Text),
        (Some("text"), Some(_)) => wrong("response_format must not have a schema when its type is text"),
        (Some("json_object"), None) => Ok(Format::Json),
        (Some("json_object"), Some(schema)) if schema.is_object() => Ok(Format::Schema(schema.clone())),
        (Some("json_object"), Some(_)) => wrong("response_format: schema must be an object"),
        _ => wrong("response_format.type must be text or json_object"),
    }
}

/// Fields that are checked and change nothing.
fn without_effect(fields: &mut Fields) -> Result<(), Failure> {
    fields.integer("priority", 0..=999)?;
    one_of("safety_mode", fields.text("safety_mode")?.as_deref(), &["CONTEXTUAL", "STRICT", "OFF"])?;
    if fields.take("citation_options").is_some_and(|options| !options.is_object()) {
        return Err(invalid("citation_options", "citation_options must be an object"));
    }
    let Some(thinking) = fields.take("thinking") else { return Ok(()) };
    let kind = thinking.get("type").and_then(Value::as_str).unwrap_or_default();
    one_of("thinking.type", Some(kind), &["enabled", "disabled"])?;
    let budget = thinking.get("token_budget").filter(|budget| !budget.is_null());
    match budget.is_none_or(|budget| budget.as_u64().is_some_and(|budget| budget >= 1)) {
        true => Ok(()),
        false => Err(invalid("thinking.token_budget", "thinking.token_budget must be a positive integer")),
    }
}

fn one_of(name: &str, word: Option<&str>, words: &[&str]) -> Result<(), Failure> {
    match word.is_none_or(|word| words.contains(&word)) {
        true => Ok(()),
        false => Err(invalid(name, format!("{name} must be one of {}", words.join(", ")))),
    }
}
