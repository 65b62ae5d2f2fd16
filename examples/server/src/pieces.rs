//! What does an answer's text consist of? Thought, content and calls, told apart as the text comes.

use crate::calls::{CallFormat, CallScanner, Piece};
use crate::thinking::{Split, Thinking, ThoughtSplitter};

/// Takes an answer's text apart.
#[derive(Clone, Debug)]
pub(crate) struct PieceScanner {
    splitter: ThoughtSplitter,
    /// `None` where no tools are called.
    calls: Option<CallScanner>,
}

impl PieceScanner {
    pub(crate) fn new(thinking: Thinking, calls: Option<CallFormat>) -> PieceScanner {
        PieceScanner { splitter: thinking.splitter(), calls: calls.map(CallScanner::new) }
    }

    /// The pieces that are certain with more text.
    pub(crate) fn push(&mut self, text: &str) -> Vec<Piece> {
        let split = self.splitter.push(text);
        self.pieces(split)
    }

    /// The last pieces: no more text comes.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let split = self.splitter.finish();
        let mut pieces = self.pieces(split);
        if let Some(calls) = &mut self.calls {
            calls.finish(&mut pieces);
        }
        pieces
    }

    fn pieces(&mut self, split: Split) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if !split.thought.is_empty() {
            pieces.push(Piece::Thought(split.thought));
        }
        match &mut self.calls {
            Some(calls) => calls.push(&split.answer, &mut pieces),
            None if split.answer.is_empty() => {}
            None => pieces.push(Piece::Content(split.answer)),
        }
        pieces
    }
}
