//! Which events does `/v2/chat` send, and do they make the whole answer?

use serde_json::{Value, json};

use super::cohere::{PATH, check_arguments, request, weather};
use super::server::Server;

/// The types of events, equal neighbours once.
fn types(events: &[Value]) -> Vec<&str> {
    let mut types: Vec<&str> = events.iter().map(|event| event["type"].as_str().or(event.as_str()).unwrap()).collect();
    types.dedup();
    types
}

fn streamed(mut fields: Value) -> Vec<Value> {
    fields["stream"] = true.into();
    Server::plain().events(PATH, &request(fields))
}

#[test]
fn text_comes_in_one_block() {
    let schema = json!({"type": "object", "properties": {"a": {"enum": ["one", "two"]}}, "required": ["a"]});
    let fields = json!({"response_format": {"type": "json_object", "json_schema": schema}, "logprobs": true});
    let whole = Server::plain().answer(PATH, &request(fields.clone()));
    let events = streamed(fields);
    let expected = ["message-start", "content-start", "content-delta", "content-end", "message-end", "[DONE]"];
    assert_eq!(types(&events), expected);
    assert_eq!(events[0]["delta"], json!({"message": {"role": "assistant"}}));
    assert_eq!(events[1]["delta"], json!({"message": {"content": {"type": "text", "text": ""}}}));
    let deltas: Vec<&Value> = events.iter().filter(|event| event["type"] == "content-delta").collect();
    assert!(deltas.iter().all(|event| event["index"] == 0));
    let text: String = deltas.iter().map(|it| it["delta"]["message"]["content"]["text"].as_str().unwrap()).collect();
    assert_eq!(whole["message"]["content"][0]["text"], text);
    let ids = |logprobs: &Value| logprobs["token_ids"].as_array().unwrap().clone();
    let streamed: Vec<Value> =
        deltas.iter().filter(|it| it["logprobs"].is_object()).flat_map(|it| ids(&it["logprobs"])).collect();
    let expected: Vec<Value> = whole["logprobs"].as_array().unwrap().iter().flat_map(ids).collect();
    assert_eq!(streamed, expected);
    let end = &events[events.len() - 2];
    assert_eq!(end["id"], events[0]["id"]);
    assert_eq!(end["delta"], json!({"finish_reason": "COMPLETE", "usage": whole["usage"]}));
}

#[test]
fn calls_come_one_by_one() {
    let events = streamed(json!({"tools": weather(), "strict_tools": true, "tool_choice": "REQUIRED"}));
    let types = types(&events);
    let call = ["tool-call-start", "tool-call-delta", "tool-call-end"];
    assert_eq!(types[..4], [&["message-start"], &call[..]].concat());
    assert_eq!(types[types.len() - 2..], ["message-end", "[DONE]"]);
    let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
    assert_eq!(of(call[0]).count(), of(call[2]).count());
    for (index, start) in of(call[0]).enumerate() {
        let call = &start["delta"]["message"]["tool_calls"];
        assert_eq!((&start["index"], &call["type"]), (&json!(index), &json!("function")));
        assert_eq!(call["function"], json!({"name": "get_weather", "arguments": ""}));
        assert!(call["id"].is_string());
        let deltas = of("tool-call-delta").filter(|event| event["index"] == index);
        let piece = |event: &Value| event["delta"]["message"]["tool_calls"]["function"]["arguments"].clone();
        let arguments: String = deltas.map(|event| piece(event).as_str().unwrap().to_owned()).collect();
        check_arguments(&arguments);
    }
    assert_eq!(events[events.len() - 2]["delta"]["finish_reason"], "TOOL_CALL");
}

#[test]
fn what_is_cut_off_is_closed() {
    let events = streamed(json!({"tools": weather(), "tool_choice": "REQUIRED", "max_tokens": 8}));
    let types = types(&events);
    assert_eq!(types[types.len() - 3..], ["tool-call-end", "message-end", "[DONE]"]);
    assert_eq!(events[events.len() - 2]["delta"]["finish_reason"], "MAX_TOKENS");
}
