//! What do masks and arg-max do to logits in host memory? The reference that device code must agree with.

use formwork::{TokenId, TokenMask};

use crate::backend::Logits;
use crate::error::BackendError;

/// Logits in host memory.
#[derive(Clone, Debug, PartialEq)]
pub struct HostLogits(pub Vec<f32>);

impl Logits for HostLogits {
    fn width(&self) -> usize {
        self.0.len()
    }

    fn apply_mask(&mut self, mask: &TokenMask) -> Result<usize, BackendError> {
        mask_logits(&mut self.0, mask, f32::NEG_INFINITY);
        Ok(0)
    }

    fn argmax(&mut self) -> Result<Option<TokenId>, BackendError> {
        Ok(greatest(&self.0))
    }

    fn copy_to(&mut self, out: &mut Vec<f32>) -> Result<(), BackendError> {
        out.clear();
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

/// Writes `forbidden` (−∞ in the type of the logits) where `mask` does not allow the token, and beyond the mask's end.
/// The mask is not unpacked: O(logits / 32 + what differs from its base).
pub fn mask_logits<T: Copy>(logits: &mut [T], mask: &TokenMask, forbidden: T) {
    let row = mask.base().map_or(&[][..], |row| row);
    mask_by_parts(logits, row, mask.added(), mask.removed(), forbidden);
}

/// The same for the parts of a mask: a packed row, and the ids that are allowed beyond it and those that are not though
/// they are in it, both in rising order.
pub fn mask_by_parts<T: Copy>(logits: &mut [T], row: &[u32], added: &[u32], removed: &[u32], forbidden: T) {
    let n_inside = |ids: &[u32]| ids.partition_point(|id| (*id as usize) < logits.len());
    let (added, removed) = (&added[..n_inside(added)], &removed[..n_inside(removed)]);
    let kept: Vec<T> = added.iter().map(|id| logits[*id as usize]).collect();
    mask_by_row(logits, row, forbidden);
    added.iter().zip(kept).for_each(|(id, logit)| logits[*id as usize] = logit);
    removed.iter().for_each(|id| logits[*id as usize] = forbidden);
}

/// The same for a packed row: the bit of a token is `id % 32` of word `id / 32`.
pub fn mask_by_row<T: Copy>(logits: &mut [T], row: &[u32], forbidden: T) {
    let n_covered = logits.len().min(row.len().saturating_mul(32));
    let (covered, beyond) = logits.split_at_mut(n_covered);
    for (chunk, &word) in covered.chunks_mut(32).zip(row) {
        match word {
            u32::MAX => {}
            0 => chunk.fill(forbidden),
            _ => mask_word(chunk, word, forbidden),
        }
    }
    beyond.fill(forbidden);
}

fn mask_word<T: Copy>(chunk: &mut [T], word: u32, forbidden: T) {
    for (bit, logit) in chunk.iter_mut().enumerate() {
        if word >> bit & 1 == 0 {
            *logit = forbidden;
        }
    }
}

/// The id of the greatest logit, the lowest where several are equal; NaN and −∞ are never chosen.
pub fn greatest(logits: &[f32]) -> Option<TokenId> {
    /// Found without looking for a place, which the compiler turns into vector instructions.
    fn maximum(block: &[f32]) -> f32 {
        // False for NaN, so NaN is passed over.
        block.iter().fold(f32::NEG_INFINITY, |best, &logit| if logit > best { logit } else { best })
    }
    const BLOCK: usize = 1024;
    let mut best = f32::NEG_INFINITY;
    let mut best_block = None;
    for (index, block) in logits.chunks(BLOCK).enumerate() {
        let maximum = maximum(block);
        if maximum > best {
            (best, best_block) = (maximum, Some((index, block)));
        }
    }
    let (index, block) = best_block?;
    let place = index * BLOCK + block.iter().position(|&logit| logit == best)?;
    u32::try_from(place).ok().map(TokenId::new)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use formwork::{Compiler, Grammar, Vocabulary};

    use super::*;

    #[test]
    fn mask_covers_partial_words_and_padding() {
        let mut logits: Vec<f32> = (0..70).map(|i| i as f32).collect();
        mask_by_row(&mut logits, &[1 << 31, u32::MAX], f32::NEG_INFINITY);
        let left: Vec<usize> = (0..70).filter(|&i| logits[i].is_finite()).collect();
        assert_eq!(left, (31..64).collect::<Vec<_>>());
    }

    #[test]
    fn mask_longer_than_logits_is_fine() {
        let mut logits = vec![1.0, 2.0];
        mask_by_row(&mut logits, &[0b01, u32::MAX], f32::NEG_INFINITY);
        assert_eq!(logits, [1.0, f32::NEG_INFINITY]);
    }

    #[test]
    fn a_mask_and_its_row_agree() {
        let spelled = |id: usize| match id % 50 {
            7 => format!("\"{id}"),
            8 => format!("a long one {id}"),
            _ => format!("{}{id}", ["a", "b1"][id % 2]),
        };
        let tokens: Vec<String> = (0..3000).map(spelled).collect();
        let compiler = Compiler::new(Arc::new(Vocabulary::from_tokens(&tokens, &[TokenId::new(0)]).unwrap()));
        let (mut n_bases, mut n_removed) = (0, 0);
        let patterns = ["a1?.*", "(a|b1)[0-9]{2}", "a1[0-4]+|b17", "[a-z0-9]{1,3}a?"].map(Grammar::regex);
        let lengths =
            [4, 12, 50].map(|n| Grammar::json_schema_text(format!(r#"{{"type": "string", "maxLength": {n}}}"#)));
        for grammar in patterns.iter().chain(&lengths) {
            let mut matcher = compiler.compile(grammar).unwrap().matcher();
            if matcher.count_acceptable(&[TokenId::new(7)]) == Ok(1) {
                matcher.accept_token(TokenId::new(7)).unwrap();
            }
            let mask = matcher.mask().unwrap();
            n_bases += usize::from(mask.base().is_some());
            n_removed += mask.removed().len();
            let mut row = vec![0; mask.n_words()];
            mask.write_to(&mut row);
            // Narrower than the mask, as wide, and wider.
            for width in [0, 31, 150, 2999, 3000, 3100] {
                let logits: Vec<f32> = (0..width).map(|id| id as f32).collect();
                let (mut by_mask, mut by_row) = (logits.clone(), logits);
                mask_logits(&mut by_mask, &mask, -1.0);
                mask_by_row(&mut by_row, &row, -1.0);
                assert_eq!(by_mask, by_row, "{grammar:?}, {width}");
            }
        }
        assert!(n_bases > 0 && n_removed > 0, "{n_bases} bases, {n_removed} removed");
    }

    #[test]
    fn greatest_passes_over_nan_and_takes_the_lowest_of_equals() {
        assert_eq!(greatest(&[f32::NAN, 1.0, 3.0, 3.0]), Some(TokenId::new(2)));
        assert_eq!(greatest(&[f32::NAN, f32::NEG_INFINITY]), None);
        for place in [0, 1023, 1024, 3000, 4999] {
            let mut logits: Vec<f32> = (0..5000).map(|id| if id % 7 == 0 { f32::NAN } else { -(id as f32) }).collect();
            logits[place..].fill(3.5);
            assert_eq!(greatest(&logits), Some(TokenId::new(place as u32)));
        }
        assert_eq!(greatest(&[]), None);
    }
}
