//! What was said so far? Messages in the form that chat templates take.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::request::content_text;

const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// Checks messages; texts in parts become one, arguments of calls become objects, as templates want them.
pub(crate) fn messages(messages: &[Value]) -> Result<Value, Failure> {
    if messages.is_empty() {
        return Err(Failure::about("messages", "messages must not be empty"));
    }
    let checked: Result<Vec<Value>, Failure> =
        messages.iter().enumerate().map(|(index, it)| message(index, it)).collect();
    Ok(checked?.into())
}

fn message(index: usize, message: &Value) -> Result<Value, Failure> {
    let param = |field: &str| format!("messages.[{index}].{field}");
    let Some(fields) = message.as_object() else {
        return Err(Failure::about(format!("messages.[{index}]"), "a message must be an object"));
    };
    let role = fields.get("role").and_then(Value::as_str).unwrap_or_default();
    if !ROLES.contains(&role) {
        return Err(Failure::about(param("role"), format!("role must be one of {}", ROLES.join(", "))));
    }
    let mut result = Map::new();
    result.insert("role".to_owned(), role.into());
    result.insert("content".to_owned(), content_text(fields.get("content"), &param("content"))?.into());
    for field in ["name", "tool_call_id"] {
        if let Some(Value::String(text)) = fields.get(field) {
            result.insert(field.to_owned(), text.as_str().into());
        }
    }
    if let Some(calls) = fields.get("tool_calls").filter(|calls| !calls.is_null()) {
        let Some(calls) = calls.as_array() else {
            return Err(Failure::about(param("tool_calls"), "tool_calls must be a list"));
        };
        let calls: Option<Vec<Value>> = calls.iter().map(call).collect();
        let calls = calls
            .ok_or_else(|| Failure::about(param("tool_calls"), "a call needs a function with name and arguments"))?;
        result.insert("tool_calls".to_owned(), calls.into());
    }
    Ok(result.into())
}

fn call(call: &Value) -> Option<Value> {
    let id = call.get("id").cloned().unwrap_or(Value::Null);
    if let Some(custom) = call.get("custom") {
        let (name, input) = (custom.get("name")?.as_str()?, custom.get("input")?.as_str()?);
        return Some(json!({"id": id, "type": "function", "function": {"name": name, "arguments": {"input": input}}}));
    }
    let function = call.get("function")?;
    let name = function.get("name")?.as_str()?;
    let arguments = match function.get("arguments")? {
        // What is no JSON is shown to the template as it is.
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        other => other.clone(),
    };
    Some(json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}))
}
