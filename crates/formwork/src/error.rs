//! What can go wrong, by phase: vocabulary, grammar, schema, compile, match.
//!
//! Every error is one line of text, can be told apart by code without reading that line, and names the
//! number that was exceeded and the [`Limits`](crate::Limits) field that raises it where a limit was met.

use std::fmt;

use crate::ids::TokenId;

/// A limit was met: which, its value, and where it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitError {
    /// The field of [`Limits`](crate::Limits) that raises it.
    pub setting: &'static str,
    /// Its present value.
    pub limit: usize,
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit exceeded: {} is {}", self.setting, self.limit)
    }
}

impl std::error::Error for LimitError {}

/// Why a vocabulary could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// It holds no token that is text.
    #[error("the vocabulary holds no text token")]
    Empty,
    /// A stop token's id lies outside the vocabulary.
    #[error("stop token {0} is outside the vocabulary")]
    StopOutOfRange(TokenId),
    /// No stop token was given, so no output could end.
    #[error("the vocabulary has no stop token")]
    NoStop,
    /// The same id was given twice with different contents.
    #[error("token {0} was given twice")]
    Duplicate(TokenId),
    /// More ids or bytes than 32 bits can number.
    #[error("the vocabulary is too large: {0}")]
    TooLarge(&'static str),
}

/// Why a grammar made in code, from a text, from a regex or from choices is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrammarError {
    /// A nonterminal was declared and used, and never defined.
    #[error("nonterminal {0} is never defined")]
    Undefined(String),
    /// A nonterminal was defined twice.
    #[error("nonterminal {0} is defined twice")]
    Redefined(String),
    /// A nonterminal derives itself at its own first position.
    #[error("nonterminal {0} is left recursive")]
    LeftRecursive(String),
    /// No text matches the grammar.
    #[error("the grammar accepts no text")]
    Unsatisfiable,
    /// A regular expression or string language that is malformed or cannot be expressed.
    #[error("regex {pattern:?}: {reason}")]
    Regex {
        /// The expression as given, cut to a readable length.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A grammar's text that cannot be read.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A special token that a grammar names and the vocabulary does not have as one.
    #[error("special token {name:?}: {reason}")]
    SpecialToken {
        /// Its name, or its id where it has none.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A value is out of the range that the grammar can hold.
    #[error("{0}")]
    Invalid(String),
    /// A limit was met.
    #[error(transparent)]
    Limit(#[from] LimitError),
}

/// Which kind of fault a [`Violation`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViolationKind {
    /// The text is not a JSON Schema: wrong JSON, an unknown `type`, a keyword's value of the wrong type.
    Malformed,
    /// The keyword cannot be enforced exactly; nothing is wrong with the schema.
    Unsupported,
    /// No instance can be valid.
    Unsatisfiable,
    /// The profile does not admit it.
    Profile,
    /// A reference that leads nowhere, or in a circle that consumes nothing.
    Reference,
    /// A limit was met.
    Limit,
}

/// One reason for which a schema is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What kind of fault it is.
    pub kind: ViolationKind,
    /// JSON Pointer to the schema object that holds the fault (empty for the root).
    pub pointer: String,
    /// The keyword at fault, where there is one.
    pub keyword: Option<String>,
    /// What is wrong, in words.
    pub reason: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() { "/" } else { &self.pointer };
        match &self.keyword {
            Some(keyword) => write!(f, "{at}: {keyword}: {}", self.reason),
            None => write!(f, "{at}: {}", self.reason),
        }
    }
}

/// Why a schema is refused: one violation or, from a profile's check, all of them at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    violations: Box<[Violation]>,
}

impl SchemaError {
    /// One fault.
    pub fn new(
        kind: ViolationKind,
        pointer: impl Into<String>,
        keyword: Option<&str>,
        reason: impl Into<String>,
    ) -> SchemaError {
        SchemaError::from_violations(vec![Violation {
            kind,
            pointer: pointer.into(),
            keyword: keyword.map(str::to_owned),
            reason: reason.into(),
        }])
    }

    /// Several faults; the order is kept.
    pub fn from_violations(violations: Vec<Violation>) -> SchemaError {
        debug_assert!(!violations.is_empty(), "an error has a reason");
        SchemaError { violations: violations.into_boxed_slice() }
    }

    /// All faults found.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The same faults of a schema that stands at `path` in something larger.
    pub(crate) fn within(mut self, path: &str) -> SchemaError {
        self.violations.iter_mut().for_each(|violation| violation.pointer.insert_str(0, path));
        self
    }

    fn has(&self, kind: ViolationKind) -> bool {
        self.violations.iter().any(|violation| violation.kind == kind)
    }

    /// Whether something in it cannot be enforced.
    pub fn is_unsupported(&self) -> bool {
        self.has(ViolationKind::Unsupported)
    }

    /// Whether no instance can be valid.
    pub fn is_unsatisfiable(&self) -> bool {
        self.has(ViolationKind::Unsatisfiable)
    }

    /// Whether a limit was met.
    pub fn is_limit(&self) -> bool {
        self.has(ViolationKind::Limit)
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.violations.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SchemaError {}

/// Why a grammar could not be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The schema is refused.
    #[error("schema refused: {0}")]
    Schema(#[from] SchemaError),
    /// The grammar is refused.
    #[error("grammar refused: {0}")]
    Grammar(#[from] GrammarError),
}

impl CompileError {
    /// The same fault of a grammar that stands at `path` in something larger.
    pub(crate) fn within(self, path: &str) -> CompileError {
        match self {
            CompileError::Schema(error) => CompileError::Schema(error.within(path)),
            CompileError::Grammar(_) => self,
        }
    }

    /// Whether the input is well formed and cannot be enforced exactly.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, CompileError::Schema(error) if error.is_unsupported())
    }

    /// Whether no text can match.
    pub fn is_unsatisfiable(&self) -> bool {
        match self {
            CompileError::Schema(error) => error.is_unsatisfiable(),
            CompileError::Grammar(error) => *error == GrammarError::Unsatisfiable,
        }
    }

    /// Whether a limit was met.
    pub fn is_limit(&self) -> bool {
        match self {
            CompileError::Schema(error) => error.is_limit(),
            CompileError::Grammar(error) => matches!(error, GrammarError::Limit(_)),
        }
    }
}

/// Why a matcher could not do what was asked; its state is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatchError {
    /// The grammar does not allow the token here.
    #[error("token {token} is not allowed here (byte {offset} of its text)")]
    TokenNotAllowed {
        /// The refused token.
        token: TokenId,
        /// How many of its bytes could be matched.
        offset: usize,
    },
    /// The grammar does not allow the byte here.
    #[error("byte {offset} is not allowed here")]
    ByteNotAllowed {
        /// Index of the refused byte in the bytes that were offered.
        offset: usize,
    },
    /// The id is outside the vocabulary.
    #[error("token {token} is outside the vocabulary of {n_tokens} entries")]
    TokenOutOfRange {
        /// The id that was given.
        token: TokenId,
        /// Entries of the vocabulary.
        n_tokens: usize,
    },
    /// A stop token was accepted already.
    #[error("the text has ended: a stop token was accepted")]
    Stopped,
    /// More tokens are to be rolled back than were accepted.
    #[error("cannot roll back {asked} steps: {available} were accepted")]
    Rollback {
        /// Steps to roll back.
        asked: usize,
        /// Steps that are there.
        available: usize,
    },
    /// The caller's buffer is too short for one mask.
    #[error("mask buffer holds {actual} words, {needed} are needed")]
    BufferTooShort {
        /// Words given.
        actual: usize,
        /// Words needed.
        needed: usize,
    },
    /// A limit was met.
    #[error(transparent)]
    Limit(#[from] LimitError),
}
