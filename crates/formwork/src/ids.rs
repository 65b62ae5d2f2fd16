//! Which integers name what? Newtypes for every id that crosses a module boundary.
//!
//! Ids are 32-bit, made by a checked constructor, and never carry a sentinel: absence is `Option`.

use std::fmt;

/// The id of one entry of a tokenizer's vocabulary, as the model's logits number it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(u32);

impl TokenId {
    /// Names token `id`; whether the vocabulary holds it is checked where it is used.
    pub const fn new(id: u32) -> TokenId {
        TokenId(id)
    }

    /// The id as the model numbers it.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The id as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl From<u32> for TokenId {
    fn from(id: u32) -> TokenId {
        TokenId(id)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! dense_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The id of the `index`-th element; `None` beyond 32 bits.
            pub fn from_index(index: usize) -> Option<$name> {
                u32::try_from(index).ok().map($name)
            }

            /// The id as an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

dense_id!(
    /// A grammar symbol that the lexer matches.
    TerminalId
);
dense_id!(
    /// The left side of productions.
    NonterminalId
);
