//! Fill the masks of many sequences at once.

use std::sync::{Mutex, PoisonError};

use super::Matcher;
use crate::error::MatchError;

/// Rows that a thread takes at a time: taking costs less than filling one, and few are left for the last thread.
const ROWS_AT_A_TIME: usize = 4;

/// Fills one mask for each matcher, `masks` holding one row of `mask_words` words each, on up to `n_threads` threads, of
/// which the caller's is one.
///
/// All matchers must have the same vocabulary. Threads take the next rows when they are done with theirs, so that a few masks
/// that are not known yet do not keep the others waiting. With one thread nothing is spawned.
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
    let n_threads = n_threads.min(matchers.len().div_ceil(ROWS_AT_A_TIME));
    let groups = matchers.chunks_mut(ROWS_AT_A_TIME).zip(masks.chunks_mut(ROWS_AT_A_TIME * n_words));
    let groups = Mutex::new(groups.enumerate());
    // The first error of each thread, with the group it is in: groups are taken in order.
    let work = || {
        let mut first_error: Option<(usize, MatchError)> = None;
        loop {
            let next = groups.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, (matchers, rows))) = next else { return first_error };
            if let Err(error) = fill_rows(matchers, rows, n_words) {
                first_error.get_or_insert((index, error));
            }
        }
    };
    let errors: Vec<Option<(usize, MatchError)>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = others.into_iter().map(|thread| thread.join().expect("filling a mask does not panic"));
        others.chain([own]).collect()
    });
    match errors.into_iter().flatten().min_by_key(|(index, _)| *index) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

fn fill_rows(matchers: &mut [Matcher], masks: &mut [u32], n_words: usize) -> Result<(), MatchError> {
    let mut outcome = Ok(());
    for (matcher, row) in matchers.iter_mut().zip(masks.chunks_mut(n_words)) {
        outcome = outcome.and(matcher.fill_mask(row));
    }
    outcome
}
