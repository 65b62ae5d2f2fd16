//! Fill the masks of many sequences at once.

use super::Matcher;
use crate::error::MatchError;

/// Fills one mask for each matcher, `masks` holding one row of `mask_words` words each, on up to `n_threads` threads.
///
/// All matchers must have the same vocabulary. With one thread nothing is spawned.
///
/// # Errors
/// [`MatchError::BufferTooShort`] when `masks` has not a row for each; else the first error by matcher index. The rows of
/// matchers without an error are filled in any case.
pub fn fill_masks(matchers: &mut [Matcher], masks: &mut [u32], n_threads: usize) -> Result<(), MatchError> {
    let Some(first) = matchers.first() else { return Ok(()) };
    let n_words = first.grammar.vocabulary().mask_words().max(1);
    let needed = n_words * matchers.len();
    if masks.len() < needed {
        return Err(MatchError::BufferTooShort { actual: masks.len(), needed });
    }
    let per_thread = matchers.len().div_ceil(n_threads.max(1));
    if per_thread == matchers.len() {
        return fill_rows(matchers, masks, n_words);
    }
    let outcomes: Vec<Result<(), MatchError>> = std::thread::scope(|scope| {
        let chunks = matchers.chunks_mut(per_thread).zip(masks.chunks_mut(per_thread * n_words));
        let threads: Vec<_> =
            chunks.map(|(matchers, masks)| scope.spawn(move || fill_rows(matchers, masks, n_words))).collect();
        threads.into_iter().map(|thread| thread.join().expect("filling a mask does not panic")).collect()
    });
    outcomes.into_iter().collect()
}

fn fill_rows(matchers: &mut [Matcher], masks: &mut [u32], n_words: usize) -> Result<(), MatchError> {
    let mut outcome = Ok(());
    for (matcher, row) in matchers.iter_mut().zip(masks.chunks_mut(n_words)) {
        outcome = outcome.and(matcher.fill_mask(row));
    }
    outcome
}
