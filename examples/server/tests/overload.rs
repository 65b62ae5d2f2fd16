//! What does the server do with more requests than it can hold, with clients that go away, and when it is told to end?
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use std::io;
use std::process::Command;
use std::time::Duration;

use common::server::{API_KEY, Server};
use formwork_bench::load::{HttpAnswer, HttpClient, events, metric};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const MAX_BATCH: usize = 8;
const MAX_QUEUE: usize = 64;

fn client(server: &Server) -> HttpClient {
    HttpClient::new(&server.url, Some(API_KEY))
}

/// A request for a text of exactly so many letters.
fn letters(n: usize, is_stream: bool) -> Value {
    let messages = json!([{"role": "user", "content": "Write letters."}]);
    json!({"messages": messages, "regex_schema": format!("[a-z]{{{n}}}"), "stream": is_stream})
}

/// Sends `n` requests at once and waits for the heads of their answers.
async fn ask_at_once(client: &HttpClient, n: usize, request: &Value) -> Vec<HttpAnswer> {
    let asking: Vec<_> = (0..n)
        .map(|_| {
            let (client, request) = (client.clone(), request.clone());
            tokio::spawn(async move { client.post(CHAT, &request).await })
        })
        .collect();
    let mut answers = Vec::with_capacity(n);
    for task in asking {
        answers.push(task.await.unwrap().unwrap());
    }
    answers
}

/// Sequences that wait, and those that are being written.
async fn sequences(client: &HttpClient) -> (f64, f64) {
    let text = client.get("/metrics").await.unwrap().text().await.unwrap();
    let gauge = |name| metric(&text, name).unwrap();
    (gauge("formwork_queued_sequences"), gauge("formwork_running_sequences"))
}

async fn wait_until_idle(client: &HttpClient) {
    while sequences(client).await != (0.0, 0.0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The text of a stream that came to its end.
async fn whole_text(answer: HttpAnswer) -> io::Result<String> {
    let body = answer.text().await?;
    assert!(body.trim_end().ends_with("data: [DONE]"), "{body}");
    let text = |event: Value| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
    Ok(events(&body).filter_map(text).collect())
}

fn tell_to_end(server: &Server) {
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn what_does_not_fit_is_refused_at_once() {
    let server = Server::start(&["--max-batch", &MAX_BATCH.to_string(), "--max-queue", &MAX_QUEUE.to_string()]);
    let client = client(&server);
    let answers = ask_at_once(&client, 1000, &letters(800, true)).await;
    // Nobody waited for an answer to be written before being refused: the queue is still full of those.
    assert!(sequences(&client).await.0 > 0.0);
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 200);
    assert!(accepted.len() >= MAX_BATCH + MAX_QUEUE && refused.len() > 800, "{} accepted", accepted.len());
    for answer in refused {
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.header("retry-after"), Some("1"));
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    }
    drop(accepted);
    wait_until_idle(&client).await;
    // Whoever comes behind them finds room.
    let answer = client.post(CHAT, &letters(5, true)).await.unwrap();
    assert_eq!(whole_text(answer).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing() {
    let server = Server::start(&["--max-batch", "2"]);
    let client = client(&server);
    for is_stream in [false, true] {
        // So much that it is not written before the client has gone.
        let mut request = letters(800, is_stream);
        request["n"] = json!(100);
        let asking = {
            let client = client.clone();
            tokio::spawn(async move {
                let mut answer = client.post(CHAT, &request).await.unwrap();
                while answer.next().await.unwrap().is_some() {}
            })
        };
        while sequences(&client).await.1 == 0.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!asking.is_finished());
        asking.abort();
        wait_until_idle(&client).await;
    }
}

#[tokio::test]
async fn running_answers_finish_when_the_server_is_told_to_end() {
    let mut server = Server::start(&["--max-batch", "4", "--shutdown-timeout", "300"]);
    let client = client(&server);
    let mut answers = ask_at_once(&client, 12, &letters(150, true)).await;
    answers[0].next().await.unwrap();
    tell_to_end(&server);
    for answer in answers.drain(1..) {
        assert_eq!(whole_text(answer).await.unwrap().len(), 150);
    }
    drop(answers);
    assert!(server.wait().success());
    assert!(client.post(CHAT, &letters(5, true)).await.is_err());
}

#[tokio::test]
async fn answers_that_take_too_long_are_cut_off_at_the_end() {
    let mut server = Server::start(&["--max-batch", "1", "--shutdown-timeout", "0"]);
    let client = client(&server);
    let answers = ask_at_once(&client, 8, &letters(800, true)).await;
    tell_to_end(&server);
    assert!(server.wait().success());
    let mut n_cut_off = 0;
    for answer in answers {
        n_cut_off += usize::from(answer.text().await.is_err());
    }
    assert!(n_cut_off > 0);
}
