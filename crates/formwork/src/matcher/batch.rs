//! Fill the masks of many sequences at once.

use std::sync::{Mutex, PoisonError};

use super::Matcher;
use crate::error::MatchError;

/// Fills one mask for each matcher, `masks` holding one row of `mask_words` words each, on up to `n_threads` threads, of
/// which the caller's is one.
///
/// All matchers must have the same vocabulary. Masks that are known are written at once; threads are started for the others
/// only, and take the next when they are done with one. Starting a thread costs as much as some hundred known rows.
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
    let mut unknown = Vec::new();
    for (index, (matcher, row)) in matchers.iter_mut().zip(masks.chunks_mut(n_words)).enumerate() {
        match matcher.known_mask() {
            Some(mask) => mask.write_to(row),
            None => unknown.push((index, matcher, row)),
        }
    }
    let n_threads = n_threads.min(unknown.len());
    let unknown = Mutex::new(unknown.into_iter());
    // The first error of each thread: matchers are taken in order.
    let work = || {
        let mut first_error: Option<(usize, MatchError)> = None;
        loop {
            let next = unknown.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, matcher, row)) = next else { return first_error };
            if let Err(error) = matcher.fill_mask(row) {
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
