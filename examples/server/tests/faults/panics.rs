//! What does a panic do? It is the failure of the request that it comes from.

use std::error::Error;

use formwork_server::PromptTemplate;
use serde_json::Value;

use super::api::Api;
use super::host::{Host, N_SAID};

const PROMPT: &str = "panic, after the first letters";

#[tokio::test]
async fn in_the_model() {
    let host = Host::start(&[]).await;
    let faulty: Vec<_> = Api::ALL.into_iter().flat_map(|api| [(api, PROMPT, false), (api, PROMPT, true)]).collect();
    let answers = host.among_others(&faulty).await;
    for ((api, _, is_stream), answer) in faulty.iter().zip(&answers) {
        match is_stream {
            true => api.check_error_in_stream(answer, 500, &PROMPT[..N_SAID], false),
            false => api.check_error(answer, 500, false),
        }
    }
    // The rows that were left are taken by others.
    let answers = host.among_others(&[]).await;
    assert!(answers.is_empty());
    assert_eq!(host.status("/ready").await, 200);
}

struct Panics;

impl PromptTemplate for Panics {
    fn source(&self) -> String {
        String::new()
    }

    fn render(&self, _: &Value, _: Option<&Value>) -> Result<String, Box<dyn Error + Send + Sync>> {
        panic!("a detail of the template's inside")
    }
}

#[tokio::test]
async fn before_the_model() {
    let host = Host::start_with(&[], |mut model| {
        model.template = Some(Box::new(Panics));
        model
    })
    .await;
    for api in [Api::Chat, Api::Responses, Api::Cohere] {
        for is_stream in [false, true] {
            let answer = host.post(api.path(), &api.request("any", is_stream)).await;
            api.check_error(&answer, 500, false);
        }
    }
    // No place in the queue is lost.
    let answer = host.post(Api::Completions.path(), &Api::Completions.request("any", false)).await;
    assert_eq!((answer.0, Api::Completions.said(&answer.1, false).as_str()), (200, "any"));
    assert_eq!(host.sequences().await, (0, 0));
}
