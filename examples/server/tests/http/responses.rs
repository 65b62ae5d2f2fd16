//! What does `/v1/responses` answer? Every format and kind of tool, whole and as events, and what is refused.

use serde_json::{Value, json};

use super::server::Server;

const PATH: &str = "/v1/responses";

/// A request with `fields` beside model and input.
fn request(fields: Value) -> Value {
    let mut request = json!({"model": "any", "input": "Write JSON", "seed": 7, "max_output_tokens": 300});
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn schema(is_strict: bool) -> Value {
    let schema = json!({
        "type": "object",
        "properties": {"a": {"type": "string", "enum": ["one", "two"]}},
        "required": ["a"],
        "additionalProperties": false,
    });
    json!({"format": {"type": "json_schema", "name": "thing", "strict": is_strict, "schema": schema}})
}

fn tools() -> Value {
    let parameters = json!({
        "type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 3}}, "required": ["n"],
        "additionalProperties": false,
    });
    let format = json!({"type": "grammar", "syntax": "regex", "definition": "[ab]{3}"});
    json!([
        {"type": "function", "name": "count", "parameters": parameters, "strict": true},
        {"type": "custom", "name": "run", "format": format},
    ])
}

/// The text of the one message.
fn text(response: &Value) -> &str {
    assert_eq!(response["output"].as_array().unwrap().len(), 1, "{response}");
    response["output"][0]["content"][0]["text"].as_str().unwrap()
}

fn streamed(mut fields: Value) -> Vec<Value> {
    fields["stream"] = true.into();
    let events = Server::plain().events(PATH, &request(fields));
    assert!(events.iter().enumerate().all(|(index, event)| event["sequence_number"] == index));
    events
}

/// The types of events, equal neighbours once.
fn types(events: &[Value]) -> Vec<&str> {
    let mut types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.dedup();
    types
}

#[test]
fn text_is_of_its_format() {
    let server = Server::plain();
    for is_strict in [true, false] {
        let response = server.answer(PATH, &request(json!({"text": schema(is_strict)})));
        assert_eq!((&response["status"], &response["object"]), (&json!("completed"), &json!("response")));
        let value: Value = serde_json::from_str(text(&response)).unwrap();
        assert!(value == json!({"a": "one"}) || value == json!({"a": "two"}), "{value}");
        let usage = &response["usage"];
        let sum = usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap();
        assert_eq!(usage["total_tokens"], sum);
    }
    let json_mode = request(json!({"text": {"format": {"type": "json_object"}}, "max_output_tokens": 3}));
    let cut = server.answer(PATH, &json_mode);
    assert!(text(&cut).starts_with('{'));
    assert_eq!((&cut["status"], &cut["output"][0]["status"]), (&json!("incomplete"), &json!("incomplete")));
    assert_eq!(cut["incomplete_details"]["reason"], "max_output_tokens");
    let brief = server.answer(PATH, &request(json!({"instructions": "Be brief.", "max_output_tokens": 3})));
    assert!(brief["usage"]["input_tokens"].as_u64() > cut["usage"]["input_tokens"].as_u64());
}

#[test]
fn events_make_the_message() {
    let fields = json!({"text": schema(true), "include": ["message.output_text.logprobs"], "top_logprobs": 2});
    let whole = Server::plain().answer(PATH, &request(fields.clone()));
    let events = streamed(fields);
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(types(&events), expected);
    let deltas = || events.iter().filter(|event| event["type"] == "response.output_text.delta");
    let joined: String = deltas().map(|event| event["delta"].as_str().unwrap()).collect();
    assert_eq!(joined, text(&whole));
    let response = &events.last().unwrap()["response"];
    assert_eq!(text(response), joined);
    let logprobs: Vec<Value> = deltas().flat_map(|event| event["logprobs"].as_array().unwrap().clone()).collect();
    // Other requests in the batch change the last digits of a log probability, so another answer's are not compared.
    let tokens = |response: &Value| -> Vec<Value> {
        let entries = response["output"][0]["content"][0]["logprobs"].as_array().unwrap();
        entries.iter().map(|entry| entry["token"].clone()).collect()
    };
    assert_eq!(tokens(response), tokens(&whole));
    assert_eq!(tokens(response), logprobs.iter().map(|entry| entry["token"].clone()).collect::<Vec<_>>());
    assert!(!logprobs.is_empty() && logprobs.iter().all(|entry| entry["top_logprobs"].is_array()));
    let id = &response["output"][0]["id"];
    assert!(events.iter().all(|event| event.get("item_id").is_none_or(|item| item == id)));
}

#[test]
fn functions_are_called() {
    let fields =
        json!({"tools": tools(), "tool_choice": {"type": "function", "name": "count"}, "parallel_tool_calls": false});
    let events = streamed(fields.clone());
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(types(&events), expected);
    let call = &events.last().unwrap()["response"]["output"][0];
    assert_eq!(
        (&call["type"], &call["name"], &call["status"]),
        (&json!("function_call"), &json!("count"), &json!("completed"))
    );
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert!((1..=3).contains(&arguments["n"].as_u64().unwrap()), "{arguments}");
    // The conversation goes on with the result.
    let output = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "2"});
    let input = json!([{"role": "user", "content": "Count"}, call, output]);
    let fields = json!({"tools": tools(), "tool_choice": "none", "input": input, "max_output_tokens": 3});
    let response = Server::plain().answer(PATH, &request(fields));
    assert_eq!(response["output"][0]["type"], "message");
}

#[test]
fn custom_tools_get_a_text() {
    let choice = json!({"type": "custom", "name": "run"});
    let fields = json!({"tools": tools(), "tool_choice": choice, "parallel_tool_calls": false});
    let whole = Server::plain().answer(PATH, &request(fields.clone()));
    let call = &whole["output"][0];
    let input = call["input"].as_str().unwrap();
    assert_eq!((&call["type"], &call["name"]), (&json!("custom_tool_call"), &json!("run")));
    assert!(input.len() == 3 && input.bytes().all(|byte| matches!(byte, b'a' | b'b')), "{input}");
    let events = streamed(fields);
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap().clone();
    assert_eq!(of("response.custom_tool_call_input.delta")["delta"], input);
    assert_eq!(of("response.custom_tool_call_input.done")["input"], input);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let server = Server::plain();
    let format = |format: Value| json!({"text": {"format": format}});
    let open = json!({"type": "json_schema", "name": "n", "strict": true, "schema": {"type": "object"}});
    let orphan = json!([{"type": "function_call_output", "call_id": "9", "output": "?"}]);
    for (fields, param) in [
        (json!({"previous_response_id": "resp_1"}), "previous_response_id"),
        (json!({"conversation": "c"}), "conversation"),
        (json!({"background": true}), "background"),
        (json!({"surprise": 1}), "surprise"),
        (json!({"temperature": 3}), "temperature"),
        (format(open), "text.format.schema"),
        (format(json!({"type": "xml"})), "text.format"),
        (json!({"tools": [{"type": "web_search"}]}), "tools[0].type"),
        (json!({"tools": [{"type": "function", "parameters": {}}]}), "tools[0].name"),
        (json!({"tool_choice": "required"}), "tool_choice"),
        (json!({"input": orphan}), "input"),
        (json!({"input": []}), "input"),
        (json!({"input": [{"role": "critic", "content": "?"}]}), "input[0].role"),
    ] {
        let refusal = server.refusal(PATH, &request(fields));
        assert_eq!(
            (&refusal["error"]["param"], &refusal["error"]["type"]),
            (&json!(param), &json!("invalid_request_error"))
        );
    }
    let ignored = json!({
        "store": true, "metadata": {"a": "b"}, "reasoning": {"effort": "low"}, "truncation": "auto", "background": false,
        "include": ["reasoning.encrypted_content"], "max_output_tokens": 2,
    });
    let response = server.answer(PATH, &request(ignored));
    assert_eq!((&response["store"], &response["metadata"]), (&json!(false), &json!({"a": "b"})));
}
