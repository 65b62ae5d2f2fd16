//! What does a JSON text that is still being written say already? A view of it that only shows what can no longer change.

mod cursor;
mod error;
mod number;
mod scan;
mod string;
#[cfg(test)]
mod tests;
mod value;

pub use self::cursor::{ElementCursor, TextCursor};
pub use self::error::{JsonFault, PartialJsonError};
use self::number::NumberPhase;
use self::string::StringPhase;
pub use self::value::{PartialKind, PartialValue};

/// Most containers within each other; `serde_json` refuses more.
const MAX_DEPTH: usize = 127;

/// A JSON text that is being written, and its values so far: only what can no longer change.
///
/// Text is pushed as it comes, and read once: nothing is parsed again when more comes. What is shown of a value depends
/// on its kind:
///
/// | value | is shown | is complete |
/// |---|---|---|
/// | `null`, `true`, `false` | with its last letter | at once |
/// | number | with the character that ends it, for 12 may become 123 | at once |
/// | string | with its opening quote, with the text so far | with its closing quote |
/// | array, object | with its opening bracket, with the elements or members that are shown | with its closing bracket |
///
/// Escapes and surrogate pairs that are cut in half are held back. A member is shown when its value is.
///
/// So each view *extends* the one before: a value that was complete is there, and the same; a string in the making
/// begins with the text it had; and an array or object in the making begins with the elements or members it had, the
/// last of them extended.
///
/// A name that an object has twice is there twice: an object is the list of its members as written. Lookups find the
/// first. `serde_json` takes the last into a map and refuses both for a struct. Under a schema no name is written twice.
///
/// Pushing is O(1) for each byte, amortised. Memory is proportional to the text.
///
/// ```
/// use formwork_decode::PartialJson;
///
/// let mut partial = PartialJson::new();
/// partial.push(r#"{"title": "The Last Har"#)?;
/// let title = partial.at("/title").unwrap();
/// assert_eq!((title.text(), title.is_complete()), (Some("The Last Har"), false));
/// partial.push(r#"bour", "year": 19"#)?;
/// assert_eq!(partial.read::<String>("/title")?.as_deref(), Some("The Last Harbour"));
/// assert_eq!(partial.read::<u32>("/year")?, None);
/// partial.push("87}")?;
/// assert_eq!(partial.read::<u32>("/year")?, Some(1987));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PartialJson {
    text: String,
    /// The values that are shown, the root first, each behind the container that holds it.
    nodes: Vec<Node>,
    /// Containers that are open, outermost first; at most [`MAX_DEPTH`].
    open: Vec<usize>,
    /// The name of the member whose value is to come, as far as it is read.
    key: String,
    state: State,
    error: Option<PartialJsonError>,
}

#[derive(Clone, Debug)]
struct Node {
    kind: NodeKind,
    /// Offset of the first byte.
    start: usize,
    /// Offset behind the last byte, once there is one.
    end: Option<usize>,
}

#[derive(Clone, Debug)]
enum NodeKind {
    Null,
    Boolean(bool),
    /// Always complete: its spelling is its part of the text.
    Number,
    String(String),
    Array(Vec<usize>),
    Object(Vec<(String, usize)>),
}

/// What may come next.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A value.
    Value,
    /// A value, or the end of an array.
    FirstElement,
    /// A member's name, or the end of an object.
    FirstKey,
    /// A member's name.
    Key,
    Colon,
    /// A comma, or the end of the innermost container.
    AfterValue,
    /// The document is complete.
    End,
    InKey(StringPhase),
    InString(StringPhase),
    /// A literal, and how many of its letters are read.
    InLiteral(&'static str, usize),
    /// A number that began at an offset.
    InNumber(NumberPhase, usize),
}

impl PartialJson {
    /// Nothing yet.
    pub fn new() -> PartialJson {
        PartialJson {
            text: String::new(),
            nodes: Vec::new(),
            open: Vec::new(),
            key: String::new(),
            state: State::Value,
            error: None,
        }
    }

    /// Adds what comes next.
    ///
    /// # Errors
    /// Where no JSON document begins with the text, or one that is nested deeper than 127. What was read before stays,
    /// and every later push gives the same error.
    pub fn push(&mut self, text: &str) -> Result<(), PartialJsonError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        for character in text.chars() {
            if let Err(fault) = self.step(character) {
                let error = PartialJsonError { offset: self.text.len(), fault };
                self.error = Some(error);
                return Err(error);
            }
            self.text.push(character);
        }
        Ok(())
    }

    /// Says that no more text comes: completes a number that is the whole document.
    ///
    /// # Errors
    /// Where the document is not complete, or an error came up before.
    pub fn finish(&mut self) -> Result<(), PartialJsonError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.open.is_empty() {
            self.end_number();
        }
        match self.state {
            State::End => Ok(()),
            _ => Err(PartialJsonError { offset: self.text.len(), fault: JsonFault::Unfinished }),
        }
    }

    /// The text so far, up to an error.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The document; `None` while nothing of it is shown.
    pub fn root(&self) -> Option<PartialValue<'_>> {
        (!self.nodes.is_empty()).then(|| PartialValue::new(self, 0))
    }

    /// The value at a JSON Pointer (RFC 6901); `None` while it is not shown. See [`PartialValue::at`].
    pub fn at(&self, pointer: &str) -> Option<PartialValue<'_>> {
        self.root()?.at(pointer)
    }

    /// The value at a JSON Pointer once it is complete; `None` before. See [`PartialValue::read`].
    ///
    /// # Errors
    /// What `F` has against the value.
    pub fn read<'a, F: serde::Deserialize<'a>>(&'a self, pointer: &str) -> Result<Option<F>, serde_json::Error> {
        self.at(pointer).map_or(Ok(None), PartialValue::read)
    }
}

impl Default for PartialJson {
    fn default() -> PartialJson {
        PartialJson::new()
    }
}
