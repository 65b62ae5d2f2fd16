//! Which tools may the model call, and must it?

use serde_json::{Value, json};

use super::fields::invalid;
use crate::failure::Failure;
use crate::tools::{Choice, ToolSpec};

/// The tools of a request.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    pub(super) specs: Vec<ToolSpec>,
    pub(super) choice: Choice,
    pub(super) is_strict: bool,
    /// As chat templates take them.
    pub(super) for_template: Value,
}

/// `tools`, `strict_tools` and `tool_choice`; `None` without tools.
pub(super) fn tools(list: &[Value], is_strict: bool, choice: Option<&str>) -> Result<Option<Tools>, Failure> {
    let choice = match choice {
        None => Choice::Auto,
        Some("REQUIRED") if list.is_empty() => {
            return Err(invalid("tool_choice", "tools must be given when tool_choice is REQUIRED"));
        }
        Some("REQUIRED") => Choice::Required,
        Some("NONE") => Choice::None,
        Some(_) => return Err(invalid("tool_choice", "tool_choice must be REQUIRED or NONE")),
    };
    if list.is_empty() {
        return Ok(None);
    }
    let mut specs: Vec<ToolSpec> = Vec::with_capacity(list.len());
    let mut for_template = Vec::with_capacity(list.len());
    for (index, tool) in list.iter().enumerate() {
        let spec = spec(index, tool, is_strict)?;
        if specs.iter().any(|other| other.name == spec.name) {
            return Err(invalid(format!("tools[{index}]"), format!("another tool is called {:?} already", spec.name)));
        }
        let description = tool["function"].get("description").and_then(Value::as_str).unwrap_or_default();
        for_template.push(json!({
            "type": "function",
            "function": {"name": spec.name, "description": description, "parameters": spec.parameters},
        }));
        specs.push(spec);
    }
    Ok(Some(Tools { specs, choice, is_strict, for_template: for_template.into() }))
}

fn spec(index: usize, tool: &Value, is_strict: bool) -> Result<ToolSpec, Failure> {
    let wrong = |field: &str, message: &str| {
        let param = format!("tools[{index}]{field}");
        Err(invalid(&param, format!("{param}: {message}")))
    };
    if tool.get("type").is_some_and(|kind| kind != "function") {
        return wrong(".type", "tool must be of type function");
    }
    let Some(function) = tool.get("function").and_then(Value::as_object) else {
        return wrong("", "a tool needs a function");
    };
    let Some(name) = function.get("name").and_then(Value::as_str) else {
        return wrong(".function.name", "a tool needs a name");
    };
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if !is_name {
        return wrong(".function.name", "a name has only letters, digits and _, and does not begin with a digit");
    }
    match function.get("parameters") {
        Some(parameters) if parameters.is_object() => {
            Ok(ToolSpec { name: name.to_owned(), parameters: parameters.clone(), is_strict, is_custom: false })
        }
        Some(_) => wrong(".function.parameters", "schema must be an object"),
        None => wrong(".function.parameters", "a tool needs parameters"),
    }
}
