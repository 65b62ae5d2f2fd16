//! Which answers does `/v2/chat` give, whole? Every mode of structured output.

use serde_json::{Value, json};

use super::server::Server;

pub(crate) const PATH: &str = "/v2/chat";

/// A request with `fields` beside model and messages.
pub(crate) fn request(fields: Value) -> Value {
    let mut request = json!({
        "model": "any", "messages": [{"role": "user", "content": "Write JSON"}], "seed": 7, "max_tokens": 300,
    });
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

pub(crate) fn weather() -> Value {
    let parameters = json!({
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Lima", "Oslo"]}, "days": {"enum": [1, 2]}},
        "required": ["city"],
    });
    json!([{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}])
}

fn text(answer: &Value) -> &str {
    answer["message"]["content"][0]["text"].as_str().unwrap()
}

/// Checks that arguments are of [`weather`].
pub(crate) fn check_arguments(arguments: &str) {
    let arguments: Value = serde_json::from_str(arguments).unwrap();
    assert!(["Lima", "Oslo"].contains(&arguments["city"].as_str().unwrap()), "{arguments}");
    let known = ["city", "days"];
    assert!(arguments.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())), "{arguments}");
}

#[test]
fn free_text_is_counted_and_cut() {
    let answer = Server::plain().answer(PATH, &request(json!({"max_tokens": 4})));
    assert_eq!(answer["finish_reason"], "MAX_TOKENS");
    assert_eq!(answer["message"]["role"], "assistant");
    assert_eq!(answer["usage"]["tokens"]["output_tokens"], 4);
    assert_eq!(answer["usage"]["tokens"], answer["usage"]["billed_units"]);
    assert!(answer["usage"]["tokens"]["input_tokens"].as_u64().unwrap() > 0);
    assert!(!answer["id"].as_str().unwrap().is_empty());
    assert!(answer.get("logprobs").is_none() && answer.get("meta").is_none());
}

#[test]
fn schema_mode_writes_what_the_schema_describes() {
    let schema = json!({
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": "[A-Z]{3}[0-9]{2}"},
            "size": {"anyOf": [{"const": 1}, {"type": "null"}]},
        },
        "required": ["code", "size"],
    });
    let server = Server::plain();
    for name in ["schema", "json_schema"] {
        let format = json!({"type": "json_object", name: schema});
        let answer = server.answer(PATH, &request(json!({"response_format": format, "logprobs": true})));
        assert_eq!(answer["finish_reason"], "COMPLETE");
        let value: Value = serde_json::from_str(text(&answer)).unwrap();
        // The whole string is described, and nothing is added.
        let code = value["code"].as_str().unwrap();
        assert!(code.len() == 5 && code[..3].bytes().all(|byte| byte.is_ascii_uppercase()), "{code}");
        assert_eq!(value.as_object().unwrap().len(), 2, "{value}");
        let tokens = answer["logprobs"].as_array().unwrap();
        let joined: String = tokens.iter().map(|token| token["text"].as_str().unwrap()).collect();
        assert_eq!(joined, text(&answer));
        assert!(tokens.iter().all(|token| token["token_ids"].as_array().unwrap().len() == 1));
    }
}

#[test]
fn json_mode_nests_five_levels_at_most() {
    let format = json!({"type": "json_object"});
    let request = request(json!({"response_format": format, "temperature": 1, "max_tokens": 60}));
    let answer = Server::plain().answer(PATH, &request);
    let mut depth = 0usize;
    let mut deepest = 0;
    let mut in_string = false;
    for char in text(&answer).replace("\\\\", "").replace("\\\"", "").chars() {
        match char {
            '"' => in_string = !in_string,
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    assert!(text(&answer).starts_with('{') && (1..=5).contains(&deepest), "{}", text(&answer));
}

#[test]
fn stop_sequences_end_an_answer() {
    let schema = json!({"type": "object", "properties": {"abc": {"type": "null"}}, "required": ["abc"]});
    let format = json!({"type": "json_object", "schema": schema});
    let fields = json!({"response_format": format, "stop_sequences": ["zzz", "bc"]});
    let answer = Server::plain().answer(PATH, &request(fields));
    assert_eq!((text(&answer), answer["finish_reason"].as_str()), ("{\"a", Some("STOP_SEQUENCE")));
}

#[test]
fn required_tools_are_called() {
    let server = Server::plain();
    for is_strict in [true, false] {
        let fields = json!({"tools": weather(), "strict_tools": is_strict, "tool_choice": "REQUIRED"});
        let answer = server.answer(PATH, &request(fields));
        assert_eq!(answer["finish_reason"], "TOOL_CALL", "{answer}");
        let calls = answer["message"]["tool_calls"].as_array().unwrap();
        for call in calls {
            assert_eq!((&call["type"], &call["function"]["name"]), (&json!("function"), &json!("get_weather")));
            if is_strict {
                check_arguments(call["function"]["arguments"].as_str().unwrap());
            }
        }
        assert!(answer["message"].get("content").is_none());
    }
}

#[test]
fn a_conversation_goes_on_behind_results() {
    let server = Server::plain();
    let fields = json!({"tools": weather(), "strict_tools": true, "tool_choice": "REQUIRED"});
    let mut asked = request(fields);
    let message = server.answer(PATH, &asked)["message"].clone();
    let id = message["tool_calls"][0]["id"].clone();
    let documents = json!([{"type": "document", "document": {"data": {"sky": "clear"}}}]);
    let result = json!({"role": "tool", "tool_call_id": id, "content": documents});
    asked["messages"].as_array_mut().unwrap().extend([message, result]);
    asked["tool_choice"] = "NONE".into();
    let answer = server.answer(PATH, &asked);
    assert!(answer["message"].get("tool_calls").is_none(), "{answer}");
    let result = asked["messages"].as_array_mut().unwrap().pop().unwrap();
    let shorter = server.answer(PATH, &asked);
    let n_input = |answer: &Value| answer["usage"]["tokens"]["input_tokens"].as_u64().unwrap();
    assert!(n_input(&answer) > n_input(&shorter), "{result} is in the prompt");
}

#[test]
fn fields_without_effect_are_taken() {
    let server = Server::plain();
    let fields = json!({
        "documents": ["One.", {"id": "2", "data": {"text": "Two."}}], "citation_options": {"mode": "FAST"},
        "safety_mode": "STRICT", "thinking": {"type": "enabled", "token_budget": 9}, "priority": 3, "k": 0, "p": 0.01,
        "max_tokens": 3, "tool_choice": null, "seed": u64::MAX,
    });
    let with = server.answer(PATH, &request(fields));
    let without = server.answer(PATH, &request(json!({"max_tokens": 3})));
    let n_input = |answer: &Value| answer["usage"]["tokens"]["input_tokens"].as_u64().unwrap();
    assert!(n_input(&with) > n_input(&without), "documents are in the prompt");
}
