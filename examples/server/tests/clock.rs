//! What does a jump of the clock on the wall do? Nothing: it is in no deadline.
//!
//! The program runs with a library before the system's own, by which the time of day jumps to and fro by years whenever it is
//! asked for.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]
#![cfg(target_os = "linux")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::server::{API_KEY, Server};
use formwork_bench::load::{HttpClient, events};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
/// What `jumping_clock.c` jumps by at least, in seconds.
const JUMP: i64 = 31_536_000;

/// The library, built by the system's C compiler.
fn jumping_clock() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clock/jumping_clock.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("jumping_clock_{}.so", std::process::id()));
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(compile.status().unwrap().success());
    library
}

#[tokio::test]
async fn deadlines_do_not_follow_a_clock_that_jumps() {
    let library = jumping_clock();
    let server = Server::start_in(&["--request-timeout", "3600"], &[("LD_PRELOAD", library.as_os_str())]);
    let client = HttpClient::new(&server.url, Some(API_KEY));
    let mut created = Vec::new();
    let mut ids = Vec::new();
    for is_stream in [false, true, false, true] {
        let messages = json!([{"role": "user", "content": "Write letters."}]);
        let request = json!({"messages": messages, "regex_schema": "[a-z]{40}", "stream": is_stream});
        let answer = client.post(CHAT, &request).await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.text().await.unwrap();
        let first: Value = match is_stream {
            true => {
                assert!(body.trim_end().ends_with("data: [DONE]"), "{body}");
                events(&body).next().unwrap()
            }
            false => serde_json::from_str(&body).unwrap(),
        };
        created.push(first["created"].as_i64().unwrap());
        ids.push(first["id"].as_str().unwrap().to_owned());
    }
    // It did jump.
    assert!(created.windows(2).all(|pair| (pair[1] - pair[0]).abs() > JUMP / 2), "{created:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    std::fs::remove_file(library).unwrap();
}
