//! What does an answer consist of? Plan, text and calls, taken out of the model's text, and the message that they make.

use formwork_decode::{FinishReason, RunStats, TokenRecord};
use formwork_tokenizers::Tokenizer;
use serde_json::{Value, json};

use crate::calls::{CallFormat, Piece};
use crate::pieces::PieceScanner;
use crate::thinking::Thinking;

/// Characters that a tool plan has at most. More text before a call is content. While an answer is streamed and calls are
/// possible, so much of its beginning is held back: it may be a plan or an answer.
const MAX_PLAN_CHARS: usize = 400;
/// What stands for a probability of zero, which JSON cannot write as a logarithm.
const LEAST: f64 = -9999.0;

/// A part of an answer, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What the model is about to do with tools. Comes whole, and before all but thought.
    Plan(String),
    Thought(String),
    Text(String),
    Call {
        id: String,
        name: String,
    },
    /// More of the arguments' JSON text.
    Arguments(String),
    EndOfCall,
}

/// Takes the model's text apart as it comes.
pub(super) struct Parts {
    scanner: PieceScanner,
    /// Text that may be a plan; `None` when nothing can be one any more.
    plan: Option<String>,
    n_calls: usize,
    /// Whether only calls, and white space between them, came since the last call.
    is_behind_call: bool,
}

impl Parts {
    /// `calls` is how calls stand in the text; without it there are none.
    pub(super) fn new(thinking: Thinking, calls: Option<CallFormat>) -> Parts {
        let plan = calls.is_some().then(String::new);
        Parts { scanner: PieceScanner::new(thinking, calls), plan, n_calls: 0, is_behind_call: false }
    }

    /// Adds text; what is certain goes to `out`.
    pub(super) fn push(&mut self, text: &str, out: &mut Vec<Part>) {
        self.scanner.push(text).into_iter().for_each(|piece| self.take(piece, out));
    }

    /// No more text comes.
    pub(super) fn finish(&mut self, out: &mut Vec<Part>) {
        self.scanner.finish().into_iter().for_each(|piece| self.take(piece, out));
        // No call came, so it was no plan.
        out.extend(self.plan.take().filter(|text| !text.is_empty()).map(Part::Text));
    }

    fn take(&mut self, piece: Piece, out: &mut Vec<Part>) {
        match piece {
            Piece::Thought(text) => out.push(Part::Thought(text)),
            Piece::Content(text) => self.take_text(&text, out),
            Piece::Call(name) => {
                let plan = self.plan.take().map(|plan| plan.trim().to_owned());
                out.extend(plan.filter(|plan| !plan.is_empty()).map(Part::Plan));
                self.n_calls += 1;
                self.is_behind_call = true;
                out.push(Part::Call { id: crate::ids::new(&format!("{name}_")), name });
            }
            Piece::Arguments(text) => out.push(Part::Arguments(text)),
            Piece::EndOfCall => out.push(Part::EndOfCall),
        }
    }

    fn take_text(&mut self, text: &str, out: &mut Vec<Part>) {
        if let Some(plan) = &mut self.plan {
            plan.push_str(text);
            if plan.chars().count() > MAX_PLAN_CHARS {
                out.extend(self.plan.take().map(Part::Text));
            }
            return;
        }
        let text = if self.is_behind_call { text.trim_start() } else { text };
        if !text.is_empty() {
            self.is_behind_call = false;
            out.push(Part::Text(text.to_owned()));
        }
    }

    pub(super) fn finish_reason(&self, finish: FinishReason) -> &'static str {
        match finish {
            FinishReason::Length => "MAX_TOKENS",
            FinishReason::StopString { .. } => "STOP_SEQUENCE",
            _ if self.n_calls > 0 => "TOOL_CALL",
            _ => "COMPLETE",
        }
    }
}

/// The message of an answer that is complete.
pub(super) fn message(parts: Vec<Part>) -> Value {
    let (mut thought, mut text, mut plan) = (String::new(), String::new(), None);
    let mut calls = Vec::<(String, String, String)>::new();
    for part in parts {
        match (part, calls.last_mut()) {
            (Part::Plan(whole), _) => plan = Some(whole),
            (Part::Thought(more), _) => thought.push_str(&more),
            (Part::Text(more), _) => text.push_str(&more),
            (Part::Call { id, name }, _) => calls.push((id, name, String::new())),
            (Part::Arguments(more), Some((_, _, arguments))) => arguments.push_str(&more),
            (Part::Arguments(_) | Part::EndOfCall, _) => {}
        }
    }
    let mut message = json!({"role": "assistant"});
    let mut content = Vec::new();
    if !thought.is_empty() {
        content.push(json!({"type": "thinking", "thinking": thought}));
    }
    if calls.is_empty() && thought.is_empty() || !text.is_empty() {
        content.push(json!({"type": "text", "text": text}));
    }
    if !content.is_empty() {
        message["content"] = content.into();
    }
    if let Some(plan) = plan {
        message["tool_plan"] = plan.into();
    }
    if !calls.is_empty() {
        let call = |(id, name, arguments): (String, String, String)| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        message["tool_calls"] = calls.into_iter().map(call).collect();
    }
    message
}

/// `usage` of an answer.
pub(super) fn usage(stats: &RunStats) -> Value {
    let tokens = json!({"input_tokens": stats.prompt_tokens, "output_tokens": stats.tokens});
    json!({"billed_units": tokens, "tokens": tokens, "cached_tokens": stats.cached_prompt_tokens})
}

/// Log probabilities of some tokens, which are one chunk of text.
pub(super) fn logprobs(tokenizer: &Tokenizer, records: &[TokenRecord]) -> Value {
    let bytes = records.iter().flat_map(|record| tokenizer.token_bytes(record.token).unwrap_or_default());
    let bytes: Vec<u8> = bytes.copied().collect();
    json!({
        "text": String::from_utf8_lossy(&bytes),
        "token_ids": records.iter().map(|record| record.token.get()).collect::<Vec<_>>(),
        "logprobs": records.iter().map(|record| record.log_probability.max(LEAST)).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message of `text`, which comes in parts of every length and must be the same each time.
    fn read(text: &str) -> Value {
        let format =
            CallFormat { begins: vec!["<call>".to_owned()], end: "</call>".to_owned(), arguments_key: "arguments" };
        let chars: Vec<char> = text.chars().collect();
        let mut messages = (1..=chars.len()).map(|size| {
            let (mut parts, mut out) = (Parts::new(Thinking::Possible, Some(format.clone())), Vec::new());
            chars.chunks(size).for_each(|chunk| parts.push(&chunk.iter().collect::<String>(), &mut out));
            parts.finish(&mut out);
            let mut message = message(out);
            for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
                let id = call["id"].take();
                assert!(id.as_str().unwrap().starts_with(call["function"]["name"].as_str().unwrap()), "{id}");
            }
            message
        });
        let first = messages.next().unwrap();
        messages.for_each(|other| assert_eq!(other, first));
        first
    }

    fn call(name: &str) -> Value {
        json!({"id": null, "type": "function", "function": {"name": name, "arguments": "{\"a\": 1}"}})
    }

    #[test]
    fn text_before_calls_is_the_plan() {
        let one = |name: &str| format!("<call>{{\"name\": \"{name}\", \"arguments\": {{\"a\": 1}}}}</call>");
        let text = format!("I ask f.\n{}\n{}", one("f"), one("g"));
        let mut expected = json!({"role": "assistant", "tool_plan": "I ask f.", "tool_calls": [call("f"), call("g")]});
        assert_eq!(read(&text), expected);
        expected["content"] = json!([{"type": "thinking", "thinking": "Hm."}]);
        assert_eq!(read(&format!("<think>Hm.</think>\n{text}")), expected);
        let content = json!([{"type": "text", "text": "Done. So."}]);
        let expected = json!({"role": "assistant", "content": content, "tool_calls": [call("f")]});
        assert_eq!(read(&format!("{} Done. So.", one("f"))), expected);
    }

    #[test]
    fn text_without_calls_and_long_text_is_content() {
        let content = |text: &str| json!([{"type": "text", "text": text}]);
        assert_eq!(read("Hello <call"), json!({"role": "assistant", "content": content("Hello <call")}));
        let long = "words ".repeat(MAX_PLAN_CHARS / 6 + 1);
        let text = format!("{long}<call>{{\"name\": \"f\", \"arguments\": {{\"a\": 1}}}}</call>");
        let expected = json!({"role": "assistant", "content": content(&long), "tool_calls": [call("f")]});
        assert_eq!(read(&text), expected);
    }
}
