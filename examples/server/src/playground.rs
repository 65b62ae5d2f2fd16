//! What does a constraint do to each token? The page at `/` and the two routes that it calls.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use formwork::json_schema::{Report, Status};
use formwork::{CompileError, Grammar};
use formwork_decode::{FinishReason, GenerationConfig, TokenRecord};
use formwork_tokenizers::Tokenizer;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::{Dialect, Failure, describe};
use crate::layout::options;
use crate::request::{Knobs, parse};
use crate::service::{Answer, Next, Service};
use crate::sse::{Sender, stream};

/// One file without outside resources.
pub(crate) const PAGE: &str = include_str!("playground.html");
/// What the page may do: nothing from elsewhere, and nothing of it in other pages.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                                 connect-src 'self'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// Longest answer that the page can ask for.
const MAX_TOKENS: usize = 1024;

#[derive(Debug, Deserialize)]
struct PlaygroundRequest {
    prompt: String,
    /// JSON Schema as text.
    schema: String,
    #[serde(default)]
    is_free: bool,
    max_tokens: Option<usize>,
    temperature: Option<f64>,
    seed: Option<i64>,
}

/// What becomes of each keyword of the schema in the body.
pub(crate) async fn report(service: Arc<Service>, body: Bytes) -> Result<Response, Failure> {
    let schema = String::from_utf8(body.to_vec()).map_err(|_| Failure::invalid("the schema is no UTF-8"))?;
    let start = Instant::now();
    let grammar = Grammar::json_schema_text(schema).with_options(options());
    let outcome = service.compile(grammar).await;
    let microseconds = start.elapsed().as_micros() as u64;
    let body = match outcome {
        Ok(compiled) => json!({"entries": entries(compiled.report()), "violations": [], "microseconds": microseconds}),
        Err(error) => json!({"entries": [], "violations": violations(&error), "microseconds": microseconds}),
    };
    Ok(axum::Json(body).into_response())
}

fn entries(report: &Report) -> Vec<Value> {
    let status = |status: Status| match status {
        Status::Enforced => "enforced",
        Status::Annotation => "annotation",
        Status::Relaxed => "relaxed",
        _ => "other",
    };
    let entry = |entry: &formwork::json_schema::ReportEntry| json!({"pointer": entry.pointer, "keyword": entry.keyword, "status": status(entry.status), "note": entry.note});
    report.entries.iter().map(entry).collect()
}

fn violations(error: &CompileError) -> Vec<Value> {
    match error {
        CompileError::Schema(schema) => {
            let violation =
                |it: &formwork::Violation| json!({"pointer": it.pointer, "keyword": it.keyword, "reason": it.reason});
            schema.violations().iter().map(violation).collect()
        }
        other => vec![json!({"pointer": "", "keyword": null, "reason": describe(other)})],
    }
}

/// Writes an answer, with how each of its tokens was chosen.
pub(crate) async fn generate(service: Arc<Service>, body: Bytes) -> Result<Response, Failure> {
    let arrival = Instant::now();
    let request: PlaygroundRequest = parse(&body)?;
    let knobs = Knobs { temperature: request.temperature, seed: request.seed, ..Knobs::default() };
    let max_tokens = service.max_tokens(Some(request.max_tokens.unwrap_or(MAX_TOKENS).min(MAX_TOKENS)));
    let config = knobs.config(0, max_tokens, service.tokenizer.vocabulary().len())?;
    let config = GenerationConfig { record_top: Some(0), ..config };
    let mut permits = service.admit(1)?;
    let Some(permit) = permits.pop() else { return Err(Failure::overloaded()) };
    let (prompt, thinking) = service.prompt(&json!([{"role": "user", "content": request.prompt}]), None)?;
    let grammar = match request.is_free {
        true => None,
        false => {
            let grammar = Grammar::json_schema_text(request.schema).with_options(options());
            Some(
                service
                    .compile(thinking.before(grammar))
                    .await
                    .map_err(|error| Failure::about("schema", describe(&error)))?,
            )
        }
    };
    let answer = service.submit(prompt, grammar, config, arrival, permit)?;
    Ok(stream(Dialect::OpenAi, move |out| write(service, answer, out)))
}

async fn write(service: Arc<Service>, mut answer: Answer, out: Sender) -> Result<(), Failure> {
    loop {
        match answer.next().await? {
            Next::Delta(delta) => {
                let tokens: Vec<Value> = delta.records.iter().map(|record| token(&service.tokenizer, record)).collect();
                out.data(json!({"tokens": tokens})).await?;
            }
            Next::End(end) => {
                let finish = match end.finish {
                    FinishReason::Length => "length",
                    _ => "stop",
                };
                let stats = end.stats;
                let body = json!({
                    "finish": finish, "tokens": stats.tokens, "forced": stats.forced_tokens, "passes": stats.forward_passes,
                    "tokens_per_second": stats.tokens_per_second(), "mask_share": stats.mask_share(),
                });
                out.data(json!({"end": body})).await?;
                return out.done().await;
            }
        }
    }
}

fn token(tokenizer: &Tokenizer, record: &TokenRecord) -> Value {
    json!({
        "bytes": tokenizer.token_bytes(record.token).unwrap_or_default(),
        "id": record.token.get(),
        "forced": record.is_forced,
        "allowed": record.n_allowed,
        "mask_us": record.mask_time.as_secs_f64() * 1e6,
        "share": record.log_probability.exp(),
    })
}
