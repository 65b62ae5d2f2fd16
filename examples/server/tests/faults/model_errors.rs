//! What does a client see whose model fails in the middle? One error in its API's shape, and the others nothing.

use super::api::Api;
use super::host::{Host, N_SAID};

const PROMPT: &str = "fail, after the first letters";

/// Each of these APIs, whole and streamed.
async fn check(apis: &[Api], is_lmdeploy: bool) {
    let host = Host::start(if is_lmdeploy { &["--lmdeploy-errors"] } else { &[] }).await;
    let faulty: Vec<_> = apis.iter().flat_map(|api| [(*api, PROMPT, false), (*api, PROMPT, true)]).collect();
    let answers = host.among_others(&faulty).await;
    for ((api, _, is_stream), answer) in faulty.iter().zip(&answers) {
        match is_stream {
            true => api.check_error_in_stream(answer, 500, &PROMPT[..N_SAID], is_lmdeploy),
            false => api.check_error(answer, 500, is_lmdeploy),
        }
    }
    // The others were in the batch before and after.
    let passes = host.passes();
    let fault = passes.iter().rposition(|prompt| prompt == PROMPT).unwrap();
    let has_other = |passes: &[String]| passes.iter().any(|prompt| prompt.starts_with("a text of"));
    assert!(has_other(&passes[..fault]) && has_other(&passes[fault..]));
}

#[tokio::test]
async fn chat() {
    check(&[Api::Chat], false).await;
}

#[tokio::test]
async fn completions() {
    check(&[Api::Completions], false).await;
}

#[tokio::test]
async fn responses() {
    check(&[Api::Responses], false).await;
}

#[tokio::test]
async fn cohere() {
    check(&[Api::Cohere], false).await;
}

#[tokio::test]
async fn lmdeploy() {
    check(&[Api::Chat, Api::Completions, Api::Cohere], true).await;
}

/// One answer of several fails: the request has one error.
#[tokio::test]
async fn one_of_several_answers() {
    let host = Host::start(&[]).await;
    for is_stream in [false, true] {
        let mut request = Api::Completions.request("", is_stream);
        let mark = formwork_server::echo::MARK;
        let steady = format!("{}{mark}", "steady ".repeat(200));
        request["prompt"] = serde_json::json!([steady, format!("{PROMPT}{mark}"), steady]);
        let answer = host.post(Api::Completions.path(), &request).await;
        match is_stream {
            true => assert_eq!(answer.1.matches("\"error\"").count(), 1, "{}", answer.1),
            false => Api::Completions.check_error(&answer, 500, false),
        }
        host.wait_until_idle().await;
    }
}
