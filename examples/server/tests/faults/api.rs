//! How is each API asked, and how does it say what went wrong? Requests, the text of answers, and the documented errors.

use formwork_bench::load::events;
use formwork_server::echo::MARK;
use serde_json::{Value, json};

/// The routes that let the model write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Chat,
    Completions,
    Responses,
    Cohere,
}

impl Api {
    pub(crate) const ALL: [Api; 4] = [Api::Chat, Api::Completions, Api::Responses, Api::Cohere];

    pub(crate) fn path(self) -> &'static str {
        match self {
            Api::Chat => "/v1/chat/completions",
            Api::Completions => "/v1/completions",
            Api::Responses => "/v1/responses",
            Api::Cohere => "/v2/chat",
        }
    }

    /// A request that has the model say `prompt`.
    pub(crate) fn request(self, prompt: &str, is_stream: bool) -> Value {
        let messages = json!([{"role": "user", "content": prompt}]);
        let mut request = match self {
            Api::Chat => json!({"messages": messages}),
            Api::Completions => json!({"prompt": format!("{prompt}{MARK}"), "max_tokens": 1000}),
            Api::Responses => json!({"input": prompt}),
            Api::Cohere => json!({"model": "any", "messages": messages}),
        };
        request["stream"] = is_stream.into();
        request
    }

    /// The model's text in an answer, or in what came of it.
    pub(crate) fn said(self, body: &str, is_stream: bool) -> String {
        if !is_stream {
            let body: Value = serde_json::from_str(body).unwrap();
            let text = match self {
                Api::Chat => &body["choices"][0]["message"]["content"],
                Api::Completions => &body["choices"][0]["text"],
                Api::Responses => &body["output"][0]["content"][0]["text"],
                Api::Cohere => &body["message"]["content"][0]["text"],
            };
            return text.as_str().unwrap().to_owned();
        }
        let text = |event: Value| {
            let text = match self {
                Api::Chat => &event["choices"][0]["delta"]["content"],
                Api::Completions => &event["choices"][0]["text"],
                Api::Responses => &event["delta"],
                Api::Cohere if event["type"] == "content-delta" => &event["delta"]["message"]["content"]["text"],
                Api::Cohere => &Value::Null,
            };
            text.as_str().map(str::to_owned)
        };
        events(body).filter_map(text).collect()
    }

    /// Checks that an answer that was not streamed is the documented error with this status.
    pub(crate) fn check_error(self, (status, body): &(u16, String), expected: u16, is_lmdeploy: bool) {
        assert_eq!(*status, expected, "{body}");
        self.check_body(&serde_json::from_str(body).unwrap(), expected, is_lmdeploy);
    }

    /// Checks that a stream began, and ended with the documented error: `said` is the text before it.
    pub(crate) fn check_error_in_stream(
        self,
        (status, body): &(u16, String),
        expected: u16,
        said: &str,
        is_lmdeploy: bool,
    ) {
        assert_eq!((*status, self.said(body, true).as_str()), (200, said), "{body}");
        let events: Vec<Value> = events(body).collect();
        let last = events.last().unwrap();
        let is_done = body.trim_end().ends_with("data: [DONE]");
        match self {
            Api::Chat | Api::Completions => {
                self.check_body(last, expected, is_lmdeploy);
                assert!(!is_done, "nothing comes behind an error: {body}");
                assert!(events[..events.len() - 1].iter().all(|event| event.get("choices").is_some()), "{body}");
            }
            Api::Responses => {
                assert_eq!((&last["type"], &last["response"]["status"]), (&json!("response.failed"), &json!("failed")));
                assert_eq!(last["response"]["error"]["code"], "server_error");
                check_message(&last["response"]["error"]["message"]);
            }
            Api::Cohere => {
                let reason = if expected == 504 { "TIMEOUT" } else { "ERROR" };
                assert_eq!((&last["type"], &last["delta"]["finish_reason"]), (&json!("message-end"), &json!(reason)));
                check_message(&last["delta"]["error"]);
                // What was begun is ended.
                let n = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
                assert_eq!(n("content-start"), n("content-end"), "{body}");
                assert!(is_done, "{body}");
            }
        }
    }

    fn check_body(self, body: &Value, status: u16, is_lmdeploy: bool) {
        let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        if self == Api::Cohere {
            assert_eq!(keys(body), ["id", "message"]);
            check_message(&body["message"]);
        } else if is_lmdeploy {
            assert_eq!(keys(body), ["message", "type", "code", "param", "object"]);
            assert_eq!(
                (&body["code"], &body["type"], &body["object"]),
                (&json!(status), &json!(kind), &json!("error"))
            );
            check_message(&body["message"]);
        } else {
            assert_eq!(keys(body), ["error"]);
            assert_eq!(keys(&body["error"]), ["message", "type", "param", "code"]);
            assert_eq!(body["error"]["type"], kind);
            check_message(&body["error"]["message"]);
        }
    }
}

/// What went wrong inside is for the log.
fn check_message(message: &Value) {
    let message = message.as_str().unwrap();
    assert!(!message.is_empty() && !message.contains("inside") && !message.contains('\n'), "{message:?}");
}
