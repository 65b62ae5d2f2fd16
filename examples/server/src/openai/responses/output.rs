//! Which items does an answer consist of? Messages and calls, built as the text comes, with an event for each step.

use std::sync::Arc;

use formwork_decode::TokenRecord;
use formwork_tokenizers::Tokenizer;
use serde_json::{Value, json};

use crate::calls::Piece;
use crate::openai::constraint::{CallTools, input_of};
use crate::openai::logprobs;
use crate::pieces::PieceScanner;
use crate::thinking::Thinking;

/// One event of a stream, without its number.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) data: Value,
}

/// The items so far.
pub(super) struct Output {
    scanner: PieceScanner,
    tools: Option<Arc<CallTools>>,
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
    Reasoning,
    Message,
    Function,
    /// Its text is the JSON text of the arguments; the input is known when they are whole.
    Custom,
}

impl Output {
    pub(super) fn new(thinking: Thinking, tools: Option<Arc<CallTools>>, tokenizer: Option<Tokenizer>) -> Output {
        let format = tools.as_ref().map(|tools| tools.format.clone());
        let scanner = PieceScanner::new(thinking, format);
        Output { scanner, tools, tokenizer, untold: Vec::new(), items: Vec::new(), open: None }
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
        self.scanner.push(text).into_iter().for_each(|piece| self.take(piece, events));
    }

    /// No more text comes. An answer without any is an empty message.
    pub(super) fn finish(&mut self, is_complete: bool, events: &mut Vec<Event>) {
        self.scanner.finish().into_iter().for_each(|piece| self.take(piece, events));
        if self.items.is_empty() && self.open.is_none() {
            self.open_text(Kind::Message, events);
        }
        self.close(is_complete, events);
    }

    fn take(&mut self, piece: Piece, events: &mut Vec<Event>) {
        match piece {
            Piece::Thought(text) => self.add_text(Kind::Reasoning, &text, events),
            // White space between calls is no message.
            Piece::Content(text) if self.open.is_none() && !self.items.is_empty() && text.trim().is_empty() => {}
            Piece::Content(text) => self.add_text(Kind::Message, &text, events),
            Piece::Call(name) => {
                self.close(true, events);
                self.open_call(&name, events);
            }
            Piece::Arguments(text) => self.add(&text, events),
            Piece::EndOfCall => self.close(true, events),
        }
    }

    fn add_text(&mut self, kind: Kind, text: &str, events: &mut Vec<Event>) {
        if self.open.as_ref().is_none_or(|open| open.kind != kind) {
            self.close(true, events);
            self.open_text(kind, events);
        }
        self.add(text, events);
    }

    fn open_text(&mut self, kind: Kind, events: &mut Vec<Event>) {
        let item = match kind {
            Kind::Reasoning => {
                let id = crate::ids::new("rs_");
                json!({"id": id, "type": "reasoning", "status": "in_progress", "summary": [], "content": []})
            }
            _ => {
                let id = crate::ids::new("msg_");
                json!({"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []})
            }
        };
        let part = json!({"item_id": item["id"], "content_index": 0, "part": text_part(kind, "", &[])});
        self.begin(item, kind, events);
        events.push(self.event("response.content_part.added", part));
    }

    fn open_call(&mut self, name: &str, events: &mut Vec<Event>) {
        let call_id = crate::ids::new("call_");
        let is_custom = self.tools.as_ref().is_some_and(|tools| tools.is_custom(name));
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
            Kind::Reasoning => {
                data["content_index"] = 0.into();
                // They belong to no text that can show them.
                self.untold.clear();
                "response.reasoning_text.delta"
            }
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
            Kind::Reasoning | Kind::Message => {
                let mut done = json!({"item_id": id, "content_index": 0, "text": text});
                if kind == Kind::Message {
                    logprobs.append(&mut self.untold);
                    done["logprobs"] = logprobs.as_slice().into();
                    events.push(self.event("response.output_text.done", done));
                } else {
                    events.push(self.event("response.reasoning_text.done", done));
                }
                let part = text_part(kind, &text, &logprobs);
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

/// The content of a message or of reasoning.
fn text_part(kind: Kind, text: &str, logprobs: &[Value]) -> Value {
    match kind {
        Kind::Reasoning => json!({"type": "reasoning_text", "text": text}),
        _ => json!({"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items of `text`, and kinds of events with equal neighbours once. Both are the same however the text is cut.
    fn read(text: &str, is_complete: bool) -> (Vec<Value>, Vec<&'static str>) {
        let chars: Vec<char> = text.chars().collect();
        let mut results = (1..=chars.len()).map(|size| {
            let mut output = Output::new(Thinking::Possible, None, None);
            let mut events = Vec::new();
            chars.chunks(size).for_each(|part| output.push(&part.iter().collect::<String>(), &[], &mut events));
            output.finish(is_complete, &mut events);
            let mut kinds: Vec<&str> = events.iter().map(|event| event.kind).collect();
            kinds.dedup();
            let mut items = output.items().to_vec();
            for (index, item) in items.iter_mut().enumerate() {
                let id = item["id"].take();
                let is_of_item = |event: &&Event| event.data["output_index"] == index;
                let mut ids = events.iter().filter(is_of_item).filter_map(|event| event.data.get("item_id"));
                assert!(ids.all(|other| *other == id), "{events:?}");
            }
            (items, kinds)
        });
        let first = results.next().unwrap();
        results.for_each(|other| assert_eq!(other, first));
        first
    }

    #[test]
    fn thought_is_an_item_before_the_message() {
        let (items, kinds) = read("<think>Hm.</think>\nYes.", true);
        let reasoning = json!({
            "id": null, "type": "reasoning", "status": "completed", "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
        });
        let content = json!([{"type": "output_text", "text": "Yes.", "annotations": [], "logprobs": []}]);
        let message =
            json!({"id": null, "type": "message", "status": "completed", "role": "assistant", "content": content});
        assert_eq!(items, [reasoning, message]);
        let steps = |delta, done| {
            let added = ["response.output_item.added", "response.content_part.added"];
            [&added[..], &[delta, done, "response.content_part.done", "response.output_item.done"]].concat()
        };
        let of_thought = steps("response.reasoning_text.delta", "response.reasoning_text.done");
        let of_text = steps("response.output_text.delta", "response.output_text.done");
        assert_eq!(kinds, [of_thought, of_text].concat());
    }

    #[test]
    fn thought_that_is_cut_off_is_incomplete() {
        let (items, _) = read("<think>Hm", false);
        assert_eq!((items.len(), &items[0]["status"]), (1, &json!("incomplete")));
    }
}
