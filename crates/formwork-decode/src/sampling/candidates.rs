//! Which tokens are in the draw, and how probable is each? Top-k, softmax, top-p and min-p over a short list.

use std::cmp::Ordering;

use formwork::TokenId;

use super::Sampling;
use crate::backend::TopLogits;

/// Most candidates that a device is asked for: sorting more there costs more than copying all.
const MAX_TOP: usize = 256;

impl Sampling {
    /// Whether tokens are left out of the draw for being improbable.
    pub(super) fn narrows(&self) -> bool {
        self.top_k.is_some() || self.cuts_tail()
    }

    fn cuts_tail(&self) -> bool {
        self.top_p.is_some_and(|p| p < 1.0) || self.min_p.is_some_and(|p| p > 0.0)
    }

    /// How many of the greatest logits may hold all that are in the draw.
    pub(super) fn n_top(&self) -> Option<usize> {
        match self.top_k {
            Some(k) => (k <= MAX_TOP).then_some(k),
            None => self.cuts_tail().then_some(MAX_TOP),
        }
    }
}

/// A token that may be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The token.
    pub token: TokenId,
    /// Its logit after mask, bias and penalties.
    pub logit: f32,
    /// Its share of the draw; the shares of all candidates add up to 1.
    pub probability: f64,
}

/// Replaces `candidates` by the tokens in the draw. Empty when every logit is −∞ or NaN.
pub(super) fn fill(candidates: &mut Vec<Candidate>, logits: &[f32], sampling: &Sampling) {
    candidates.clear();
    candidates.extend(logits.iter().zip(0..).filter(|(logit, _)| **logit > f32::NEG_INFINITY).map(|(&logit, id)| {
        // A logit of +∞ would make every difference to it NaN.
        Candidate { token: TokenId::new(id), logit: logit.min(f32::MAX), probability: 0.0 }
    }));
    if let Some(k) = sampling.top_k {
        keep_greatest(candidates, k);
    }
    softmax(candidates, sampling.temperature);
    cut_tail(candidates, sampling);
}

/// The same from the `n` greatest logits; `false` when a token that is not among them may be in the draw.
pub(super) fn fill_from_top(candidates: &mut Vec<Candidate>, top: &TopLogits, n: usize, sampling: &Sampling) -> bool {
    candidates.clear();
    let (Some(&(_, greatest)), true) = (top.logits.first(), top.total.is_finite()) else { return false };
    candidates.extend(top.logits.iter().map(|&(token, logit)| {
        let below = f64::from(logit) - f64::from(greatest);
        Candidate { token, logit, probability: libm::exp(below / sampling.temperature) / top.total }
    }));
    let is_all = candidates.len() < n;
    let reached: f64 = candidates.iter().map(|candidate| candidate.probability).sum();
    let last = candidates.last().map_or(0.0, |candidate| candidate.probability);
    let holds_nucleus = sampling.top_p.is_some_and(|p| p < 1.0 && reached >= p);
    let reaches_floor = sampling.min_p.is_some_and(|p| last < p * most_probable(candidates));
    candidates.sort_unstable_by_key(|candidate| candidate.token);
    if sampling.top_k.is_some() {
        softmax(candidates, sampling.temperature);
    } else if !(is_all || holds_nucleus || reaches_floor) {
        return false;
    }
    cut_tail(candidates, sampling);
    true
}

/// Leaves out the improbable and spreads their share over the others.
fn cut_tail(candidates: &mut Vec<Candidate>, sampling: &Sampling) {
    if let Some(p) = sampling.top_p.filter(|&p| p < 1.0) {
        keep_nucleus(candidates, p);
    }
    if let Some(p) = sampling.min_p.filter(|&p| p > 0.0) {
        let floor = p * most_probable(candidates);
        candidates.retain(|candidate| candidate.probability >= floor);
    }
    normalise(candidates);
}

/// Greatest first, the lower id first among equals: a total order, as no logit is NaN here.
fn by_rank(a: &Candidate, b: &Candidate) -> Ordering {
    b.logit.total_cmp(&a.logit).then(a.token.cmp(&b.token))
}

fn keep_greatest(candidates: &mut Vec<Candidate>, k: usize) {
    if k < candidates.len() {
        candidates.select_nth_unstable_by(k, by_rank);
        candidates.truncate(k);
        candidates.sort_unstable_by_key(|candidate| candidate.token);
    }
}

/// `libm`'s exponential, because the platform's may differ in the last bit from machine to machine.
fn softmax(candidates: &mut [Candidate], temperature: f64) {
    let greatest = candidates.iter().map(|candidate| candidate.logit).fold(f32::NEG_INFINITY, f32::max);
    for candidate in candidates.iter_mut() {
        let below = f64::from(candidate.logit) - f64::from(greatest);
        candidate.probability = libm::exp(below / temperature);
    }
    normalise(candidates);
}

pub(super) fn normalise(candidates: &mut [Candidate]) {
    let total: f64 = candidates.iter().map(|candidate| candidate.probability).sum();
    if total > 0.0 {
        candidates.iter_mut().for_each(|candidate| candidate.probability /= total);
    }
}

fn most_probable(candidates: &[Candidate]) -> f64 {
    candidates.iter().map(|candidate| candidate.probability).fold(0.0, f64::max)
}

/// Keeps the most probable candidates up to and including the one that reaches `p`.
fn keep_nucleus(candidates: &mut Vec<Candidate>, p: f64) {
    // All candidates below this share together hold less than 1 - p, so none is in the nucleus: no need to sort them.
    // The most probable one stays, whatever the rounding.
    let floor = ((1.0 - p) / candidates.len() as f64).min(most_probable(candidates));
    candidates.retain(|candidate| candidate.probability >= floor);
    candidates.sort_unstable_by(by_rank);
    let mut reached = 0.0;
    let inside = candidates.iter().take_while(|candidate| {
        let is_inside = reached < p;
        reached += candidate.probability;
        is_inside
    });
    let n_inside = inside.count();
    candidates.truncate(n_inside);
    candidates.sort_unstable_by_key(|candidate| candidate.token);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens and shares in percent, for logits that are logarithms of `weights`.
    fn shares(weights: &[f32], sampling: Sampling) -> Vec<(u32, f64)> {
        let logits: Vec<f32> = weights.iter().map(|weight| weight.ln()).collect();
        let mut candidates = Vec::new();
        fill(&mut candidates, &logits, &Sampling { temperature: 1.0, ..sampling });
        candidates.iter().map(|c| (c.token.get(), (c.probability * 100.0).round())).collect()
    }

    #[test]
    fn softmax_gives_the_weights_back() {
        assert_eq!(shares(&[1.0, 2.0, 0.0, 1.0], Sampling::default()), [(0, 25.0), (1, 50.0), (3, 25.0)]);
    }

    #[test]
    fn top_k_takes_the_lower_id_among_equals() {
        let sampling = Sampling { top_k: Some(2), ..Sampling::default() };
        assert_eq!(shares(&[1.0, 3.0, 1.0], sampling), [(0, 25.0), (1, 75.0)]);
    }

    #[test]
    fn top_p_includes_the_token_that_reaches_it() {
        let nucleus = |p| shares(&[1.0, 2.0, 6.0, 1.0], Sampling { top_p: Some(p), ..Sampling::default() });
        assert_eq!(nucleus(0.5), [(2, 100.0)]);
        assert_eq!(nucleus(0.7), [(1, 25.0), (2, 75.0)]);
        assert_eq!(nucleus(1e-9), [(2, 100.0)]);
        assert_eq!(nucleus(1.0).len(), 4);
    }

    #[test]
    fn min_p_is_relative_to_the_most_probable() {
        let sampling = Sampling { min_p: Some(0.3), ..Sampling::default() };
        assert_eq!(shares(&[1.0, 2.0, 5.0], sampling), [(1, 29.0), (2, 71.0)]);
    }

    #[test]
    fn strange_logits_make_no_nan() {
        let logits = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0];
        let mut candidates = Vec::new();
        fill(&mut candidates, &logits, &Sampling::with_temperature(1e-30, 0));
        let shares: Vec<_> = candidates.iter().map(|c| (c.token.get(), c.probability)).collect();
        assert_eq!(shares, [(1, 0.5), (3, 0.5), (4, 0.0), (5, 0.0)]);
    }

    #[test]
    fn a_flat_long_tail_keeps_its_nucleus() {
        let kept = shares(&vec![1.0; 1000], Sampling { top_p: Some(0.5), ..Sampling::default() });
        assert!((500..=501).contains(&kept.len()), "{}", kept.len());
        assert_eq!(kept[0].0, 0);
    }
}
