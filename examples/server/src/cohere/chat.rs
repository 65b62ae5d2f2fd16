//! `/v2/chat`: a request in, a message out, whole or as it is written.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use formwork_decode::GenerationConfig;
use serde_json::{Value, json};

use super::answer::{Parts, logprobs, message, usage};
use super::grammar::constraint;
use super::limits::Limits;
use super::messages::messages;
use super::request::ChatRequest;
use super::stream::write_stream;
use crate::failure::{Dialect, Failure};
use crate::service::{Answer, Service};
use crate::sse::stream;

/// An answer that is being written.
pub(super) struct Writing {
    pub(super) id: String,
    pub(super) answer: Answer,
    pub(super) parts: Parts,
    has_logprobs: bool,
    warnings: Vec<String>,
}

impl Writing {
    /// `meta`, in which the API has warnings; `None` without any.
    pub(super) fn meta(&self) -> Option<Value> {
        (!self.warnings.is_empty()).then(|| json!({"api_version": {"version": "2"}, "warnings": self.warnings}))
    }
}

/// Answers a chat request.
pub(crate) async fn chat(service: Arc<Service>, body: Bytes) -> Result<Response, Failure> {
    let arrival = Instant::now();
    let request = ChatRequest::read(&body)?;
    drop(body);
    let permit = service.admit(1)?.pop().ok_or_else(Failure::overloaded)?;
    let mut limits = Limits::new(service.options.cohere_full);
    let messages = messages(&request.messages, &request.documents)?;
    let (prompt, thinking) = service.prompt(&messages, request.tools.as_ref().map(|tools| &tools.for_template))?;
    let constraint = constraint(&service, thinking, &request, &mut limits).await?;
    let config = GenerationConfig { max_tokens: service.max_tokens(request.max_tokens), ..request.config };
    let has_logprobs = config.record_top.is_some();
    let writing = Writing {
        id: crate::ids::new(""),
        answer: service.submit(prompt, constraint.grammar, config, arrival, permit)?,
        parts: Parts::new(thinking, constraint.calls),
        has_logprobs,
        warnings: limits.warnings,
    };
    match request.is_stream {
        true => Ok(stream(Dialect::Cohere, move |out| write_stream(service, writing, out))),
        false => whole(&service, writing).await,
    }
}

async fn whole(service: &Service, writing: Writing) -> Result<Response, Failure> {
    let meta = writing.meta();
    let Writing { id, answer, mut parts, has_logprobs, .. } = writing;
    let (text, end) = answer.whole().await?;
    let mut found = Vec::new();
    parts.push(&text.text, &mut found);
    parts.finish(&mut found);
    let mut body = json!({
        "id": id,
        "finish_reason": parts.finish_reason(end.finish),
        "message": message(found),
        "usage": usage(&end.stats),
    });
    if has_logprobs {
        let tokens = text.records.chunks(1).map(|record| logprobs(&service.tokenizer, record));
        body["logprobs"] = tokens.collect();
    }
    if let Some(meta) = meta {
        body["meta"] = meta;
    }
    Ok(axum::Json(body).into_response())
}
