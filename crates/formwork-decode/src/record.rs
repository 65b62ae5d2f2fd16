//! How was each token chosen? What log probabilities and displays are made of.

use std::time::Duration;

use formwork::{TokenId, TokenMask};

use crate::backend::Logits;
use crate::error::BackendError;

/// One token of the output and how it came there.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRecord {
    /// The token.
    pub token: TokenId,
    /// Whether the grammar forced it.
    pub is_forced: bool,
    /// How many tokens the grammar allowed in its place; 1 where it was forced.
    pub n_allowed: usize,
    /// Time on its mask; zero where it was forced.
    pub mask_time: Duration,
    /// Natural logarithm of its share among the allowed tokens, at temperature 1 and without bias and penalties; 0 where
    /// it was forced.
    pub log_probability: f64,
    /// The most probable tokens in its place with their log probabilities, most probable first.
    pub top: Vec<(TokenId, f64)>,
}

impl TokenRecord {
    /// A token without a choice.
    pub(crate) fn forced(token: TokenId) -> TokenRecord {
        let (mask_time, top) = (Duration::ZERO, Vec::new());
        TokenRecord { token, is_forced: true, n_allowed: 1, mask_time, log_probability: 0.0, top }
    }

    /// A token chosen from masked logits, which are copied to the host for it.
    pub(crate) fn chosen(
        token: TokenId,
        logits: &mut dyn Logits,
        mask: &TokenMask,
        mask_time: Duration,
        n_top: usize,
    ) -> Result<TokenRecord, BackendError> {
        let mut values = Vec::new();
        logits.copy_to(&mut values)?;
        let shares = LogShares::new(&values);
        let log_probability = shares.of(token);
        Ok(TokenRecord {
            token,
            is_forced: false,
            n_allowed: mask.n_allowed(),
            mask_time,
            log_probability,
            top: shares.top(n_top),
        })
    }
}

/// Logits and what makes them log probabilities.
struct LogShares<'a> {
    logits: &'a [f32],
    log_total: f64,
}

impl<'a> LogShares<'a> {
    fn new(logits: &'a [f32]) -> LogShares<'a> {
        let greatest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let weights = logits.iter().filter(|logit| !logit.is_nan());
        let total: f64 = weights.map(|logit| libm::exp(f64::from(*logit) - greatest)).sum();
        LogShares { logits, log_total: greatest + libm::log(total) }
    }

    fn of(&self, token: TokenId) -> f64 {
        self.logits.get(token.index()).map_or(f64::NEG_INFINITY, |logit| f64::from(*logit) - self.log_total)
    }

    /// The lower id first among equals.
    fn top(&self, n: usize) -> Vec<(TokenId, f64)> {
        let mut ids: Vec<u32> =
            (0..).zip(self.logits).filter(|(_, logit)| **logit > f32::NEG_INFINITY).map(|(id, _)| id).collect();
        let rank = |a: &u32, b: &u32| self.logits[*b as usize].total_cmp(&self.logits[*a as usize]).then(a.cmp(b));
        if n < ids.len() {
            ids.select_nth_unstable_by(n, rank);
            ids.truncate(n);
        }
        ids.sort_unstable_by(rank);
        ids.into_iter().map(TokenId::new).map(|token| (token, self.of(token))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostLogits;

    #[test]
    fn shares_are_among_what_is_allowed() {
        let weights = [1.0f32, 6.0, 3.0, 6.0];
        let mut logits = HostLogits(weights.iter().map(|weight| weight.ln()).collect());
        let mask = TokenMask::from_words(&[0b0111]);
        logits.apply_mask(&mask).unwrap();
        let token = TokenId::new(2);
        let record = TokenRecord::chosen(token, &mut logits, &mask, Duration::ZERO, 2).unwrap();
        assert_eq!((record.token, record.n_allowed, record.is_forced), (token, 3, false));
        assert!((record.log_probability - 0.3f64.ln()).abs() < 1e-6, "{record:?}");
        let top: Vec<u32> = record.top.iter().map(|(token, _)| token.get()).collect();
        assert_eq!(top, [1, 2]);
        assert!((record.top[0].1 - 0.6f64.ln()).abs() < 1e-6, "{record:?}");
        assert!(TokenRecord::chosen(token, &mut logits, &mask, Duration::ZERO, 9).unwrap().top.len() == 3);
    }
}
