//! Are grammars given as text followed, on every route that takes one?

use serde_json::{Value, json};

use super::server::Server;

const LARK: &str = "start: sum\nsum: sum \"+\" NUMBER | NUMBER\nNUMBER: /[1-9]/\n";
const GBNF: &str = "root ::= [a-c] (\"-\" [a-c]){1,3}";

fn is_sum(text: &str) -> bool {
    text.split('+').all(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit() && number != "0")
}

fn is_chain(text: &str) -> bool {
    (2..=4).contains(&text.split('-').count()) && text.split('-').all(|part| ["a", "b", "c"].contains(&part))
}

fn chat(fields: Value) -> Value {
    let mut body =
        json!({"model": "any", "messages": [{"role": "user", "content": "Go."}], "max_tokens": 200, "seed": 3});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[test]
fn texts_are_of_their_grammar() {
    let server = Server::plain();
    for (grammar, is_in) in [(LARK, is_sum as fn(&str) -> bool), (GBNF, is_chain)] {
        let format = json!({"type": "grammar", "grammar": grammar});
        let answers =
            [chat(json!({"response_format": format})), chat(json!({"structured_outputs": {"grammar": grammar}}))];
        for body in answers {
            let answer = server.answer("/v1/chat/completions", &body);
            let choice = &answer["choices"][0];
            let text = choice["message"]["content"].as_str().unwrap();
            assert!(choice["finish_reason"] == "length" || is_in(text), "{text:?} of {grammar}");
        }
        let body = json!({"model": "any", "input": "Go.", "text": {"format": format}, "max_output_tokens": 200});
        let answer = server.answer("/v1/responses", &body);
        let text = answer["output"][0]["content"][0]["text"].as_str().unwrap();
        assert!(answer["status"] == "incomplete" || is_in(text), "{text:?} of {grammar}");
    }
}

#[test]
fn a_refusal_names_the_place() {
    let server = Server::plain();
    for (fields, param, reason) in [
        (json!({"response_format": {"type": "grammar", "grammar": "start: x"}}), "response_format", "line 1, column 8"),
        (json!({"structured_outputs": {"grammar": "root ::= [b-a]"}}), "structured_outputs", "line 1, column 10"),
        (json!({"response_format": {"type": "grammar"}}), "response_format", "must be a text"),
        (json!({"structured_outputs": {"grammar": 1}}), "structured_outputs", "must be a text"),
    ] {
        let error = &server.refusal("/v1/chat/completions", &chat(fields))["error"];
        assert_eq!(error["param"], param, "{error}");
        assert!(error["message"].as_str().unwrap().contains(reason), "{error}");
    }
}
