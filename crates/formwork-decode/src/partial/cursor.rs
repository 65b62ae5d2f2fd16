//! What is new since the last look? Elements of an array as they are completed, and text as it grows.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::{PartialJson, PartialValue};

/// Hands out the elements of an array, each once, as soon as it is complete.
///
/// ```
/// use formwork_decode::{ElementCursor, PartialJson};
///
/// let mut partial = PartialJson::new();
/// let mut years = ElementCursor::<u32>::at("/years");
/// let mut seen = Vec::new();
/// for text in ["{\"years\": [19", "87, 20", "01, 1850", "]}"] {
///     partial.push(text)?;
///     while let Some(year) = years.next_in(&partial) {
///         seen.push(year?);
///     }
/// }
/// assert_eq!(seen, [1987, 2001, 1850]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ElementCursor<E> {
    pointer: String,
    n_taken: usize,
    element: PhantomData<fn() -> E>,
}

impl<E: DeserializeOwned> ElementCursor<E> {
    /// Of the array at a JSON Pointer; `""` is the document itself.
    pub fn at(pointer: impl Into<String>) -> ElementCursor<E> {
        ElementCursor { pointer: pointer.into(), n_taken: 0, element: PhantomData }
    }

    /// The next element of a document that has grown since the last call, or `None` where it is not complete yet.
    /// An element that `E` refuses is handed out as an error, once. O(the pointer's path and the element).
    pub fn next_in(&mut self, partial: &PartialJson) -> Option<Result<E, serde_json::Error>> {
        let element = partial.at(&self.pointer)?.elements().nth(self.n_taken)?;
        let read = element.read().transpose()?;
        self.n_taken += 1;
        Some(read)
    }
}

/// Hands out the text of a string piece by piece, as it grows.
#[derive(Clone, Debug)]
pub struct TextCursor {
    pointer: String,
    n_taken: usize,
}

impl TextCursor {
    /// Of the string at a JSON Pointer; `""` is the document itself.
    pub fn at(pointer: impl Into<String>) -> TextCursor {
        TextCursor { pointer: pointer.into(), n_taken: 0 }
    }

    /// What came to the string of a document that has grown since the last call; may be empty. O(the pointer's path and
    /// the text).
    pub fn next_in<'a>(&mut self, partial: &'a PartialJson) -> &'a str {
        let text = partial.at(&self.pointer).and_then(PartialValue::text).unwrap_or_default();
        let added = text.get(self.n_taken..).unwrap_or_default();
        self.n_taken += added.len();
        added
    }
}
