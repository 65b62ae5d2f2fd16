//! What is written? Five schemas of the shapes that structured output is used for, each with a request.

use formwork::Grammar;
use serde_json::{Value, json};

/// A request and what its answer must be.
#[derive(Debug)]
pub struct Task {
    /// Its name in tables.
    pub name: &'static str,
    /// What the model is asked.
    pub prompt: &'static str,
    /// What the text must be.
    pub grammar: Grammar,
    /// A text that is.
    pub instance: &'static str,
}

/// All tasks. The second one's request holds an example to copy from, as requests often do.
pub fn tasks() -> Vec<Task> {
    let new = |name, prompt, schema, instance| Task { name, prompt, grammar: Grammar::json_schema(schema), instance };
    vec![
        new("book", "Write a book as JSON.", book(), BOOK),
        new("copy", "Write this person as JSON: Ada Lovelace, ada@example.org, 36", person(), PERSON),
        new("order", "Write an order with several items as JSON.", order(), ORDER),
        new("tool call", "Which tool is needed for the weather in Oslo?", tool_call(), TOOL_CALL),
        new("event", "Write an event as JSON.", event(), EVENT),
    ]
}

const BOOK: &str =
    r#"{"title": "The Salt Road", "author": "Mira Holm", "year": 1987, "genres": ["novel"], "in_print": true}"#;
const PERSON: &str = r#"{"name": "Ada Lovelace", "email": "ada@example.org", "age": 36}"#;
const ORDER: &str = r#"{"order_number": "AB-204815", "customer": "Northwind Ltd", "items": [{"product": "desk lamp", "quantity": 2, "unit_price": 39.9, "currency": "EUR"}, {"product": "chair", "quantity": 1, "unit_price": 120, "currency": "EUR"}], "is_paid": false}"#;
const TOOL_CALL: &str = r#"{"name": "get_weather", "arguments": {"city": "Oslo", "unit": "celsius"}}"#;
const EVENT: &str = r#"{"id": "7f8c2b1e-52d4-4f0a-9c3e-1b6a5d4e3f21", "starts_at": "2026-03-14T18:30:00Z", "place": {"name": "Harbour Hall", "latitude": 59.91, "longitude": 10.75}, "tags": ["music", "spring"]}"#;

fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties.as_object().map(|map| map.keys().collect()).unwrap_or_default();
    json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
}

fn book() -> Value {
    object(&json!({
        "title": {"type": "string", "maxLength": 60},
        "author": {"type": "string", "maxLength": 40},
        "year": {"type": "integer", "minimum": 1450, "maximum": 2100},
        "genres": {"type": "array", "items": {"enum": ["novel", "poetry", "history", "science"]}, "maxItems": 4},
        "in_print": {"type": "boolean"},
    }))
}

fn person() -> Value {
    object(&json!({
        "name": {"type": "string", "maxLength": 40},
        "email": {"type": "string", "format": "email", "maxLength": 40},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
    }))
}

fn order() -> Value {
    let item = object(&json!({
        "product": {"type": "string", "maxLength": 30},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 99},
        "unit_price": {"type": "number", "minimum": 0, "maximum": 10000},
        "currency": {"const": "EUR"},
    }));
    object(&json!({
        "order_number": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{6}$"},
        "customer": {"type": "string", "maxLength": 40},
        "items": {"type": "array", "items": item, "minItems": 2, "maxItems": 4},
        "is_paid": {"type": "boolean"},
    }))
}

fn tool_call() -> Value {
    let call =
        |name: &str, arguments: Value| object(&json!({"name": {"const": name}, "arguments": object(&arguments)}));
    json!({"anyOf": [
        call("get_weather", json!({"city": {"type": "string", "maxLength": 30}, "unit": {"enum": ["celsius", "fahrenheit"]}})),
        call("search_documents", json!({"query": {"type": "string", "maxLength": 60}, "limit": {"type": "integer", "minimum": 1, "maximum": 50}})),
        call("send_message", json!({"to": {"type": "string", "format": "email"}, "body": {"type": "string", "maxLength": 80}})),
    ]})
}

fn event() -> Value {
    object(&json!({
        "id": {"type": "string", "format": "uuid"},
        "starts_at": {"type": "string", "format": "date-time"},
        "place": object(&json!({
            "name": {"type": "string", "maxLength": 40},
            "latitude": {"type": "number", "minimum": -90, "maximum": 90},
            "longitude": {"type": "number", "minimum": -180, "maximum": 180},
        })),
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 12}, "maxItems": 3},
    }))
}

#[cfg(test)]
mod tests {
    use formwork::Compiler;

    use super::*;

    #[test]
    fn instances_are_what_their_grammars_ask_for() {
        let tokenizer = formwork_tokenizers::from_name_or_file("cl100k").unwrap();
        let compiler = Compiler::new(tokenizer.vocabulary().clone());
        for task in tasks() {
            let mut matcher = compiler.compile(&task.grammar).unwrap().matcher();
            assert!(matcher.accept_bytes(task.instance.as_bytes()).is_ok() && matcher.is_accepting(), "{}", task.name);
        }
    }
}
