//! What was said so far? Input items as messages that chat templates take.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::openai::messages;
use crate::request::content_text;

/// The messages of `input`, a text or a list of items, behind the instructions.
pub(super) fn messages(instructions: Option<&str>, input: &Value) -> Result<Value, Failure> {
    let mut list: Vec<Value> = Vec::new();
    list.extend(instructions.map(|text| json!({"role": "system", "content": text})));
    match input {
        Value::String(text) => list.push(json!({"role": "user", "content": text})),
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                add(&mut list, item, &format!("input[{index}]"))?;
            }
        }
        _ => return Err(Failure::about("input", "input must be a text or a list of items")),
    }
    messages::messages(&list)
}

/// Adds one item; calls join the assistant's message before them.
fn add(list: &mut Vec<Value>, item: &Value, param: &str) -> Result<(), Failure> {
    let text = |name: &str| {
        let wrong = || Failure::about(format!("{param}.{name}"), format!("{param}.{name} must be a text"));
        item.get(name).and_then(Value::as_str).ok_or_else(wrong)
    };
    match item.get("type").and_then(Value::as_str) {
        Some("message") | None => {
            let role = text("role")?;
            if !["system", "developer", "user", "assistant"].contains(&role) {
                let message = format!("{param}.role is {role:?}, it must be system, developer, user or assistant");
                return Err(Failure::about(format!("{param}.role"), message));
            }
            let content = content_text(item.get("content"), &format!("{param}.content"))?;
            list.push(json!({"role": role, "content": content}));
        }
        Some("function_call") => {
            let function = json!({"name": text("name")?, "arguments": text("arguments")?});
            add_call(list, json!({"id": text("call_id")?, "type": "function", "function": function}));
        }
        Some("custom_tool_call") => {
            let custom = json!({"name": text("name")?, "input": text("input")?});
            add_call(list, json!({"id": text("call_id")?, "type": "custom", "custom": custom}));
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            let id = text("call_id")?;
            let calls = list.iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
            if !calls.into_iter().any(|call| call["id"] == id) {
                let message = format!("No tool call found for function call output with call_id {id}.");
                return Err(Failure::about("input", message));
            }
            let content = content_text(item.get("output"), &format!("{param}.output"))?;
            list.push(json!({"role": "tool", "tool_call_id": id, "content": content}));
        }
        // Earlier reasoning is not shown to the model again.
        Some("reasoning") => {}
        Some(other) => {
            let message = format!("items of type {other:?} are not supported");
            return Err(Failure::about(format!("{param}.type"), message));
        }
    }
    Ok(())
}

fn add_call(list: &mut Vec<Value>, call: Value) {
    match list.last_mut().filter(|last| last["role"] == "assistant") {
        Some(last) => match last.get_mut("tool_calls").and_then(Value::as_array_mut) {
            Some(calls) => calls.push(call),
            None => last["tool_calls"] = json!([call]),
        },
        None => list.push(json!({"role": "assistant", "content": "", "tool_calls": [call]})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_join_the_message_before_them() {
        let items = json!([
            {"role": "user", "content": [{"type": "input_text", "text": "?"}]},
            {"type": "reasoning", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Well."}]},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{\"x\": 1}"},
            {"type": "custom_tool_call", "call_id": "2", "name": "g", "input": "y"},
            {"type": "function_call_output", "call_id": "1", "output": "one"},
            {"type": "custom_tool_call_output", "call_id": "2", "output": [{"type": "input_text", "text": "two"}]},
        ]);
        let call = |id: &str, name: &str, arguments: Value| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        let calls = json!([call("1", "f", json!({"x": 1})), call("2", "g", json!({"input": "y"}))]);
        let expected = json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": "Well.", "tool_calls": calls},
            {"role": "tool", "content": "one", "tool_call_id": "1"},
            {"role": "tool", "content": "two", "tool_call_id": "2"},
        ]);
        assert_eq!(messages(Some("Be brief."), &items).unwrap(), expected);
    }

    #[test]
    fn outputs_belong_to_calls() {
        let orphan = json!([{"type": "function_call_output", "call_id": "9", "output": "?"}]);
        assert!(messages(None, &orphan).unwrap_err().message.contains("call_id 9"));
        assert!(messages(None, &json!([{"type": "item_reference", "id": "x"}])).is_err());
    }
}
