//! Why is a text no JSON document?

/// A text that begins no JSON document, or one that is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} of the JSON text: {fault}")]
pub struct PartialJsonError {
    /// Where: the offset of the first byte that does not fit.
    pub offset: usize,
    /// What is wrong there.
    pub fault: JsonFault,
}

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// A character that cannot stand there.
    #[error("a character that cannot stand here")]
    Unexpected,
    /// A control character in a string.
    #[error("a control character that is not escaped")]
    ControlCharacter,
    /// A backslash with something behind it that is no escape.
    #[error("no escape")]
    Escape,
    /// Half of a surrogate pair.
    #[error("half of a surrogate pair")]
    LoneSurrogate,
    /// Containers nested too deeply.
    #[error("nested deeper than {}", super::MAX_DEPTH)]
    TooDeep,
    /// The text ended too early.
    #[error("the text ends before the document is complete")]
    Unfinished,
}
