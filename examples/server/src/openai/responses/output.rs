//! Which items does an answer consist of? Messages and calls, built as the text comes, with an event for each step.

use std::sync::Arc;

use formwork_decode::TokenRecord;
use formwork_tokenizers::Tokenizer;
use serde_json::{Value, json};

use crate::calls::{CallScanner, Piece};
use crate::openai::constraint::{CallTools, input_of};
use crate::openai::logprobs;

/// One event of a stream, without its number.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) data: Value,
}

/// The items so far.
pub(super) struct Output {
    tools: Option<(Arc<CallTools>, CallScanner)>,
    /// Where log probabilities are asked for.
    tokenizer: Option<Tokenizer>,
    /// Log probabilities that no event has told yet.
    untold: Vec<Value>,
    /// Items that are done.
    items: Vec<Value>,
    open: Option<Open>,
}

/// The item that is being written, as it will be when it is done, but for its text.
struct Open {
    item: Value,
    kind: Kind,
    text: String,
    logprobs: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Function,
    /// Its text is the JSON text of the arguments; the input is known when they are whole.
    Custom,
}

impl Output {
    pub(super) fn new(tools: Option<Arc<CallTools>>, tokenizer: Option<Tokenizer>) -> Output {
        let tools = tools.map(|tools| {
            let scanner = CallScanner::new(tools.format.clone());
            (tools, scanner)
        });
        Output { tools, tokenizer, untold: Vec::new(), items: Vec::new(), open: None }
    }

    pub(super) fn items(&self) -> &[Value] {
        &self.items
    }

    /// Adds text and the tokens that it came with.
    pub(super) fn push(&mut self, text: &str, records: &[TokenRecord], events: &mut Vec<Event>) {
        if let Some(tokenizer) = &self.tokenizer
            && let Value::Array(entries) = logprobs::content(tokenizer, records)["content"].take()
        {
            self.untold.extend(entries);
        }
        let mut pieces = Vec::new();
        match &mut self.tools {
            Some((_, scanner)) => scanner.push(text, &mut pieces),
            None if text.is_empty() => {}
            None => pieces.push(Piece::Content(text.to_owned())),
        }
        pieces.into_iter().for_each(|piece| self.take(piece, events));
    }

    /// No more text comes. An answer without any is an empty message.
    pub(super) fn finish(&mut self, is_complete: bool, events: &mut Vec<Event>) {
        let mut pieces = Vec::new();
        if let Some((_, scanner)) = &mut self.tools {
            scanner.finish(&mut pieces);
        }
        pieces.into_iter().for_each(|piece| self.take(piece, events));
        if self.items.is_empty() && self.open.is_none() {
            self.open_message(events);
        }
        self.close(is_complete, events);
    }

    fn take(&mut self, piece: Piece, events: &mut Vec<Event>) {
        match piece {
            Piece::Content(text) => {
                let is_open = self.open.as_ref().is_some_and(|open| open.kind == Kind::Message);
                if !is_open {
                    // White space between calls is no message.
                    if text.trim().is_empty() && !self.items.is_empty() {
                        return;
                    }
                    self.close(true, events);
                    self.open_message(events);
                }
                self.add(&text, events);
            }
            Piece::Call(name) => {
                self.close(true, events);
                self.open_call(&name, events);
            }
            Piece::Arguments(text) => self.add(&text, events),
            Piece::EndOfCall => self.close(true, events),
        }
    }

    fn open_message(&mut self, events: &mut Vec<Event>) {
        let id = crate::ids::new("msg_");
        let item = json!({"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []});
        self.begin(item, Kind::Message, events);
        let part = json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
        events
            .push(self.event("response.content_part.added", json!({"item_id": id, "content_index": 0, "part": part})));
    }

    fn open_call(&mut self, name: &str, events: &mut Vec<Event>) {
        let call_id = crate::ids::new("call_");
        let is_custom = self.tools.as_ref().is_some_and(|(tools, _)| tools.is_custom(name));
        let (kind, item) = match is_custom {
            true => (
                Kind::Custom,
                json!({
                    "id": crate::ids::new("ctc_"), "type": "custom_tool_call", "status": "in_progress",
                    "call_id": call_id, "name": name, "input": "",
                }),
            ),
            false => (
                Kind::Function,
                json!({
                    "id": crate::ids::new("fc_"), "type": "function_call", "status": "in_progress",
                    "call_id": call_id, "name": name, "arguments": "",
                }),
            ),
        };
        self.begin(item, kind, events);
    }

    fn begin(&mut self, item: Value, kind: Kind, events: &mut Vec<Event>) {
        events.push(self.event("response.output_item.added", json!({"item": item})));
        self.open = Some(Open { item, kind, text: String::new(), logprobs: Vec::new() });
    }

    /// More text of the open item.
    fn add(&mut self, text: &str, events: &mut Vec<Event>) {
        let n_items = self.items.len();
        let Some(open) = &mut self.open else { return };
        open.text.push_str(text);
        let mut data = json!({"item_id": open.item["id"], "output_index": n_items, "delta": text});
        let kind = match open.kind {
            Kind::Message => {
                data["content_index"] = 0.into();
                data["logprobs"] = self.untold.as_slice().into();
                open.logprobs.append(&mut self.untold);
                "response.output_text.delta"
            }
            Kind::Function => "response.function_call_arguments.delta",
            Kind::Custom => return,
        };
        events.push(Event { kind, data });
    }

    /// Ends the open item, if there is one.
    fn close(&mut self, is_complete: bool, events: &mut Vec<Event>) {
        let Some(Open { mut item, kind, text, mut logprobs }) = self.open.take() else { return };
        item["status"] = if is_complete { "completed" } else { "incomplete" }.into();
        let id = item["id"].clone();
        match kind {
            Kind::Message => {
                logprobs.append(&mut self.untold);
                let done = json!({"item_id": id, "content_index": 0, "text": text, "logprobs": logprobs});
                events.push(self.event("response.output_text.done", done));
                let part = json!({"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs});
                item["content"] = json!([part]);
                let done = json!({"item_id": id, "content_index": 0, "part": part});
                events.push(self.event("response.content_part.done", done));
            }
            Kind::Function => {
                let done = json!({"item_id": id, "name": item["name"], "arguments": text});
                events.push(self.event("response.function_call_arguments.done", done));
                item["arguments"] = text.into();
            }
            Kind::Custom => {
                let input = input_of(&text);
                let delta = json!({"item_id": id, "delta": input});
                events.push(self.event("response.custom_tool_call_input.delta", delta));
                let done = json!({"item_id": id, "input": input});
                events.push(self.event("response.custom_tool_call_input.done", done));
                item["input"] = input.into();
            }
        }
        events.push(self.event("response.output_item.done", json!({"item": item})));
        self.items.push(item);
    }

    /// An event of the item that is, or will be, the next one done.
    fn event(&self, kind: &'static str, mut data: Value) -> Event {
        data["output_index"] = self.items.len().into();
        Event { kind, data }
    }
}
