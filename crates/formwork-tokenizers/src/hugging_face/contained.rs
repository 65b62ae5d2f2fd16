//! What if the library that reads these files panics? A file that contradicts itself then is an error, and no more.
//!
//! `tokenizers` indexes and unwraps where a file does not say what it should: a merge that is longer than all tokens, a
//! prefix longer than a token. The panic's message still reaches standard error.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` gives; `None` where it panics.
///
/// Nothing is left half done: the library changes no more than its cache of words that were cut, an entry at a time.
pub(super) fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
