//! What does `/v2/chat` refuse, in which words? The documented limits, and what `--cohere-full` makes of them.

use serde_json::{Map, Value, json};

use super::cohere::{PATH, request, weather};
use super::server::Server;

/// A schema that keeps to the subset but for `property`.
fn schema_with(property: Value) -> Value {
    json!({"type": "object", "properties": {"p": property}, "required": ["p"]})
}

fn tool(name: &str, parameters: &Value) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": parameters}})
}

/// Checks that a request with `fields` is refused with `words`.
#[track_caller]
fn check(fields: Value, words: &str) {
    let refusal = Server::plain().refusal(PATH, &request(fields));
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains(words), "{message}");
    assert!(message.starts_with("invalid request: ") && !message.contains('\n'), "{message}");
    assert!(refusal["id"].is_string() && refusal.as_object().unwrap().len() == 2, "{refusal}");
}

#[track_caller]
fn check_schema(schema: Value, words: &str) {
    check(json!({"response_format": {"type": "json_object", "json_schema": schema}}), words);
}

#[track_caller]
fn check_tools(tools: Value, words: &str) {
    check(json!({"tools": tools, "strict_tools": true}), words);
}

#[test]
fn schemas_keep_to_the_subset() {
    check_schema(json!([1]), "schema must be an object");
    check_schema(json!({"type": "array", "items": {"type": "string"}}), "schema must be an object");
    check_schema(json!({"type": "object", "required": ["z"]}), "required field \"z\" not found in properties");
    check_schema(json!({"type": "object", "properties": {"a": {"type": "null"}}}), "at least one required");
    check_schema(schema_with(json!({"type": "object", "properties": {}})), "at least one required");
    check_schema(schema_with(json!({"description": "any"})), "property p must have a type");
    for (keyword, value) in [
        ("minLength", json!(1)),
        ("maxLength", json!(1)),
        ("minimum", json!(1)),
        ("maximum", json!(1)),
        ("minItems", json!(1)),
        ("maxItems", json!(1)),
        ("uniqueItems", json!(true)),
        ("allOf", json!([{"type": "string"}])),
        ("oneOf", json!([{"type": "string"}])),
        ("not", json!({"type": "string"})),
    ] {
        check_schema(schema_with(json!({"type": "string", keyword: value})), &format!("/properties/p: {keyword}"));
    }
    check_schema(schema_with(json!({"type": "string", "format": "email"})), "\"email\" is not one of date-time, uuid");
    for pattern in ["^a", "a$", "(?=a)", "(?!a)"] {
        check_schema(schema_with(json!({"type": "string", "pattern": pattern})), "in patterns");
    }
}

#[test]
fn formats_exclude_what_the_api_excludes() {
    let one = schema_with(json!({"type": "null"}));
    let other = schema_with(json!({"type": "string"}));
    let format = |format: Value| json!({"response_format": format});
    check(format(json!({"type": "json_object", "schema": one, "json_schema": other})), "differ");
    check(format(json!({"type": "text", "schema": one})), "must not have a schema");
    check(format(json!({"type": "json_schema", "json_schema": one})), "must be text or json_object");
    let json_mode = json!({"type": "json_object"});
    let rag = "response_format is not supported with RAG.";
    check(json!({"response_format": json_mode, "documents": ["x"]}), rag);
    check(json!({"response_format": json_mode, "tools": weather()}), "not supported with tools");
}

#[test]
fn strict_tools_keep_to_the_subset() {
    let optional = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    check_tools(json!([tool("f", &optional)]), "tool f must have at least one required parameter");
    check_tools(json!([tool("f", &schema_with(json!({"type": "array", "uniqueItems": true})))]), "uniqueItems");
    let names: Map<String, Value> = (0..101).map(|index| (format!("p{index}"), json!({"type": "null"}))).collect();
    let many = json!({"type": "object", "properties": names, "required": ["p0"]});
    check_tools(json!([tool("f", &many), tool("g", &many)]), "202 properties in all exceed the limit of 200");
    // They need not when they are not strict.
    let loose = json!([tool("f", &schema_with(json!({"type": "array", "uniqueItems": true, "items": {"const": 1}})))]);
    Server::plain().answer(PATH, &request(json!({"tools": loose, "tool_choice": "REQUIRED"})));
}

#[test]
fn tools_are_well_formed() {
    let good = schema_with(json!({"type": "null"}));
    check_tools(json!([tool("1f", &good)]), "does not begin with a digit");
    check_tools(json!([tool("f-g", &good)]), "only letters, digits and _");
    check_tools(json!([tool("f", &good), tool("f", &good)]), "another tool is called \"f\"");
    check_tools(json!([tool("f", &json!("x"))]), "schema must be an object");
    check_tools(json!([{"type": "function", "function": {"name": "f"}}]), "needs parameters");
    check_tools(json!([{"type": "custom"}]), "must be of type function");
    check(json!({"tool_choice": "REQUIRED"}), "tools must be given");
    check(json!({"tools": weather(), "tool_choice": "AUTO"}), "tool_choice must be REQUIRED or NONE");
}

#[test]
fn fields_have_ranges() {
    for (name, wrong) in [
        ("temperature", json!(1.5)),
        ("temperature", json!("1")),
        ("k", json!(501)),
        ("p", json!(1)),
        ("p", json!(0)),
        ("frequency_penalty", json!(-0.1)),
        ("presence_penalty", json!(1.1)),
        ("seed", json!(-1)),
        ("max_tokens", json!(0)),
        ("stop_sequences", json!(["1", "2", "3", "4", "5", "6"])),
        ("thinking", json!({"type": "enabled", "token_budget": 0})),
        ("safety_mode", json!("NONE")),
        ("priority", json!(1000)),
        ("stream", json!("yes")),
        ("logprobs", json!(1)),
        ("model", json!(null)),
    ] {
        check(json!({name: wrong}), name);
    }
    check(json!({"messages": []}), "at least one message");
    check(json!({"chat_history": []}), "unknown field: chat_history");
}

#[test]
fn messages_are_well_formed() {
    let user = json!({"role": "user", "content": "?"});
    let called = |calls: Value| json!({"role": "assistant", "tool_calls": calls});
    let call = |kind: &str| json!({"id": "1", "type": kind, "function": {"name": "f", "arguments": "{}"}});
    let result = json!({"role": "tool", "tool_call_id": "2", "content": "?"});
    let words = "tool call id not found in previous tool calls";
    check(json!({"messages": [user, called(json!([call("function")])), result]}), words);
    let twice = called(json!([call("function"), call("function")]));
    check(json!({"messages": [user, twice]}), "cannot have duplicate tool ids");
    check(json!({"messages": [user, called(json!([call("x")]))]}), "tool call must be of type function");
    check(json!({"messages": [{"role": "critic", "content": "?"}]}), "role must be one of");
    let image = json!([{"type": "image_url", "image_url": {"url": "data:"}}]);
    check(json!({"messages": [{"role": "user", "content": image}]}), "image_url is not supported");
}

#[test]
fn full_mode_warns_and_enforces_more() {
    let server = Server::cohere_full();
    let property = json!({"type": "string", "pattern": "[ab]+", "minLength": 3, "maxLength": 3});
    let format = json!({"type": "json_object", "json_schema": schema_with(property)});
    let mut asked = request(json!({"response_format": format}));
    let answer = server.answer(PATH, &asked);
    let value: Value = serde_json::from_str(answer["message"]["content"][0]["text"].as_str().unwrap()).unwrap();
    let written = value["p"].as_str().unwrap();
    assert!(written.len() == 3 && written.bytes().all(|byte| matches!(byte, b'a' | b'b')), "{written}");
    let warnings = answer["meta"]["warnings"].as_array().unwrap();
    assert!(warnings[0].as_str().unwrap().contains("minLength"), "{warnings:?}");
    asked["stream"] = true.into();
    let events = server.events(PATH, &asked);
    assert_eq!(events[events.len() - 2]["meta"]["warnings"], answer["meta"]["warnings"]);
    // A schema of the subset is answered as ever.
    let format = json!({"type": "json_object", "json_schema": schema_with(json!({"type": "null"}))});
    let answer = server.answer(PATH, &request(json!({"response_format": format})));
    assert!(answer.get("meta").is_none());
    // What no engine can do is still refused.
    let unsatisfiable = json!({"type": "json_object", "schema": {"type": "object", "not": {}}});
    server.refusal(PATH, &request(json!({"response_format": unsatisfiable})));
}
