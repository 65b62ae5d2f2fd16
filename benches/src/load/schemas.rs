//! Which structures are asked for? Schemas of real data that the server takes, each with an independent validator.

use std::io;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::CHAT;
use super::http::HttpClient;
use crate::data::{read_cases, sample};

/// A schema and what checks answers by it.
#[derive(Debug)]
pub struct CheckedSchema {
    /// Where it comes from.
    pub name: String,
    /// The schema itself.
    pub schema: Value,
    validator: Validator,
}

impl CheckedSchema {
    fn new(name: String, schema: Value) -> Option<CheckedSchema> {
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).ok()?;
        Some(CheckedSchema { name, schema, validator })
    }

    /// Whether a text is a JSON value that the schema admits.
    pub fn admits(&self, text: &str) -> bool {
        serde_json::from_str(text).is_ok_and(|value: Value| self.validator.is_valid(&value))
    }
}

/// `n` different schemas that the server takes: of `data`, where there is any, and else, or when these do not suffice,
/// made ones.
///
/// # Errors
/// When the data cannot be read, or the server cannot be asked.
pub async fn catalogue(
    client: &HttpClient,
    data: Option<&Path>,
    n: usize,
    seed: u64,
) -> io::Result<Vec<CheckedSchema>> {
    let cases = match data {
        // Not all of them suit: some are refused, some have no validator.
        Some(path) => sample(read_cases(&[path.to_owned()])?, 3 * n, seed),
        None => Vec::new(),
    };
    let real = cases.iter().filter_map(|case| case.parse().ok()).map(|case| (case.name, case.schema));
    let mut chosen = Vec::with_capacity(n);
    for (name, schema) in real.chain((0..n).map(made)) {
        if chosen.len() == n {
            break;
        }
        let Some(checked) = CheckedSchema::new(name, schema) else { continue };
        if is_taken(client, &checked.schema).await? {
            chosen.push(checked);
        }
    }
    Ok(chosen)
}

/// What is sent to be answered by a schema.
pub(super) fn format(schema: &Value) -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "load", "schema": schema}})
}

async fn is_taken(client: &HttpClient, schema: &Value) -> io::Result<bool> {
    let messages = json!([{"role": "user", "content": "Go."}]);
    let request = json!({"messages": messages, "max_tokens": 1, "response_format": format(schema)});
    Ok(client.post(CHAT, &request).await?.status() == 200)
}

/// The `index`-th made schema: a record with a list of choices.
fn made(index: usize) -> (String, Value) {
    let choices: Vec<String> = (0..=index % 7).map(|choice| format!("choice {choice} of {index}")).collect();
    let schema = json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer", "minimum": index},
            "day": {"type": "string", "format": "date"},
            "names": {"type": "array", "items": {"type": "string", "maxLength": 10 + index}, "minItems": 1, "maxItems": 4},
            "choice": {"enum": choices},
        },
        "required": ["id", "day", "names", "choice"],
        "additionalProperties": false,
    });
    (format!("made {index}"), schema)
}
