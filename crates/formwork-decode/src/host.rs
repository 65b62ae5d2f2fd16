//! What do masks and arg-max do to logits in host memory? The reference that device code must agree with.

use formwork::TokenId;

use crate::backend::Logits;
use crate::error::BackendError;

/// Logits in host memory.
#[derive(Clone, Debug, PartialEq)]
pub struct HostLogits(pub Vec<f32>);

impl Logits for HostLogits {
    fn width(&self) -> usize {
        self.0.len()
    }

    fn apply_mask(&mut self, mask: &[u32]) -> Result<(), BackendError> {
        mask_logits(&mut self.0, mask, f32::NEG_INFINITY);
        Ok(())
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

/// Writes `forbidden` (−∞ in the type of the logits) where the packed mask has a 0 and beyond the mask's end.
pub fn mask_logits<T: Copy>(logits: &mut [T], mask: &[u32], forbidden: T) {
    let n_covered = logits.len().min(mask.len().saturating_mul(32));
    let (covered, beyond) = logits.split_at_mut(n_covered);
    for (chunk, &word) in covered.chunks_mut(32).zip(mask) {
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
    let mut best = None;
    let mut best_logit = f32::NEG_INFINITY;
    for (index, &logit) in logits.iter().enumerate() {
        // False for NaN, so NaN is passed over.
        if logit > best_logit {
            best_logit = logit;
            best = u32::try_from(index).ok();
        }
    }
    best.map(TokenId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_covers_partial_words_and_padding() {
        let mut logits: Vec<f32> = (0..70).map(|i| i as f32).collect();
        mask_logits(&mut logits, &[1 << 31, u32::MAX], f32::NEG_INFINITY);
        let left: Vec<usize> = (0..70).filter(|&i| logits[i].is_finite()).collect();
        assert_eq!(left, (31..64).collect::<Vec<_>>());
    }

    #[test]
    fn mask_longer_than_logits_is_fine() {
        let mut logits = vec![1.0, 2.0];
        mask_logits(&mut logits, &[0b01, u32::MAX], f32::NEG_INFINITY);
        assert_eq!(logits, [1.0, f32::NEG_INFINITY]);
    }

    #[test]
    fn greatest_passes_over_nan_and_takes_the_lowest_of_equals() {
        assert_eq!(greatest(&[f32::NAN, 1.0, 3.0, 3.0]), Some(TokenId::new(2)));
        assert_eq!(greatest(&[f32::NAN, f32::NEG_INFINITY]), None);
        assert_eq!(greatest(&[]), None);
    }
}
