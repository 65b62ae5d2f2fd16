//! Where in a text are the calls of tools? Text comes in pieces, and goes out as content, names and arguments.

/// How a family of models writes calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallFormat {
    /// What a call begins with, any one of these; the call's object begins inside or behind it.
    pub(crate) begins: Vec<String>,
    /// What stands behind a call's object.
    pub(crate) end: String,
    /// The key of a call's arguments.
    pub(crate) arguments_key: &'static str,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// What the model thinks before it answers.
    Thought(String),
    /// Text outside of calls.
    Content(String),
    /// A call of this tool begins.
    Call(String),
    /// More of its arguments' JSON text.
    Arguments(String),
    /// The call is complete.
    EndOfCall,
}

/// Finds calls in text that comes in pieces. The text is what a grammar of calls allows; anything else is content.
#[derive(Clone, Debug)]
pub(crate) struct CallScanner {
    format: CallFormat,
    state: State,
    /// What may be the beginning of a call, or is behind one.
    held: String,
}

#[derive(Clone, Debug)]
enum State {
    Content,
    Call(ObjectScanner),
    /// Behind a call, where its end marker and separators are passed over.
    Behind,
}

impl CallScanner {
    pub(crate) fn new(format: CallFormat) -> CallScanner {
        CallScanner { format, state: State::Content, held: String::new() }
    }

    /// Adds text and appends what is certain to `pieces`.
    pub(crate) fn push(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        for char in text.chars() {
            self.step(char, pieces);
        }
        if matches!(self.state, State::Content) {
            self.release(pieces);
        }
    }

    /// No more text comes: what was held back is content.
    pub(crate) fn finish(&mut self, pieces: &mut Vec<Piece>) {
        if matches!(self.state, State::Content) && !self.held.is_empty() {
            pieces.push(Piece::Content(std::mem::take(&mut self.held)));
        }
    }

    fn step(&mut self, char: char, pieces: &mut Vec<Piece>) {
        match &mut self.state {
            State::Content => {
                self.held.push(char);
                if let Some(begin) = self.format.begins.iter().find(|begin| self.held.ends_with(begin.as_str())) {
                    let begin = self.held.split_off(self.held.len() - begin.len());
                    self.flush(pieces);
                    self.begin_call(&begin, pieces);
                }
            }
            State::Call(scanner) => {
                if scanner.step(char, self.format.arguments_key, pieces) {
                    pieces.push(Piece::EndOfCall);
                    self.state = State::Behind;
                    self.held.clear();
                }
            }
            State::Behind => self.step_behind(char, pieces),
        }
    }

    /// The marker may hold the beginning of the object.
    fn begin_call(&mut self, begin: &str, pieces: &mut Vec<Piece>) {
        let mut scanner = ObjectScanner::default();
        if let Some(at) = begin.find('{') {
            for char in begin[at..].chars() {
                scanner.step(char, self.format.arguments_key, pieces);
            }
        }
        self.state = State::Call(scanner);
    }

    fn step_behind(&mut self, char: char, pieces: &mut Vec<Piece>) {
        // Where nothing stands around a call, the next one begins with its object.
        if char == '{' && self.format.begins.iter().any(|begin| begin.contains('{')) {
            let mut scanner = ObjectScanner::default();
            scanner.step(char, self.format.arguments_key, pieces);
            self.state = State::Call(scanner);
            return;
        }
        self.held.push(char);
        let is_passed_over =
            self.format.end.starts_with(self.held.as_str()) || self.held.trim_matches([' ', '\n', ',', ']']).is_empty();
        if self.held == self.format.end || !is_passed_over {
            let rest = self.held.strip_prefix(self.format.end.as_str()).unwrap_or(&self.held).to_owned();
            self.held.clear();
            self.state = State::Content;
            rest.chars().for_each(|char| self.step(char, pieces));
        }
    }

    fn flush(&mut self, pieces: &mut Vec<Piece>) {
        if !self.held.is_empty() {
            pieces.push(Piece::Content(std::mem::take(&mut self.held)));
        }
    }

    /// Gives out all but what may be the beginning of a call.
    fn release(&mut self, pieces: &mut Vec<Piece>) {
        let begins = &self.format.begins;
        let is_start = |at: &usize| {
            self.held.is_char_boundary(*at) && begins.iter().any(|begin| begin.starts_with(&self.held[*at..]))
        };
        let longest = begins.iter().map(String::len).max().unwrap_or(0);
        let from = self.held.len().saturating_sub(longest);
        let n_certain = (from..self.held.len()).find(is_start).unwrap_or(self.held.len());
        let rest = self.held.split_off(n_certain);
        self.flush(pieces);
        self.held = rest;
    }
}

/// Reads one call's object: `{"name": ..., "arguments": {...}}`.
#[derive(Clone, Debug, Default)]
struct ObjectScanner {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// The string that is being read, or was read last, at depth 1: a key or the name; as JSON text.
    string: String,
    /// The key whose value is next; `None` where a key is next.
    key: Option<String>,
    in_arguments: bool,
}

impl ObjectScanner {
    /// Takes one character; whether the object ends with it.
    fn step(&mut self, char: char, arguments_key: &str, pieces: &mut Vec<Piece>) -> bool {
        if self.in_string {
            self.step_string(char, pieces);
            return false;
        }
        match char {
            '"' => {
                self.in_string = true;
                if self.depth == 1 {
                    self.string = "\"".to_owned();
                }
            }
            '{' | '[' => {
                self.depth += 1;
                self.in_arguments |= self.depth == 2 && self.key.as_deref() == Some(arguments_key);
            }
            '}' | ']' => self.depth = self.depth.saturating_sub(1),
            ',' if self.depth == 1 => self.key = None,
            _ => {}
        }
        let is_end = self.depth == 0;
        if self.in_arguments && !is_end {
            append(pieces, char);
            self.in_arguments = self.depth > 1;
        }
        is_end
    }

    fn step_string(&mut self, char: char, pieces: &mut Vec<Piece>) {
        if self.in_arguments {
            append(pieces, char);
        } else if self.depth == 1 {
            self.string.push(char);
        }
        let is_end = char == '"' && !self.is_escaped;
        self.is_escaped = char == '\\' && !self.is_escaped;
        if !is_end {
            return;
        }
        self.in_string = false;
        if self.depth == 1 && !self.in_arguments {
            let text = serde_json::from_str::<String>(&self.string).unwrap_or_default();
            match self.key.as_deref() {
                None => self.key = Some(text),
                Some("name") => pieces.push(Piece::Call(text)),
                Some(_) => {}
            }
        }
    }
}

fn append(pieces: &mut Vec<Piece>, char: char) {
    match pieces.last_mut() {
        Some(Piece::Arguments(text)) => text.push(char),
        _ => pieces.push(Piece::Arguments(char.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(begin: &str, end: &str) -> CallFormat {
        CallFormat { begins: vec![begin.to_owned()], end: end.to_owned(), arguments_key: "arguments" }
    }

    /// The pieces of `text`, cut into parts of every length, with neighbours joined.
    fn scan(format: &CallFormat, text: &str) -> Vec<Piece> {
        let chars: Vec<char> = text.chars().collect();
        let mut results = (1..=chars.len()).map(|size| {
            let mut scanner = CallScanner::new(format.clone());
            let mut pieces = Vec::new();
            for part in chars.chunks(size) {
                let mut new = Vec::new();
                scanner.push(&part.iter().collect::<String>(), &mut new);
                new.into_iter().for_each(|piece| join(&mut pieces, piece));
            }
            let mut new = Vec::new();
            scanner.finish(&mut new);
            new.into_iter().for_each(|piece| join(&mut pieces, piece));
            pieces
        });
        let first = results.next().unwrap();
        results.for_each(|other| assert_eq!(other, first));
        first
    }

    fn join(pieces: &mut Vec<Piece>, piece: Piece) {
        match (pieces.last_mut(), &piece) {
            (Some(Piece::Content(text)), Piece::Content(more))
            | (Some(Piece::Arguments(text)), Piece::Arguments(more)) => {
                text.push_str(more);
            }
            _ => pieces.push(piece),
        }
    }

    fn call(name: &str, arguments: &str) -> [Piece; 3] {
        [Piece::Call(name.to_owned()), Piece::Arguments(arguments.to_owned()), Piece::EndOfCall]
    }

    fn content(text: &str) -> Piece {
        Piece::Content(text.to_owned())
    }

    #[test]
    fn calls_between_markers_are_found() {
        let hermes = format("<tool_call>\n", "\n</tool_call>");
        let text = "Let me see < x.<tool_call>\n{\"name\": \"a\\\"b\", \"arguments\": {\"x\": \"}\\\"{\", \"y\": [1, {}]}}\n</tool_call>\n<tool_call>\n{\"name\": \"c\", \"arguments\": {}}\n</tool_call>";
        let expected = [
            &[content("Let me see < x.")][..],
            &call("a\"b", "{\"x\": \"}\\\"{\", \"y\": [1, {}]}"),
            &[content("\n")],
            &call("c", "{}"),
        ];
        assert_eq!(scan(&hermes, text), expected.concat());
    }

    #[test]
    fn calls_without_markers_are_found() {
        let plain = format("{\"name\": \"", "");
        let text = "I think {\"name\" is it: {\"name\": \"f\", \"arguments\": {\"name\": \"{\"}}";
        let expected = [&[content("I think {\"name\" is it: ")][..], &call("f", "{\"name\": \"{\"}")];
        assert_eq!(scan(&plain, text), expected.concat());
    }

    #[test]
    fn calls_in_a_list_are_found() {
        let list = format("[{\"name\": \"", "");
        let text = "[{\"name\": \"f\", \"arguments\": {\"a\": 1}}, {\"name\": \"g\", \"arguments\": {}}]";
        assert_eq!(scan(&list, text), [call("f", "{\"a\": 1}"), call("g", "{}")].concat());
    }

    #[test]
    fn text_without_calls_is_content() {
        assert_eq!(
            scan(&format("<tool_call>", "</tool_call>"), "a <tool_cal b <tool_"),
            [content("a <tool_cal b <tool_")]
        );
    }
}
