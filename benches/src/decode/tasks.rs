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
}

/// All tasks. The second one's request holds an example to copy from, as requests often do.
pub fn tasks() -> Vec<Task> {
    let new = |name, prompt, schema| Task { name, prompt, grammar: Grammar::json_schema(schema) };
    vec![
        new("book", "Write a book as JSON.", book()),
        new(
            "copy",
            "Write this person as JSON: {\"name\": \"Ada Lovelace\", \"email\": \"ada@example.org\", \"age\": 36}",
            person(),
        ),
        new("order", "Write an order with several items as JSON.", order()),
        new("tool call", "Which tool is needed for the weather in Oslo?", tool_call()),
        new("event", "Write an event as JSON.", event()),
    ]
}

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
