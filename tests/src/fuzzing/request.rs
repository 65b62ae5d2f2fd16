//! Is every request answered, or refused in the words of its API? All routes of the server, with a model that says its
//! prompt back.
//!
//! An answer has tokens that its grammar allows: an empty mask would be the server's failure, and that is never a refusal.

use std::sync::{Arc, OnceLock};

use clap::Parser;
use formwork_server::{Options, Service, ask, echo};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::Counters;
use super::edit::edited;
use super::engine::small_limits;
use crate::universe::Dice;

/// Requests that are edited where the input is none itself: the path in the first line, the body behind it.
const REQUESTS: [&str; 14] = [
    include_str!("../../../fuzz/corpus/request/chat_schema"),
    include_str!("../../../fuzz/corpus/request/chat_regex"),
    include_str!("../../../fuzz/corpus/request/chat_tools"),
    include_str!("../../../fuzz/corpus/request/chat_calls"),
    include_str!("../../../fuzz/corpus/request/chat_choice"),
    include_str!("../../../fuzz/corpus/request/completions"),
    include_str!("../../../fuzz/corpus/request/completions_ids"),
    include_str!("../../../fuzz/corpus/request/responses_format"),
    include_str!("../../../fuzz/corpus/request/responses_tools"),
    include_str!("../../../fuzz/corpus/request/cohere_json"),
    include_str!("../../../fuzz/corpus/request/cohere_schema"),
    include_str!("../../../fuzz/corpus/request/cohere_tools"),
    include_str!("../../../fuzz/corpus/request/cohere_results"),
    include_str!("../../../fuzz/corpus/request/playground"),
];
const PATHS: [&str; 6] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v2/chat",
    "/playground/generate",
    "/playground/report",
];
/// What templates write around calls and thoughts, which tells the families apart.
const TEMPLATES: [&str; 6] =
    ["", "<tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<think></think>", "<tool_call></think>"];
const SPECIAL: [&str; 3] = ["<tool_call>", "</tool_call>", "[TOOL_CALLS]"];
/// How the one error begins that may come in the middle of a stream.
const TOO_COMPLEX: &str = "the schema is too complex: ";

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let drawn;
    let request = if input.starts_with(b"/") {
        input
    } else {
        drawn = draw(&mut Dice::from_bytes(input));
        drawn.as_bytes()
    };
    let end = request.iter().position(|byte| *byte == b'\n').unwrap_or(request.len());
    let (path, body) = (&request[..end], &request[(end + 1).min(request.len())..]);
    // The server's options follow from the bytes, so that the request stays one that can be read.
    let mut dice =
        Dice::new(request.iter().fold(0, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)));
    let path = match PATHS.iter().find(|known| known.as_bytes() == path) {
        Some(known) => known,
        None => *dice.pick(&PATHS),
    };
    let is_lmdeploy = dice.one_in(4);
    let (service, model) = serve(&mut dice, is_lmdeploy);
    let (status, answer) = runtime().block_on(ask(service, path, body.to_vec()));
    // The service is gone with its last answer, and the model with it.
    model.join().expect("no panic reaches the model's thread");
    let answer = String::from_utf8(answer).expect("answers are UTF-8");
    match status {
        200 => {
            counters.count("answered", 1);
            counters.count(path, 1);
            // What is no stream is an object.
            if !answer.starts_with('{') {
                check_stream(path, &answer, is_lmdeploy, counters);
            }
        }
        400 => {
            let refusal = serde_json::from_str(&answer).expect("a refusal is JSON");
            check_refusal(path, &refusal, is_lmdeploy);
            counters.count("refused", 1);
        }
        status => panic!("{status}: {answer}"),
    }
}

/// One of the requests with edits.
fn draw(dice: &mut Dice) -> String {
    let (path, body) = dice.pick(&REQUESTS).split_once('\n').expect("a path in the first line");
    format!("{path}\n{}", edited(body, dice))
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_current_thread().enable_time().build().expect("a runtime of one thread"))
}

/// A server that has seen no request yet.
fn serve(dice: &mut Dice, is_lmdeploy: bool) -> (Arc<Service>, std::thread::JoinHandle<()>) {
    let mut options = Options::parse_from(["", "--max-answer-tokens", "6", "--max-batch", "2"]);
    options.lmdeploy_errors = is_lmdeploy;
    options.cohere_full = dice.one_in(3);
    options.limits = small_limits();
    let special: &[&str] = if dice.one_in(2) { &SPECIAL } else { &[] };
    let model = echo::model(2, TEMPLATES[dice.below(TEMPLATES.len())], special, |_, _| Ok(()));
    let (service, thread) = Service::start(options, model).expect("a thread for the model");
    (Arc::new(service), thread)
}

/// # Panics
/// Where a refusal has not the shape of its API.
fn check_refusal(path: &str, refusal: &Value, is_lmdeploy: bool) {
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
    };
    let (error, expected): (&Value, &[&str]) = match path {
        "/v2/chat" => (refusal, &["id", "message"]),
        _ if path.starts_with("/v1/") && is_lmdeploy => (refusal, &["message", "type", "code", "param", "object"]),
        _ => {
            assert_eq!(keys(refusal), ["error"], "{refusal}");
            (&refusal["error"], &["message", "type", "param", "code"])
        }
    };
    assert_eq!(keys(error), expected, "{refusal}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{refusal}");
    assert!(error.get("type").is_none_or(|kind| kind == "invalid_request_error"), "{refusal}");
}

/// # Panics
/// Where a stream has no end, or an error in it is the server's.
fn check_stream(path: &str, stream: &str, is_lmdeploy: bool, counters: &mut Counters) {
    let data: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let json = |data: &&str| serde_json::from_str::<Value>(data).unwrap_or_else(|error| panic!("{error}: {data}"));
    let Some((last, others)) = data.split_last() else { panic!("an empty stream") };
    others.iter().for_each(|event| drop(json(event)));
    let failure: Option<String> = match (path, *last) {
        ("/v1/responses", _) => {
            let last = json(last);
            match last["type"].as_str() {
                Some("response.completed" | "response.incomplete") => None,
                Some("response.failed") => Some(last["response"]["error"]["message"].to_string()),
                _ => panic!("no end: {last}"),
            }
        }
        ("/v2/chat", "[DONE]") => {
            let end = json(others.last().expect("something before the end"));
            assert_eq!(end["type"], "message-end");
            end["delta"].get("error").map(Value::to_string)
        }
        (_, "[DONE]") => None,
        _ => {
            let last = json(last);
            check_refusal(path, &last, is_lmdeploy);
            Some(last["error"].get("message").unwrap_or(&last["message"]).to_string())
        }
    };
    if let Some(message) = failure {
        assert!(message.trim_start_matches('"').starts_with(TOO_COMPLEX), "{message}");
        counters.count("streams over a limit", 1);
    }
}
