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
    /// Without bias and penalties the logits stay on their device, as far as it can find the greatest ones or draw from
    /// all: a greedy choice copies one number, top-k its `k` candidates, top-p and min-p the few most probable tokens
    /// unless their share is too small.
    ///
    /// # Errors
    /// What the backend reports.
    pub fn sample(&mut self, logits: &mut dyn Logits) -> Result<Option<TokenId>, BackendError> {
        if !self.sampling.is_greedy() {
            let unit = self.random.next_unit();
            return self.sample_at(logits, unit);
        }
        if !self.sampling.adjusts_logits() {
            return logits.argmax();
        }
        self.fetch(logits)?;
        Ok(greatest(&self.logits))
    }

    fn sample_at(&mut self, logits: &mut dyn Logits, unit: f64) -> Result<Option<TokenId>, BackendError> {
        let draws_from_all = !self.sampling.adjusts_logits() && !self.sampling.narrows();
        if draws_from_all && let Some(token) = logits.draw(self.sampling.temperature, unit)? {
            return Ok(Some(token));
        }
        self.distribution(logits)?;
        Ok(draw(&self.candidates, unit))
    }

    /// Fills the candidates from the few logits that a device finds; whether they are all that are in the draw.
    fn fill_from_top(&mut self, logits: &mut dyn Logits) -> Result<bool, BackendError> {
        let Some(n) = self.sampling.n_top().filter(|_| !self.sampling.adjusts_logits()) else { return Ok(false) };
        let top = logits.top(n, self.sampling.temperature)?;
        Ok(top.is_some_and(|top| candidates::fill_from_top(&mut self.candidates, &top, n, &self.sampling)))
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
        if !self.sampling.is_greedy() && self.fill_from_top(logits)? {
            return Ok(&self.candidates);
        }
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
    use formwork::TokenMask;

    use super::*;
    use crate::backend::TopLogits;
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

    /// Logits that are hard to reach, as on a device.
    struct Remote {
        host: HostLogits,
        n_copies: usize,
    }

    impl Logits for Remote {
        fn width(&self) -> usize {
            self.host.width()
        }

        fn apply_mask(&mut self, mask: &TokenMask) -> Result<usize, BackendError> {
            self.host.apply_mask(mask)
        }

        fn argmax(&mut self) -> Result<Option<TokenId>, BackendError> {
            self.host.argmax()
        }

        fn copy_to(&mut self, out: &mut Vec<f32>) -> Result<(), BackendError> {
            self.n_copies += 1;
            self.host.copy_to(out)
        }

        fn top(&mut self, n: usize, temperature: f64) -> Result<Option<TopLogits>, BackendError> {
            let ids = (0..).map(TokenId::new);
            let mut logits: Vec<_> =
                ids.zip(self.host.0.iter().copied()).filter(|(_, logit)| logit.is_finite()).collect();
            logits.sort_by(|a, b| b.1.total_cmp(&a.1));
            let weight = |logit: f32| libm::exp(f64::from(logit - logits[0].1) / temperature);
            let total = logits.iter().map(|(_, logit)| weight(*logit)).sum();
            logits.truncate(n);
            Ok(Some(TopLogits { logits, total }))
        }

        fn draw(&mut self, temperature: f64, unit: f64) -> Result<Option<TokenId>, BackendError> {
            let mut all = Vec::new();
            candidates::fill(&mut all, &self.host.0, &Sampling::with_temperature(temperature, 0));
            Ok(draw(&all, unit))
        }
    }

    #[test]
    fn what_a_device_finds_is_drawn_as_from_all() {
        let with = |sampling: Sampling| Sampling { temperature: 0.8, seed: 5, ..sampling };
        let settings = [
            (with(Sampling::default()), 0),
            (with(Sampling { top_k: Some(7), ..Sampling::default() }), 0),
            (with(Sampling { top_k: Some(200), top_p: Some(0.6), ..Sampling::default() }), 0),
            (with(Sampling { top_p: Some(0.5), ..Sampling::default() }), 0),
            (with(Sampling { min_p: Some(0.05), ..Sampling::default() }), 0),
            (with(Sampling { top_p: Some(0.7), min_p: Some(0.001), ..Sampling::default() }), 0),
            // The nucleus is wider than what a device is asked for, or more are asked for than it is worth.
            (with(Sampling { top_p: Some(0.999_999), ..Sampling::default() }), 50),
            (with(Sampling { top_k: Some(300), ..Sampling::default() }), 50),
            (with(Sampling { top_k: Some(9), presence_penalty: 1.0, ..Sampling::default() }), 50),
        ];
        for (sampling, n_copies) in settings {
            let mut on_host = Sampler::new(sampling.clone()).unwrap();
            let mut on_device = Sampler::new(sampling.clone()).unwrap();
            let mut random = SplitMix64::new(11);
            for _ in 0..50 {
                let row: Vec<f32> = (0..1000).map(|_| (random.next_unit() * 12.0 - 6.0) as f32).collect();
                let mut remote = Remote { host: HostLogits(row.clone()), n_copies: 0 };
                let drawn = on_device.sample(&mut remote).unwrap();
                assert_eq!(drawn, on_host.sample(&mut HostLogits(row)).unwrap(), "{sampling:?}");
                assert_eq!(remote.n_copies, n_copies / 50, "{sampling:?}");
            }
        }
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
