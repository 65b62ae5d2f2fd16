//! `/v1/responses`: input items in, output items out, whole or as they are written.
//!
//! Nothing is stored, so what refers to an earlier response is refused. What tells the original service how to run, and
//! changes no answer, is ignored (see [`request`]).

mod input;
mod output;
mod request;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use formwork_decode::{FinishReason, GenerationConfig, RunStats};
use serde_json::{Value, json};

use self::input::messages;
use self::output::{Event, Output};
use self::request::{Echo, ResponseRequest};
use super::constraint::constraint;
use super::format::text_format;
use super::tools::{ToolShape, tool_request};
use crate::failure::Failure;
use crate::request::parse;
use crate::service::{Answer, Next, Service};
use crate::sse::{Sender, stream};

/// A response that is being written.
struct Writing {
    echo: Echo,
    answer: Answer,
    output: Output,
}

/// Answers a request for a response.
pub(crate) async fn responses(service: Arc<Service>, body: Bytes) -> Result<Response, Failure> {
    let arrival = Instant::now();
    let request: ResponseRequest = parse(&body)?;
    drop(body);
    request.check()?;
    let permit = service.admit(1)?.pop().ok_or_else(Failure::overloaded)?;
    let text = request.text.as_ref().unwrap_or(&Value::Null);
    let wanted = text_format(text.get("format"))?;
    let tools = tool_request(request.tools.as_ref(), request.tool_choice.as_ref(), ToolShape::Flat)?;
    let messages = messages(request.instructions.as_deref(), &request.input)?;
    let (prompt, thinking) = service.prompt(&messages, tools.as_ref().map(|tools| &tools.for_template))?;
    let is_parallel = request.parallel_tool_calls.unwrap_or(true);
    let constraint = constraint(&service, thinking, wanted, tools, is_parallel).await?;
    let max_tokens = service.max_tokens(request.max_output_tokens);
    let config = request.knobs.config(0, max_tokens, service.tokenizer.vocabulary().len())?;
    let config = GenerationConfig { record_top: request.n_top()?, ..config };
    let is_stream = request.stream.unwrap_or(false);
    let tokenizer = config.record_top.is_some().then(|| service.tokenizer.clone());
    let writing = Writing {
        echo: Echo::new(&service, request),
        answer: service.submit(prompt, constraint.grammar, config, arrival, permit)?,
        output: Output::new(thinking, constraint.tools, tokenizer),
    };
    match is_stream {
        true => Ok(stream(service.v1_dialect(), move |out| write_stream(writing, out))),
        false => whole(writing).await,
    }
}

async fn whole(writing: Writing) -> Result<Response, Failure> {
    let Writing { echo, answer, mut output } = writing;
    let (text, end) = answer.whole().await?;
    // Nobody reads the events.
    let mut events = Vec::new();
    output.push(&text.text, &text.records, &mut events);
    output.finish(end.finish != FinishReason::Length, &mut events);
    Ok(axum::Json(ended(&echo, output.items(), end.finish, &end.stats)).into_response())
}

/// The response of an answer that has ended.
fn ended(echo: &Echo, items: &[Value], finish: FinishReason, stats: &RunStats) -> Value {
    let status = if finish == FinishReason::Length { "incomplete" } else { "completed" };
    let mut response = echo.response(status, items);
    if finish == FinishReason::Length {
        response["incomplete_details"] = json!({"reason": "max_output_tokens"});
    }
    response["usage"] = json!({
        "input_tokens": stats.prompt_tokens,
        "input_tokens_details": {"cached_tokens": stats.cached_prompt_tokens, "cache_write_tokens": 0},
        "output_tokens": stats.tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": stats.prompt_tokens + stats.tokens,
    });
    response
}

async fn write_stream(writing: Writing, out: Sender) -> Result<(), Failure> {
    let Writing { echo, mut answer, mut output } = writing;
    let mut sent = Numbered { out: &out, n_sent: 0 };
    for kind in ["response.created", "response.in_progress"] {
        sent.send(Event { kind, data: json!({"response": echo.response("in_progress", &[])}) }).await?;
    }
    let mut events = Vec::new();
    let (kind, response) = loop {
        match answer.next().await {
            Ok(Next::Delta(delta)) => {
                output.push(&delta.text, &delta.records, &mut events);
                sent.send_all(&mut events).await?;
            }
            Ok(Next::End(end)) => {
                output.finish(end.finish != FinishReason::Length, &mut events);
                sent.send_all(&mut events).await?;
                let is_cut = end.finish == FinishReason::Length;
                let kind = if is_cut { "response.incomplete" } else { "response.completed" };
                break (kind, ended(&echo, output.items(), end.finish, &end.stats));
            }
            Err(failure) => {
                let mut response = echo.response("failed", output.items());
                response["error"] = json!({"code": "server_error", "message": failure.message});
                break ("response.failed", response);
            }
        }
    };
    sent.send(Event { kind, data: json!({"response": response}) }).await
}

/// Sends events under consecutive numbers.
struct Numbered<'a> {
    out: &'a Sender,
    n_sent: usize,
}

impl Numbered<'_> {
    async fn send(&mut self, event: Event) -> Result<(), Failure> {
        let mut data = json!({"type": event.kind, "sequence_number": self.n_sent});
        self.n_sent += 1;
        for (name, value) in event.data.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        self.out.named(event.kind, data).await
    }

    async fn send_all(&mut self, events: &mut Vec<Event>) -> Result<(), Failure> {
        for event in events.drain(..) {
            self.send(event).await?;
        }
        Ok(())
    }
}
