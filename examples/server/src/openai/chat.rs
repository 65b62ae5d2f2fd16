//! `/v1/chat/completions`: messages in, one or more answers out, whole or as they are written.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use formwork::{CompiledGrammar, TokenId};
use formwork_decode::{FinishReason, GenerationConfig, RunStats, TokenRecord};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::constraint::{CallTools, Constraint, constraint, input_of};
use super::format::{one_of, response_format, structured_outputs, top_level};
use super::logprobs;
use super::messages::messages;
use super::tools::{ToolShape, tool_request};
use crate::calls::Piece;
use crate::failure::Failure;
use crate::pieces::PieceScanner;
use crate::request::{Knobs, StreamOptions, parse, refuse_unknown};
use crate::service::{MAX_ANSWERS, Next, Service};
use crate::sse::{Sender, stream};
use crate::thinking::Thinking;

/// Fields that change nothing here.
const IGNORED: [&str; 10] = [
    "user",
    "store",
    "metadata",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "verbosity",
    "session_id",
];

#[derive(Debug, Deserialize)]
struct ChatRequest {
    model: Option<String>,
    messages: Vec<Value>,
    #[serde(flatten)]
    knobs: Knobs,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    n: Option<usize>,
    response_format: Option<Value>,
    structured_outputs: Option<Value>,
    json_schema: Option<Value>,
    regex_schema: Option<Value>,
    tools: Option<Value>,
    tool_choice: Option<Value>,
    parallel_tool_calls: Option<bool>,
    logprobs: Option<bool>,
    top_logprobs: Option<usize>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A request that was understood.
struct Chat {
    head: Head,
    prompt: Vec<TokenId>,
    grammar: Option<Arc<CompiledGrammar>>,
    configs: Vec<GenerationConfig>,
    tools: Option<Arc<CallTools>>,
    thinking: Thinking,
    has_logprobs: bool,
}

/// What every part of an answer repeats.
#[derive(Clone, Debug)]
struct Head {
    id: String,
    created: u64,
    model: String,
}

/// Answers a chat request.
pub(crate) async fn chat(service: Arc<Service>, body: Bytes) -> Result<Response, Failure> {
    let arrival = Instant::now();
    let request: ChatRequest = parse(&body)?;
    drop(body);
    refuse_unknown(&request.rest, &IGNORED)?;
    let is_stream = request.stream.unwrap_or(false);
    let include_usage = request.stream_options.unwrap_or_default().include_usage.unwrap_or(false);
    let n = request.n.unwrap_or(1);
    if !(1..=MAX_ANSWERS).contains(&n) {
        return Err(Failure::about("n", format!("n is {n}, it must be from 1 to {MAX_ANSWERS}")));
    }
    let permits = service.admit(n)?;
    let chat = understand(&service, request, n).await?;
    let mut answers = Vec::with_capacity(n);
    for (config, permit) in chat.configs.iter().zip(permits) {
        let (prompt, grammar) = (chat.prompt.clone(), chat.grammar.clone());
        let answer = service.submit(prompt, grammar, config.clone(), arrival, permit)?;
        let parts = Parts::new(chat.thinking, chat.tools.clone());
        answers.push(Writer { answer, parts, has_logprobs: chat.has_logprobs });
    }
    match is_stream {
        true => {
            Ok(stream(service.v1_dialect(), move |out| write_stream(service, chat.head, answers, include_usage, out)))
        }
        false => whole(&service, &chat.head, answers).await,
    }
}

async fn understand(service: &Service, request: ChatRequest, n: usize) -> Result<Chat, Failure> {
    let wanted = one_of([
        response_format(request.response_format.as_ref())?,
        structured_outputs(request.structured_outputs.as_ref())?,
        top_level(request.json_schema.as_ref(), request.regex_schema.as_ref())?,
    ])?;
    let tools = tool_request(request.tools.as_ref(), request.tool_choice.as_ref(), ToolShape::Nested)?;
    let messages = messages(&request.messages)?;
    let (prompt, thinking) = service.prompt(&messages, tools.as_ref().map(|tools| &tools.for_template))?;
    let is_parallel = request.parallel_tool_calls.unwrap_or(true);
    let Constraint { grammar, tools } = constraint(service, thinking, wanted, tools, is_parallel).await?;
    let max_tokens = service.max_tokens(request.max_completion_tokens.or(request.max_tokens));
    let n_top = logprobs::n_top(request.logprobs.unwrap_or(false), request.top_logprobs)?;
    let n_ids = service.tokenizer.vocabulary().len();
    let configs = (0..n).map(|index| {
        let config = request.knobs.config(index, max_tokens, n_ids)?;
        Ok(GenerationConfig { record_top: n_top, ..config })
    });
    let configs = configs.collect::<Result<_, Failure>>()?;
    let model = request.model.unwrap_or_else(|| service.model_name.clone());
    let head = Head { id: crate::ids::new("chatcmpl-"), created: crate::ids::now(), model };
    Ok(Chat { head, prompt, grammar, configs, tools, thinking, has_logprobs: n_top.is_some() })
}

/// One answer that is being written.
struct Writer {
    answer: crate::service::Answer,
    parts: Parts,
    has_logprobs: bool,
}

/// The text of an answer taken apart.
struct Parts {
    scanner: PieceScanner,
    tools: Option<Arc<CallTools>>,
    n_calls: usize,
}

impl Parts {
    fn new(thinking: Thinking, tools: Option<Arc<CallTools>>) -> Parts {
        let format = tools.as_ref().map(|tools| tools.format.clone());
        Parts { scanner: PieceScanner::new(thinking, format), tools, n_calls: 0 }
    }

    fn push(&mut self, text: &str) -> Vec<Piece> {
        let pieces = self.scanner.push(text);
        self.counted(pieces)
    }

    fn finish(&mut self) -> Vec<Piece> {
        let pieces = self.scanner.finish();
        self.counted(pieces)
    }

    fn counted(&mut self, pieces: Vec<Piece>) -> Vec<Piece> {
        self.n_calls += pieces.iter().filter(|piece| matches!(piece, Piece::Call(_))).count();
        pieces
    }

    fn is_custom(&self, name: &str) -> bool {
        self.tools.as_ref().is_some_and(|tools| tools.is_custom(name))
    }

    fn finish_reason(&self, finish: FinishReason) -> &'static str {
        match finish {
            FinishReason::Length => "length",
            _ if self.n_calls > 0 => "tool_calls",
            _ => "stop",
        }
    }
}

/// A message that has all its parts.
#[derive(Default)]
struct Message {
    thought: String,
    content: String,
    /// Name and arguments of each call.
    calls: Vec<(String, String)>,
}

impl Message {
    fn take(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            match (piece, self.calls.last_mut()) {
                (Piece::Thought(text), _) => self.thought.push_str(&text),
                (Piece::Content(text), _) => self.content.push_str(&text),
                (Piece::Call(name), _) => self.calls.push((name, String::new())),
                (Piece::Arguments(text), Some((_, arguments))) => arguments.push_str(&text),
                (Piece::Arguments(_) | Piece::EndOfCall, _) => {}
            }
        }
    }

    fn to_json(&self, parts: &Parts) -> Value {
        let content =
            if self.content.is_empty() && !self.calls.is_empty() { Value::Null } else { self.content.as_str().into() };
        let mut message = json!({"role": "assistant", "content": content, "refusal": null});
        if !self.thought.is_empty() {
            message["reasoning_content"] = self.thought.as_str().into();
        }
        if !self.calls.is_empty() {
            let calls: Vec<Value> = self.calls.iter().map(|(name, arguments)| call(parts, name, arguments)).collect();
            message["tool_calls"] = calls.into();
        }
        message
    }
}

fn call(parts: &Parts, name: &str, arguments: &str) -> Value {
    let id = crate::ids::new("call_");
    match parts.is_custom(name) {
        true => json!({"id": id, "type": "custom", "custom": {"name": name, "input": input_of(arguments)}}),
        false => json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}),
    }
}

async fn whole(service: &Service, head: &Head, writers: Vec<Writer>) -> Result<Response, Failure> {
    let mut choices = Vec::with_capacity(writers.len());
    let mut total = Usage::default();
    let whole =
        async |Writer { answer, parts, has_logprobs }| Ok::<_, Failure>((answer.whole().await?, parts, has_logprobs));
    // The first that fails ends them all.
    let writers = futures_util::future::try_join_all(writers.into_iter().map(whole)).await?;
    for (index, ((whole, end), mut parts, has_logprobs)) in writers.into_iter().enumerate() {
        let mut message = Message::default();
        message.take(parts.push(&whole.text));
        message.take(parts.finish());
        total.add(&end.stats);
        let logprobs = has_logprobs.then(|| logprobs::content(&service.tokenizer, &whole.records));
        choices.push(json!({
            "index": index,
            "message": message.to_json(&parts),
            "logprobs": logprobs,
            "finish_reason": parts.finish_reason(end.finish),
        }));
    }
    let Head { id, created, model } = head;
    let body = json!({
        "id": id, "object": "chat.completion", "created": created, "model": model, "choices": choices,
        "usage": total.to_json(), "system_fingerprint": null,
    });
    Ok(axum::Json(body).into_response())
}

/// Tokens of all answers together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    prompt: usize,
    cached: usize,
    completion: usize,
}

impl Usage {
    /// The prompt counts once, however many answers it has.
    pub(crate) fn add(&mut self, stats: &RunStats) {
        self.prompt = stats.prompt_tokens;
        self.cached = self.cached.max(stats.cached_prompt_tokens);
        self.completion += stats.tokens;
    }

    pub(crate) fn to_json(self) -> Value {
        json!({
            "prompt_tokens": self.prompt, "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached},
        })
    }
}

async fn write_stream(
    service: Arc<Service>,
    head: Head,
    writers: Vec<Writer>,
    include_usage: bool,
    out: Sender,
) -> Result<(), Failure> {
    let chunk = |choices: Value, usage: Value| {
        let Head { id, created, model } = &head;
        let mut chunk = json!({
            "id": id, "object": "chat.completion.chunk", "created": created, "model": model, "choices": choices,
            "system_fingerprint": null,
        });
        if include_usage {
            chunk["usage"] = usage;
        }
        chunk
    };
    let ends = writers.into_iter().enumerate().map(|(index, writer)| {
        let (service, out, chunk) = (&service, &out, &chunk);
        write_choice(service, index, writer, move |choice| out.data(chunk(json!([choice]), Value::Null)))
    });
    let mut total = Usage::default();
    for stats in futures_util::future::try_join_all(ends).await? {
        total.add(&stats);
    }
    if include_usage {
        out.data(chunk(json!([]), total.to_json())).await?;
    }
    out.done().await
}

/// Sends the choice at `index` as it is written.
async fn write_choice<F: Future<Output = Result<(), Failure>>>(
    service: &Service,
    index: usize,
    mut writer: Writer,
    send: impl Fn(Value) -> F,
) -> Result<RunStats, Failure> {
    let choice = |delta: Value, logprobs: Value, finish: Option<&str>| json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish});
    send(choice(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null, None)).await?;
    let mut calls = StreamedCalls::default();
    loop {
        match writer.answer.next().await? {
            Next::Delta(delta) => {
                let pieces = writer.parts.push(&delta.text);
                let mut logprobs = logprobs_of(service, writer.has_logprobs, &delta.records);
                for delta in calls.deltas(&writer.parts, pieces) {
                    send(choice(delta, std::mem::take(&mut logprobs), None)).await?;
                }
                if !logprobs.is_null() {
                    send(choice(json!({}), logprobs, None)).await?;
                }
            }
            Next::End(end) => {
                let pieces = writer.parts.finish();
                for delta in calls.deltas(&writer.parts, pieces) {
                    send(choice(delta, Value::Null, None)).await?;
                }
                send(choice(json!({}), Value::Null, Some(writer.parts.finish_reason(end.finish)))).await?;
                return Ok(end.stats);
            }
        }
    }
}

fn logprobs_of(service: &Service, has_logprobs: bool, records: &[TokenRecord]) -> Value {
    match has_logprobs && !records.is_empty() {
        true => logprobs::content(&service.tokenizer, records),
        false => Value::Null,
    }
}

/// Calls on their way out: the name once, then the arguments piece by piece, under the call's index.
#[derive(Default)]
struct StreamedCalls {
    n_calls: usize,
    /// Arguments of a custom tool, whose input is known when they are whole.
    custom: Option<String>,
}

impl StreamedCalls {
    fn deltas(&mut self, parts: &Parts, pieces: Vec<Piece>) -> Vec<Value> {
        pieces.into_iter().filter_map(|piece| self.delta(parts, piece)).collect()
    }

    fn delta(&mut self, parts: &Parts, piece: Piece) -> Option<Value> {
        let index = self.n_calls.saturating_sub(1);
        let call = |call: Value| Some(json!({"tool_calls": [call]}));
        match piece {
            Piece::Thought(text) => Some(json!({"reasoning_content": text})),
            Piece::Content(text) => Some(json!({"content": text})),
            Piece::Call(name) => {
                self.n_calls += 1;
                let (index, id) = (self.n_calls - 1, crate::ids::new("call_"));
                match parts.is_custom(&name) {
                    true => {
                        self.custom = Some(String::new());
                        call(json!({"index": index, "id": id, "type": "custom", "custom": {"name": name, "input": ""}}))
                    }
                    false => call(json!({
                        "index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""},
                    })),
                }
            }
            Piece::Arguments(text) => match &mut self.custom {
                Some(arguments) => {
                    arguments.push_str(&text);
                    None
                }
                None => call(json!({"index": index, "function": {"arguments": text}})),
            },
            Piece::EndOfCall => {
                let arguments = self.custom.take()?;
                call(json!({"index": index, "custom": {"input": input_of(&arguments)}}))
            }
        }
    }
}
