//! What was said so far? Cohere's messages in the form that chat templates take.

use serde_json::{Map, Value, json};

use super::fields::invalid;
use crate::failure::Failure;

/// Checks the messages and flattens their blocks. Documents stand in the system message.
pub(super) fn messages(messages: &[Value], documents: &[Value]) -> Result<Value, Failure> {
    let mut called = Vec::new();
    let checked: Result<Vec<Value>, Failure> =
        messages.iter().enumerate().map(|(index, it)| Message { index, it }.check(&mut called)).collect();
    let mut checked = checked?;
    if !documents.is_empty() {
        add_documents(&mut checked, documents);
    }
    Ok(checked.into())
}

fn add_documents(messages: &mut Vec<Value>, documents: &[Value]) {
    let texts: Vec<String> = documents.iter().map(document).collect();
    let documents = format!("Documents:\n{}", texts.join("\n"));
    match messages.first_mut().filter(|first| first["role"] == "system") {
        Some(system) => {
            let text = system["content"].as_str().unwrap_or_default();
            system["content"] = format!("{text}\n\n{documents}").into();
        }
        None => messages.insert(0, json!({"role": "system", "content": documents})),
    }
}

/// A document as one line: its text, or its data as JSON, under its id where it has one.
fn document(document: &Value) -> String {
    let data = document.get("data").unwrap_or(document);
    match (document.get("id").filter(|id| !id.is_null()), data) {
        (Some(id), data) => json!({"id": id, "data": data}).to_string(),
        (None, Value::String(text)) => text.clone(),
        (None, data) => data.to_string(),
    }
}

struct Message<'a> {
    index: usize,
    it: &'a Value,
}

impl<'a> Message<'a> {
    fn wrong(&self, field: &str, message: &str) -> Failure {
        let param = format!("messages[{}]{field}", self.index);
        invalid(&param, format!("{param}: {message}"))
    }

    /// `called` holds the ids of all calls so far.
    fn check(&self, called: &mut Vec<&'a str>) -> Result<Value, Failure> {
        let Some(fields) = self.it.as_object() else { return Err(self.wrong("", "a message must be an object")) };
        let present = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let content = present("content");
        match present("role").and_then(Value::as_str) {
            Some(role @ ("user" | "system")) => {
                let content = content.ok_or_else(|| self.wrong(".content", "content is required"))?;
                Ok(json!({"role": role, "content": self.text(content, &[])?}))
            }
            Some("assistant") => self.assistant(fields, called),
            Some("tool") => {
                let id = present("tool_call_id").and_then(Value::as_str);
                let id = id.ok_or_else(|| self.wrong(".tool_call_id", "tool_call_id is required"))?;
                if !called.contains(&id) {
                    return Err(self.wrong(".tool_call_id", "tool call id not found in previous tool calls"));
                }
                let content = content.ok_or_else(|| self.wrong(".content", "content is required"))?;
                Ok(json!({"role": "tool", "tool_call_id": id, "content": self.text(content, &["document"])?}))
            }
            _ => Err(self.wrong(".role", "role must be one of user, assistant, system and tool")),
        }
    }

    fn assistant(&self, fields: &'a Map<String, Value>, called: &mut Vec<&'a str>) -> Result<Value, Failure> {
        let present = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let mut content = match present("content") {
            Some(content) => self.text(content, &["thinking"])?,
            None => String::new(),
        };
        let mut message = json!({"role": "assistant"});
        if let Some(plan) = present("tool_plan") {
            let plan = plan.as_str().ok_or_else(|| self.wrong(".tool_plan", "tool_plan must be a string"))?;
            // Most templates know no plans, and take the content for what is said before a call.
            if content.is_empty() {
                content = plan.to_owned();
            }
            message["tool_plan"] = plan.into();
        }
        message["content"] = content.into();
        let Some(calls) = present("tool_calls") else { return Ok(message) };
        let calls = calls.as_array().ok_or_else(|| self.wrong(".tool_calls", "tool_calls must be a list"))?;
        let n_before = called.len();
        let mut checked = Vec::with_capacity(calls.len());
        for call in calls {
            let (id, call) = self.call(call)?;
            if called[n_before..].contains(&id) {
                return Err(self.wrong(".tool_calls", "cannot have duplicate tool ids"));
            }
            called.push(id);
            checked.push(call);
        }
        message["tool_calls"] = checked.into();
        Ok(message)
    }

    fn call(&self, call: &'a Value) -> Result<(&'a str, Value), Failure> {
        let wrong = |message: &str| self.wrong(".tool_calls", message);
        if call.get("type").is_none_or(|kind| kind != "function") {
            return Err(wrong("tool call must be of type function"));
        }
        let id = call.get("id").and_then(Value::as_str).ok_or_else(|| wrong("a tool call needs an id"))?;
        let function = call.get("function").unwrap_or(&Value::Null);
        let name = function.get("name").and_then(Value::as_str).ok_or_else(|| wrong("a tool call needs a name"))?;
        let arguments: Value = match function.get("arguments") {
            // What is no JSON is shown to the template as it is.
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
            _ => return Err(wrong("the arguments of a tool call must be a string")),
        };
        let function = json!({"name": name, "arguments": arguments});
        Ok((id, json!({"id": id, "type": "function", "function": function})))
    }

    /// The text of a content: a string, or blocks of text and of the types in `more`. Earlier thinking is not shown again.
    fn text(&self, content: &Value, more: &[&str]) -> Result<String, Failure> {
        let blocks = match content {
            Value::String(text) => return Ok(text.clone()),
            Value::Array(blocks) => blocks,
            _ => return Err(self.wrong(".content", "content must be a string or a list of blocks")),
        };
        let mut lines = Vec::new();
        for block in blocks {
            let field = |name: &str| block.get(name).unwrap_or(&Value::Null);
            match field("type").as_str() {
                Some("text") => {
                    let text = field("text").as_str();
                    lines.push(text.ok_or_else(|| self.wrong(".content", "a text block needs a text"))?.to_owned());
                }
                Some("document") if more.contains(&"document") => {
                    if !field("document").is_object() {
                        return Err(self.wrong(".content", "a document block needs a document"));
                    }
                    lines.push(document(field("document")));
                }
                Some("thinking") if more.contains(&"thinking") => {}
                Some(kind) => {
                    let message = format!("content of type {kind} is not supported in this message");
                    return Err(self.wrong(".content", &message));
                }
                None => return Err(self.wrong(".content", "a content block needs a type")),
            }
        }
        Ok(lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(list: Value) -> String {
        messages(list.as_array().unwrap(), &[]).unwrap_err().message
    }

    fn call(id: &str, kind: &str) -> Value {
        json!({"id": id, "type": kind, "function": {"name": "f", "arguments": "{\"x\": 1}"}})
    }

    #[test]
    fn results_belong_to_calls() {
        let asked = json!({"role": "user", "content": "?"});
        let called = |calls: Value| json!({"role": "assistant", "tool_plan": "I ask f.", "tool_calls": calls});
        let result = |id: &str| {
            let blocks = json!([
                {"type": "document", "document": {"data": {"a": 1}}},
                {"type": "document", "document": {"id": "d", "data": "text"}},
                {"type": "text", "text": "b"},
            ]);
            json!({"role": "tool", "tool_call_id": id, "content": blocks})
        };
        let list = json!([asked, called(json!([call("1", "function")])), result("1")]);
        let expected = json!([
            {"role": "user", "content": "?"},
            {"role": "assistant", "tool_plan": "I ask f.", "content": "I ask f.", "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
            ]},
            {"role": "tool", "tool_call_id": "1", "content": "{\"a\":1}\n{\"id\":\"d\",\"data\":\"text\"}\nb"},
        ]);
        assert_eq!(messages(list.as_array().unwrap(), &[]).unwrap(), expected);
        let unknown = refusal(json!([asked, called(json!([call("1", "function")])), result("2")]));
        assert!(unknown.contains("tool call id not found in previous tool calls"), "{unknown}");
        let twice = refusal(json!([asked, called(json!([call("1", "function"), call("1", "function")]))]));
        assert!(twice.contains("cannot have duplicate tool ids"), "{twice}");
        let custom = refusal(json!([asked, called(json!([call("1", "custom")]))]));
        assert!(custom.contains("tool call must be of type function"), "{custom}");
    }

    #[test]
    fn documents_join_the_system_message() {
        let documents = [json!("one"), json!({"id": "2", "data": {"a": 1}})];
        let user = json!({"role": "user", "content": "?"});
        let shown = "Documents:\none\n{\"id\":\"2\",\"data\":{\"a\":1}}";
        let without = messages(std::slice::from_ref(&user), &documents).unwrap();
        assert_eq!(without, json!([{"role": "system", "content": shown}, user]));
        let with = messages(&[json!({"role": "system", "content": "Be brief."}), user.clone()], &documents).unwrap();
        assert_eq!(with[0]["content"], format!("Be brief.\n\n{shown}"));
    }
}
