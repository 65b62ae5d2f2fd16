//! `/v1/completions`: a text in, its continuation out.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use formwork::TokenId;
use formwork_decode::{FinishReason, GenerationConfig, RunStats, TokenRecord};
use formwork_tokenizers::Tokenizer;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::chat::Usage;
use super::format::{one_of, response_format, structured_outputs, top_level};
use crate::failure::Failure;
use crate::request::{Knobs, StreamOptions, parse, refuse_unknown};
use crate::service::{Answer, MAX_ANSWERS, Next, Service};
use crate::sse::{Sender, stream};

const IGNORED: [&str; 1] = ["user"];
/// Alternatives that the older form of log probabilities may have.
const MAX_LOGPROBS: usize = 5;

#[derive(Debug, Deserialize)]
struct CompletionRequest {
    model: Option<String>,
    prompt: Value,
    #[serde(flatten)]
    knobs: Knobs,
    max_tokens: Option<usize>,
    n: Option<usize>,
    response_format: Option<Value>,
    structured_outputs: Option<Value>,
    json_schema: Option<Value>,
    regex_schema: Option<Value>,
    logprobs: Option<usize>,
    echo: Option<bool>,
    suffix: Option<String>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Debug)]
struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    fn body(&self, choices: Vec<Value>) -> Value {
        let Head { id, created, model } = self;
        json!({"id": id, "object": "text_completion", "created": created, "model": model, "choices": choices})
    }
}

/// Answers a completion request.
pub(crate) async fn completions(service: Arc<Service>, body: Bytes) -> Result<Response, Failure> {
    // What other routes call messages is the prompt here.
    let by_field = |failure: Failure| match failure.param.as_deref() {
        Some("messages") => Failure { param: Some("prompt".to_owned()), ..failure },
        _ => failure,
    };
    complete(service, body).await.map_err(by_field)
}

async fn complete(service: Arc<Service>, body: Bytes) -> Result<Response, Failure> {
    let arrival = Instant::now();
    let request: CompletionRequest = parse(&body)?;
    refuse_unknown(&request.rest, &IGNORED)?;
    if request.echo == Some(true) || request.suffix.is_some() {
        return Err(Failure::about("echo", "echo and suffix are not supported"));
    }
    if request.logprobs.is_some_and(|n| n > MAX_LOGPROBS) {
        return Err(Failure::about("logprobs", format!("logprobs must be at most {MAX_LOGPROBS}")));
    }
    let wanted = one_of([
        response_format(request.response_format.as_ref())?,
        structured_outputs(request.structured_outputs.as_ref())?,
        top_level(request.json_schema.as_ref(), request.regex_schema.as_ref())?,
    ])?;
    let prompts = prompts(&service.tokenizer, &request.prompt)?;
    let n = request.n.unwrap_or(1);
    let n_answers = n.saturating_mul(prompts.len());
    if !(1..=MAX_ANSWERS).contains(&n_answers) {
        return Err(Failure::about(
            "n",
            format!("{n_answers} answers are asked for, it must be from 1 to {MAX_ANSWERS}"),
        ));
    }
    let permits = service.admit(n_answers)?;
    let grammar = match wanted {
        Some(wanted) => Some(service.compile(wanted.grammar.clone()).await.map_err(|error| wanted.refusal(&error))?),
        None => None,
    };
    // The API's own default is 16.
    let max_tokens = service.max_tokens(Some(request.max_tokens.unwrap_or(16)));
    let n_ids = service.tokenizer.vocabulary().len();
    let mut answers = Vec::with_capacity(n_answers);
    for (index, permit) in permits.into_iter().enumerate() {
        let config = request.knobs.config(index % n, max_tokens, n_ids)?;
        let config = GenerationConfig { record_top: request.logprobs, ..config };
        answers.push(service.submit(prompts[index / n].clone(), grammar.clone(), config, arrival, permit)?);
    }
    let model = request.model.unwrap_or_else(|| service.model_name.clone());
    let head = Head { id: crate::ids::new("cmpl-"), created: crate::ids::now(), model };
    let has_logprobs = request.logprobs.is_some();
    if request.stream == Some(true) {
        let include_usage = request.stream_options.unwrap_or_default().include_usage.unwrap_or(false);
        let dialect = service.v1_dialect();
        let write = move |out| write_stream(service, head, answers, has_logprobs, include_usage, out);
        return Ok(stream(dialect, write));
    }
    let mut choices = Vec::with_capacity(n_answers);
    let mut total = Usage::default();
    // The first that fails ends them all.
    let answers = futures_util::future::try_join_all(answers.into_iter().map(Answer::whole)).await?;
    for (index, (whole, end)) in answers.into_iter().enumerate() {
        total.add(&end.stats);
        let logprobs = has_logprobs.then(|| legacy_logprobs(&service.tokenizer, &whole.records, 0));
        choices.push(choice(index, &whole.text, logprobs, Some(end.finish)));
    }
    let mut body = head.body(choices);
    body["usage"] = total.to_json();
    Ok(axum::Json(body).into_response())
}

/// One text, several, or one or several lists of token ids.
fn prompts(tokenizer: &Tokenizer, prompt: &Value) -> Result<Vec<Vec<TokenId>>, Failure> {
    let wrong = || Failure::about("prompt", "prompt must be a text, a list of texts, or lists of token ids");
    let n_ids = tokenizer.vocabulary().len();
    let id = |id: &Value| {
        let id = u32::try_from(id.as_u64()?).ok()?;
        ((id as usize) < n_ids).then(|| TokenId::new(id))
    };
    let ids = |list: &[Value]| -> Option<Vec<TokenId>> { list.iter().map(id).collect() };
    match prompt {
        Value::String(text) => Ok(vec![tokenizer.encode_document(text)]),
        Value::Array(list) if list.first().is_some_and(Value::is_number) => Ok(vec![ids(list).ok_or_else(wrong)?]),
        Value::Array(list) if !list.is_empty() => {
            let one = |item: &Value| match item {
                Value::String(text) => Ok(tokenizer.encode_document(text)),
                Value::Array(list) => ids(list).ok_or_else(wrong),
                _ => Err(wrong()),
            };
            list.iter().map(one).collect()
        }
        _ => Err(wrong()),
    }
}

fn choice(index: usize, text: &str, logprobs: Option<Value>, finish: Option<FinishReason>) -> Value {
    let finish = finish.map(|finish| if finish == FinishReason::Length { "length" } else { "stop" });
    json!({"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish})
}

/// Log probabilities in the form of this older route.
fn legacy_logprobs(tokenizer: &Tokenizer, records: &[TokenRecord], n_before: usize) -> Value {
    let text = |token: TokenId| String::from_utf8_lossy(tokenizer.token_bytes(token).unwrap_or_default()).into_owned();
    let mut offset = n_before;
    let mut offsets = Vec::new();
    for record in records {
        offsets.push(offset);
        offset += text(record.token).chars().count();
    }
    let top = |record: &TokenRecord| -> Map<String, Value> {
        record.top.iter().map(|(token, share)| (text(*token), (*share).into())).collect()
    };
    json!({
        "tokens": records.iter().map(|record| text(record.token)).collect::<Vec<_>>(),
        "token_logprobs": records.iter().map(|record| record.log_probability).collect::<Vec<_>>(),
        "top_logprobs": records.iter().map(top).collect::<Vec<_>>(),
        "text_offset": offsets,
    })
}

async fn write_stream(
    service: Arc<Service>,
    head: Head,
    answers: Vec<Answer>,
    has_logprobs: bool,
    include_usage: bool,
    out: Sender,
) -> Result<(), Failure> {
    let ends = answers.into_iter().enumerate().map(async |(index, mut answer)| -> Result<RunStats, Failure> {
        let mut n_chars = 0;
        loop {
            match answer.next().await? {
                Next::Delta(delta) => {
                    let logprobs = has_logprobs.then(|| legacy_logprobs(&service.tokenizer, &delta.records, n_chars));
                    n_chars += delta.text.chars().count();
                    out.data(head.body(vec![choice(index, &delta.text, logprobs, None)])).await?;
                }
                Next::End(end) => {
                    out.data(head.body(vec![choice(index, "", None, Some(end.finish))])).await?;
                    return Ok(end.stats);
                }
            }
        }
    });
    let mut total = Usage::default();
    for stats in futures_util::future::try_join_all(ends).await? {
        total.add(&stats);
    }
    if include_usage {
        let mut body = head.body(Vec::new());
        body["usage"] = total.to_json();
        out.data(body).await?;
    }
    out.done().await
}
