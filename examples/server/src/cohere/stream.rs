//! How does an answer go out while it is written? As events of Cohere's stream.

use std::sync::Arc;

use axum::http::StatusCode;
use formwork_decode::TokenRecord;
use serde_json::{Value, json};

use super::answer::{Part, logprobs, usage};
use super::chat::Writing;
use crate::failure::Failure;
use crate::service::{Next, Service};
use crate::sse::Sender;

/// Sends all events of one answer. What fails in the middle ends the message.
pub(super) async fn write_stream(service: Arc<Service>, mut writing: Writing, out: Sender) -> Result<(), Failure> {
    let mut events =
        Events { out: &out, service: &service, n_blocks: 0, n_calls: 0, open: Open::None, records: Vec::new() };
    let id = json!({"id": writing.id});
    events.send("message-start", id, json!({"message": {"role": "assistant"}})).await?;
    let mut parts = Vec::new();
    let delta = loop {
        match writing.answer.next().await {
            Ok(Next::Delta(delta)) => {
                writing.parts.push(&delta.text, &mut parts);
                events.records.extend(delta.records);
                events.parts(&mut parts).await?;
            }
            Ok(Next::End(end)) => {
                writing.parts.finish(&mut parts);
                events.parts(&mut parts).await?;
                let finish_reason = writing.parts.finish_reason(end.finish);
                break json!({"finish_reason": finish_reason, "usage": usage(&end.stats)});
            }
            Err(failure) => {
                let finish_reason = if failure.status == StatusCode::GATEWAY_TIMEOUT { "TIMEOUT" } else { "ERROR" };
                break json!({"error": failure.message, "finish_reason": finish_reason});
            }
        }
    };
    events.close().await?;
    let mut end = json!({"id": writing.id});
    if let Some(meta) = writing.meta() {
        end["meta"] = meta;
    }
    events.send("message-end", end, delta).await?;
    out.done().await
}

/// What was begun and must be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    None,
    /// A content block, whose type is also the name of its text.
    Block(&'static str),
    Call,
}

struct Events<'a> {
    out: &'a Sender,
    service: &'a Service,
    n_blocks: usize,
    n_calls: usize,
    open: Open,
    /// Tokens whose log probabilities were not sent; empty where none are asked for.
    records: Vec<TokenRecord>,
}

impl Events<'_> {
    async fn parts(&mut self, parts: &mut Vec<Part>) -> Result<(), Failure> {
        for part in parts.drain(..) {
            self.part(part).await?;
        }
        Ok(())
    }

    async fn part(&mut self, part: Part) -> Result<(), Failure> {
        match part {
            Part::Plan(plan) => self.send("tool-plan-delta", json!({}), json!({"message": {"tool_plan": plan}})).await,
            Part::Thought(text) => self.text("thinking", &text).await,
            Part::Text(text) => self.text("text", &text).await,
            Part::Call { id, name } => {
                self.close().await?;
                let call = json!({"id": id, "type": "function", "function": {"name": name, "arguments": ""}});
                let index = json!({"index": self.n_calls});
                self.send("tool-call-start", index, json!({"message": {"tool_calls": call}})).await?;
                (self.open, self.n_calls) = (Open::Call, self.n_calls + 1);
                Ok(())
            }
            Part::Arguments(text) => {
                let delta = json!({"message": {"tool_calls": {"function": {"arguments": text}}}});
                self.send("tool-call-delta", json!({"index": self.n_calls.saturating_sub(1)}), delta).await
            }
            Part::EndOfCall => self.close().await,
        }
    }

    /// More text of the block of this type, which is begun where it is not open.
    async fn text(&mut self, kind: &'static str, text: &str) -> Result<(), Failure> {
        if self.open != Open::Block(kind) {
            self.close().await?;
            let content = json!({"type": kind, kind: ""});
            let index = json!({"index": self.n_blocks});
            self.send("content-start", index, json!({"message": {"content": content}})).await?;
            (self.open, self.n_blocks) = (Open::Block(kind), self.n_blocks + 1);
        }
        self.delta(kind, text).await
    }

    /// More text of the open block, with the log probabilities of all tokens so far.
    async fn delta(&mut self, kind: &'static str, text: &str) -> Result<(), Failure> {
        let mut head = json!({"index": self.n_blocks.saturating_sub(1)});
        if !self.records.is_empty() {
            head["logprobs"] = logprobs(&self.service.tokenizer, &std::mem::take(&mut self.records));
        }
        self.send("content-delta", head, json!({"message": {"content": {kind: text}}})).await
    }

    /// Ends what is open.
    async fn close(&mut self) -> Result<(), Failure> {
        if let Open::Block(kind) = self.open
            && !self.records.is_empty()
        {
            self.delta(kind, "").await?;
        }
        match std::mem::replace(&mut self.open, Open::None) {
            Open::None => Ok(()),
            Open::Block(_) => self.end("content-end", self.n_blocks).await,
            Open::Call => self.end("tool-call-end", self.n_calls).await,
        }
    }

    async fn end(&self, kind: &str, n: usize) -> Result<(), Failure> {
        self.out.named(kind, json!({"type": kind, "index": n.saturating_sub(1)})).await
    }

    /// One event: its type, the fields of `head`, and the delta.
    async fn send(&self, kind: &str, head: Value, delta: Value) -> Result<(), Failure> {
        let mut event = json!({"type": kind});
        for (name, value) in head.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        event["delta"] = delta;
        self.out.named(kind, event).await
    }
}
