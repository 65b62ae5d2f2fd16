//! Does a model hide padding? Found by trying it: files do not say so, and some that take an attention mask only count it.

use formwork::TokenId;
use formwork_decode::BatchBackend;

use crate::batch::OrtBatch;

/// How much the logits of a padded row may be off, as a share of the greatest of the row.
const TOLERANCE: f32 = 0.01;

/// Whether rows that are padded get the logits they get alone: new tokens beside more, and after that with padding in
/// the cache, before and between their text. Leaves the batch with rows of its own.
pub(crate) fn is_padding_seen_through(batch: &mut OrtBatch) -> bool {
    if !batch.has_padding_inputs() {
        return false;
    }
    let alone = trial(batch, false);
    alone.is_some_and(|alone| trial(batch, true).is_some_and(|padded| are_close(&alone, &padded)))
}

/// The logits of two rows after three passes. `None` when one fails.
fn trial(batch: &mut OrtBatch, is_padded: bool) -> Option<Vec<Vec<f32>>> {
    const PASSES: [[usize; 2]; 3] = [[4, 1], [1, 2], [1, 1]];
    batch.reset(2, is_padded);
    let width = batch.logits_width();
    let mut given = Vec::new();
    let mut n_fed = 0;
    for lengths in PASSES {
        let tokens = lengths.map(|n| {
            n_fed += n;
            (n_fed - n..n_fed).map(|id| TokenId::new((id % width) as u32)).collect::<Vec<_>>()
        });
        for result in batch.forward_rows(&[(0, &tokens[0]), (1, &tokens[1])]) {
            let mut row = Vec::new();
            result.ok()?.copy_to(&mut row).ok()?;
            given.push(row);
        }
    }
    Some(given)
}

fn are_close(alone: &[Vec<f32>], padded: &[Vec<f32>]) -> bool {
    alone.iter().zip(padded).all(|(alone, padded)| {
        let greatest = alone.iter().fold(0.0f32, |greatest, logit| greatest.max(logit.abs()));
        // Equal first: the same infinity is as it should be. NaN is never close.
        let is_close = |(a, b): (&f32, &f32)| a == b || (a - b).abs() <= TOLERANCE * greatest;
        alone.iter().zip(padded).all(is_close)
    })
}
