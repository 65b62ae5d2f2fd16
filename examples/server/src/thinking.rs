//! Which part of an answer is thought? Models that reason write it before a marker, free of any grammar.

use formwork::{Grammar, Structure};

const BEGIN: &str = "<think>";
const END: &str = "</think>";

/// Whether an answer begins with thought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// The model does not.
    #[default]
    Never,
    /// The prompt has begun it.
    Begun,
    /// The model may begin it.
    Possible,
}

impl Thinking {
    /// Told by the template's text and the end of the prompt.
    pub(crate) fn of_prompt(template: &str, prompt: &str) -> Thinking {
        if !template.contains(END) {
            Thinking::Never
        } else if prompt.trim_end().ends_with(BEGIN) {
            Thinking::Begun
        } else if prompt.trim_end().ends_with(END) {
            // The template has thought for the model.
            Thinking::Never
        } else {
            Thinking::Possible
        }
    }

    /// The answer's grammar behind the thought.
    pub(crate) fn before(self, grammar: Grammar) -> Grammar {
        let lines = Structure::choice([Structure::text("\n\n"), Structure::text("\n"), Structure::sequence([])]);
        let thought = Structure::sequence([Structure::free([END]), Structure::text(END), lines]);
        match self {
            Thinking::Never => grammar,
            Thinking::Begun => Grammar::structure(Structure::sequence([thought, grammar.into()])),
            Thinking::Possible => {
                let thought = Structure::sequence([Structure::text(BEGIN), thought]);
                Grammar::structure(Structure::sequence([thought.optional(), grammar.into()]))
            }
        }
    }

    /// What takes the thought out of text that comes in pieces.
    pub(crate) fn splitter(self) -> ThoughtSplitter {
        let state = match self {
            Thinking::Never => State::Answer,
            Thinking::Begun => State::Thought,
            Thinking::Possible => State::Start,
        };
        ThoughtSplitter { state, held: String::new() }
    }
}

/// Thought and answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) thought: String,
    pub(crate) answer: String,
}

/// Takes thought out of text that comes in pieces.
#[derive(Clone, Debug)]
pub(crate) struct ThoughtSplitter {
    state: State,
    /// What may belong to a marker.
    held: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Thought,
    /// Behind the marker, where lines may be left out.
    Behind,
    Answer,
}

impl ThoughtSplitter {
    pub(crate) fn push(&mut self, text: &str) -> Split {
        let mut split = Split::default();
        self.held.push_str(text);
        loop {
            match self.state {
                State::Start if self.held.starts_with(BEGIN) => {
                    self.held.drain(..BEGIN.len());
                    self.state = State::Thought;
                }
                State::Start if BEGIN.starts_with(self.held.as_str()) => return split,
                State::Start => self.state = State::Answer,
                State::Thought => match self.held.find(END) {
                    Some(at) => {
                        split.thought.push_str(&self.held[..at]);
                        self.held.drain(..at + END.len());
                        self.state = State::Behind;
                    }
                    None => {
                        let n_held = (1..END.len()).rev().find(|n| self.held.ends_with(&END[..*n])).unwrap_or(0);
                        let n_certain = self.held.len() - n_held;
                        split.thought.extend(self.held.drain(..n_certain));
                        return split;
                    }
                },
                State::Behind => {
                    let n_lines = self.held.len() - self.held.trim_start_matches('\n').len();
                    self.held.drain(..n_lines);
                    if self.held.is_empty() {
                        return split;
                    }
                    self.state = State::Answer;
                }
                State::Answer => {
                    split.answer.push_str(&std::mem::take(&mut self.held));
                    return split;
                }
            }
        }
    }

    /// No more text comes.
    pub(crate) fn finish(&mut self) -> Split {
        let rest = std::mem::take(&mut self.held);
        match self.state {
            State::Thought => Split { thought: rest, answer: String::new() },
            _ => Split { thought: String::new(), answer: rest },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(thinking: Thinking, text: &str) -> (String, String) {
        let chars: Vec<char> = text.chars().collect();
        let mut results = (1..=chars.len()).map(|size| {
            let mut splitter = thinking.splitter();
            let mut whole = Split::default();
            let parts = chars.chunks(size).map(|part| part.iter().collect::<String>());
            let splits: Vec<Split> = parts.map(|part| splitter.push(&part)).collect();
            for part in splits.into_iter().chain([splitter.finish()]) {
                whole.thought.push_str(&part.thought);
                whole.answer.push_str(&part.answer);
            }
            (whole.thought, whole.answer)
        });
        let first = results.next().unwrap();
        results.for_each(|other| assert_eq!(other, first));
        first
    }

    fn pair(thought: &str, answer: &str) -> (String, String) {
        (thought.to_owned(), answer.to_owned())
    }

    #[test]
    fn thought_is_told_from_the_answer() {
        assert_eq!(split(Thinking::Begun, "a </thin b</think>\n\n{\"x\": 1}\n"), pair("a </thin b", "{\"x\": 1}\n"));
        assert_eq!(split(Thinking::Possible, "<think>a</think>b"), pair("a", "b"));
        assert_eq!(split(Thinking::Possible, "<thing> b"), pair("", "<thing> b"));
        assert_eq!(split(Thinking::Possible, "<thi"), pair("", "<thi"));
        assert_eq!(split(Thinking::Never, "<think>a</think>"), pair("", "<think>a</think>"));
        assert_eq!(split(Thinking::Begun, "never done </th"), pair("never done </th", ""));
    }

    #[test]
    fn templates_tell_who_thinks() {
        let template = "... <think> ... </think> ...";
        assert_eq!(Thinking::of_prompt(template, "<|assistant|><think>\n"), Thinking::Begun);
        assert_eq!(Thinking::of_prompt(template, "<|assistant|><think>\n\n</think>\n\n"), Thinking::Never);
        assert_eq!(Thinking::of_prompt(template, "<|assistant|>"), Thinking::Possible);
        assert_eq!(Thinking::of_prompt("...", "<|assistant|><think>"), Thinking::Never);
    }
}
