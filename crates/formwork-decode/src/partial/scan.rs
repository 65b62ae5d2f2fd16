//! What does one more character do to the document? The state machine of [`PartialJson`].

use super::error::JsonFault;
use super::number::NumberPhase;
use super::string::{StringPhase, StringStep};
use super::{MAX_DEPTH, Node, NodeKind, PartialJson, State};

impl PartialJson {
    /// Reads `character`, which stands behind the text.
    pub(super) fn step(&mut self, character: char) -> Result<(), JsonFault> {
        match self.state {
            State::InString(phase) => self.step_string(phase.step(character)?),
            State::InKey(phase) => self.step_key(phase.step(character)?),
            State::InLiteral(word, n_read) => self.step_literal(word, n_read, character)?,
            State::InNumber(phase, start) => match phase.next(character) {
                Some(phase) => self.state = State::InNumber(phase, start),
                None => {
                    self.end_number();
                    self.step_between(character)?;
                }
            },
            _ => self.step_between(character)?,
        }
        Ok(())
    }

    /// Reads a character that is not within a lexeme.
    fn step_between(&mut self, character: char) -> Result<(), JsonFault> {
        match (self.state, character) {
            // A number that cannot end here has not ended.
            (State::InNumber(..), _) => return Err(JsonFault::Unexpected),
            (_, ' ' | '\t' | '\n' | '\r') => {}
            (State::FirstElement, ']') | (State::FirstKey, '}') => self.close(),
            (State::AfterValue, _) => self.step_after_value(character)?,
            (State::Value | State::FirstElement, _) => self.begin_value(character)?,
            (State::FirstKey | State::Key, '"') => {
                self.state = State::InKey(StringPhase::Plain);
            }
            (State::Colon, ':') => self.state = State::Value,
            _ => return Err(JsonFault::Unexpected),
        }
        Ok(())
    }

    fn step_after_value(&mut self, character: char) -> Result<(), JsonFault> {
        let innermost = self.open.last().map(|&node| &self.nodes[node].kind);
        match (innermost, character) {
            (Some(NodeKind::Array(_)), ',') => self.state = State::Value,
            (Some(NodeKind::Object(_)), ',') => self.state = State::Key,
            (Some(NodeKind::Array(_)), ']') | (Some(NodeKind::Object(_)), '}') => self.close(),
            _ => return Err(JsonFault::Unexpected),
        }
        Ok(())
    }

    fn begin_value(&mut self, character: char) -> Result<(), JsonFault> {
        match character {
            '[' => self.open(NodeKind::Array(Vec::new()), State::FirstElement)?,
            '{' => self.open(NodeKind::Object(Vec::new()), State::FirstKey)?,
            '"' => {
                self.add(NodeKind::String(String::new()), self.text.len());
                self.state = State::InString(StringPhase::Plain);
            }
            'n' => self.state = State::InLiteral("null", 1),
            't' => self.state = State::InLiteral("true", 1),
            'f' => self.state = State::InLiteral("false", 1),
            _ => {
                let phase = NumberPhase::first(character).ok_or(JsonFault::Unexpected)?;
                self.state = State::InNumber(phase, self.text.len());
            }
        }
        Ok(())
    }

    fn step_string(&mut self, step: StringStep) {
        match step {
            StringStep::Phase(phase) => self.state = State::InString(phase),
            StringStep::Character(character) => {
                // The string being read is the last value that was added.
                if let Some(Node { kind: NodeKind::String(text), .. }) = self.nodes.last_mut() {
                    text.push(character);
                }
                self.state = State::InString(StringPhase::Plain);
            }
            StringStep::End => self.complete(self.nodes.len() - 1, self.text.len() + 1),
        }
    }

    fn step_key(&mut self, step: StringStep) {
        self.state = match step {
            StringStep::Phase(phase) => State::InKey(phase),
            StringStep::Character(character) => {
                self.key.push(character);
                State::InKey(StringPhase::Plain)
            }
            StringStep::End => State::Colon,
        };
    }

    fn step_literal(&mut self, word: &'static str, n_read: usize, character: char) -> Result<(), JsonFault> {
        if !word[n_read..].starts_with(character) {
            return Err(JsonFault::Unexpected);
        }
        self.state = State::InLiteral(word, n_read + 1);
        if n_read + 1 == word.len() {
            let kind = if word == "null" { NodeKind::Null } else { NodeKind::Boolean(word == "true") };
            let node = self.add(kind, self.text.len() - n_read);
            self.complete(node, self.text.len() + 1);
        }
        Ok(())
    }

    /// Ends a number that may end where the text ends.
    pub(super) fn end_number(&mut self) {
        if let State::InNumber(phase, start) = self.state
            && phase.is_accepting()
        {
            let node = self.add(NodeKind::Number, start);
            self.complete(node, self.text.len());
        }
    }

    fn open(&mut self, kind: NodeKind, state: State) -> Result<(), JsonFault> {
        if self.open.len() == MAX_DEPTH {
            return Err(JsonFault::TooDeep);
        }
        let node = self.add(kind, self.text.len());
        self.open.push(node);
        self.state = state;
        Ok(())
    }

    fn close(&mut self) {
        if let Some(node) = self.open.pop() {
            self.complete(node, self.text.len() + 1);
        }
    }

    /// Shows a value, as the last of the innermost container.
    fn add(&mut self, kind: NodeKind, start: usize) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { kind, start, end: None });
        match self.open.last().map(|&parent| &mut self.nodes[parent].kind) {
            Some(NodeKind::Array(elements)) => elements.push(node),
            Some(NodeKind::Object(members)) => members.push((std::mem::take(&mut self.key), node)),
            _ => {}
        }
        node
    }

    fn complete(&mut self, node: usize, end: usize) {
        self.nodes[node].end = Some(end);
        self.state = if self.open.is_empty() { State::End } else { State::AfterValue };
    }
}
