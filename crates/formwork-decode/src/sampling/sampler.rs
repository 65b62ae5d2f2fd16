//! Which token comes next? The greatest logit, or one drawn from the candidates.

use formwork::TokenId;

use super::candidates::{self, Candidate};
use super::penalties::History;
use super::random::SplitMix64;
use super::{Sampling, SamplingError};
use crate::backend::Logits;
use crate::error::BackendError;
use crate::host::greatest;
use crate::speculative::Draft;

/// Chooses tokens for one sequence: settings, random numbers, and what was written so far.
///
/// Masks are the caller's part, before it calls.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    random: SplitMix64,
    history: History,
    logits: Vec<f32>,
    candidates: Vec<Candidate>,
}

impl Sampler {
    /// With settings that are checked here.
    ///
    /// # Errors
    /// A setting out of range.
    pub fn new(sampling: Sampling) -> Result<Sampler, SamplingError> {
        sampling.check()?;
        let random = SplitMix64::new(sampling.seed);
        Ok(Sampler { sampling, random, history: History::default(), logits: Vec::new(), candidates: Vec::new() })
    }

    /// The settings.
    pub fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// Counts tokens of the prompt, for the repetition penalty.
    pub fn add_prompt(&mut self, tokens: &[TokenId]) {
        tokens.iter().for_each(|&token| self.history.add_prompt(token));
    }

    /// Counts a token of the output, for all penalties.
    pub fn add_output(&mut self, token: TokenId) {
        self.history.add_output(token);
    }

    /// Counts `new` in place of the output's token `old`.
    pub(crate) fn replace_output(&mut self, old: TokenId, new: TokenId) {
        self.history.remove_output(old);
        self.history.add_output(new);
    }

    /// Chooses a token; `None` when every logit is −∞ or NaN. Draws one random number, or none when greedy.
    ///
    /// The logits stay on their device when the choice is greedy without bias and penalties.
    ///
    /// # Errors
    /// What the backend reports.
    pub fn sample(&mut self, logits: &mut dyn Logits) -> Result<Option<TokenId>, BackendError> {
        if !self.sampling.is_greedy() {
            self.distribution(logits)?;
            return Ok(draw(&self.candidates, self.random.next_unit()));
        }
        if !self.sampling.adjusts_logits() {
            return logits.argmax();
        }
        self.fetch(logits)?;
        Ok(greatest(&self.logits))
    }

    /// Chooses a token as [`Sampler::sample`] does, as far as the distribution goes, with `draft` first in the draw.
    pub(crate) fn verify(&mut self, logits: &mut dyn Logits, draft: &Draft) -> Result<Option<TokenId>, BackendError> {
        if self.sampling.is_greedy() {
            return self.sample(logits);
        }
        self.distribution(logits)?;
        let own = self.candidates.iter().find(|candidate| candidate.token == draft.token);
        let own_share = own.map_or(0.0, |candidate| candidate.probability);
        if self.random.next_unit() * draft.share(draft.token) < own_share {
            return Ok(Some(draft.token));
        }
        let mut rest = self.candidates.clone();
        for candidate in &mut rest {
            candidate.probability = (candidate.probability - draft.share(candidate.token)).max(0.0);
        }
        candidates::normalise(&mut rest);
        let has_rest = rest.iter().any(|candidate| candidate.probability > 0.0);
        let unit = self.random.next_unit();
        // Without a rest both shares are equal but for rounding.
        Ok(draw(if has_rest { &rest } else { &self.candidates }, unit))
    }

    /// Draws from `distribution`.
    pub(crate) fn draw(&mut self, distribution: &[Candidate]) -> Option<TokenId> {
        draw(distribution, self.random.next_unit())
    }

    /// The tokens in the draw with their shares, by rising id; one token when greedy, none when every logit is −∞ or
    /// NaN. What accepting or rejecting a draft needs; draws no random number.
    ///
    /// # Errors
    /// What the backend reports.
    pub fn distribution(&mut self, logits: &mut dyn Logits) -> Result<&[Candidate], BackendError> {
        self.fetch(logits)?;
        if self.sampling.is_greedy() {
            let best = greatest(&self.logits);
            self.candidates.clear();
            self.candidates.extend(best.map(|token| {
                let logit = self.logits[token.index()];
                Candidate { token, logit, probability: 1.0 }
            }));
        } else {
            candidates::fill(&mut self.candidates, &self.logits, &self.sampling);
        }
        Ok(&self.candidates)
    }

    fn fetch(&mut self, logits: &mut dyn Logits) -> Result<(), BackendError> {
        logits.copy_to(&mut self.logits)?;
        self.sampling.adjust(&mut self.logits, &self.history);
        Ok(())
    }
}

/// The candidate at `unit` of the way through the shares, which add up to 1 but for rounding.
fn draw(candidates: &[Candidate], unit: f64) -> Option<TokenId> {
    let mut reached = 0.0;
    let mut last_possible = None;
    for candidate in candidates.iter().filter(|candidate| candidate.probability > 0.0) {
        reached += candidate.probability;
        last_possible = Some(candidate.token);
        if unit < reached {
            break;
        }
    }
    last_possible
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostLogits;

    fn sample_n(sampling: Sampling, weights: &[f32], n: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(sampling).unwrap();
        let mut logits = HostLogits(weights.iter().map(|weight| weight.ln()).collect());
        (0..n).map(|_| sampler.sample(&mut logits).unwrap().unwrap().get()).collect()
    }

    #[test]
    fn shares_come_out_as_drawn() {
        let drawn = sample_n(Sampling::with_temperature(1.0, 3), &[1.0, 0.0, 3.0], 4000);
        let n_first = drawn.iter().filter(|&&id| id == 0).count();
        assert!(drawn.iter().all(|&id| id != 1));
        assert!((900..1100).contains(&n_first), "{n_first}");
    }

    #[test]
    fn temperature_sharpens() {
        let drawn = sample_n(Sampling::with_temperature(0.1, 3), &[1.0, 3.0], 100);
        assert!(drawn.iter().all(|&id| id == 1));
    }

    /// A recorded text: fails when the generator, the order of the candidates or the arithmetic changes.
    #[test]
    fn a_seed_means_the_same_for_good() {
        let sampling = Sampling { top_p: Some(0.95), ..Sampling::with_temperature(0.9, 42) };
        let drawn = sample_n(sampling, &[1.0, 2.0, 3.0, 4.0], 12);
        assert_eq!(drawn, [3, 1, 1, 2, 0, 3, 1, 3, 2, 3, 1, 2]);
    }

    #[test]
    fn greedy_with_bias_agrees_with_its_distribution() {
        let sampling = Sampling { logit_bias: vec![(TokenId::new(0), 5.0)], ..Sampling::greedy() };
        let mut sampler = Sampler::new(sampling).unwrap();
        let mut logits = HostLogits(vec![1.0, 2.0, f32::NAN]);
        assert_eq!(sampler.sample(&mut logits).unwrap(), Some(TokenId::new(0)));
        let distribution = sampler.distribution(&mut logits).unwrap();
        assert_eq!(distribution, [Candidate { token: TokenId::new(0), logit: 6.0, probability: 1.0 }]);
    }

    #[test]
    fn nothing_left_is_none() {
        let mut logits = HostLogits(vec![f32::NEG_INFINITY, f32::NAN]);
        for sampling in [Sampling::greedy(), Sampling::with_temperature(1.0, 0)] {
            assert_eq!(Sampler::new(sampling).unwrap().sample(&mut logits).unwrap(), None);
        }
    }

    #[test]
    fn rounding_never_draws_past_the_end() {
        let candidate = |id, probability| Candidate { token: TokenId::new(id), logit: 0.0, probability };
        assert_eq!(draw(&[candidate(0, 0.3), candidate(1, 0.3), candidate(2, 0.0)], 0.99), Some(TokenId::new(1)));
        assert_eq!(draw(&[candidate(0, 0.0), candidate(1, 1.0)], 0.0), Some(TokenId::new(1)));
    }
}
