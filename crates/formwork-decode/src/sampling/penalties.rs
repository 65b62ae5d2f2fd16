//! How does what was written change the logits? Bias and penalties, each on single tokens.

use std::collections::BTreeMap;

use formwork::TokenId;

use super::Sampling;

/// Which tokens were seen, and how often in the output.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    n_in_output: BTreeMap<TokenId, u32>,
}

impl History {
    /// A token of the prompt: counts for the repetition penalty only.
    pub(super) fn add_prompt(&mut self, token: TokenId) {
        self.n_in_output.entry(token).or_insert(0);
    }

    /// A token of the output.
    pub(super) fn add_output(&mut self, token: TokenId) {
        let count = self.n_in_output.entry(token).or_insert(0);
        *count = count.saturating_add(1);
    }

    /// A token of the output was taken back.
    pub(super) fn remove_output(&mut self, token: TokenId) {
        if let Some(count) = self.n_in_output.get_mut(&token) {
            *count = count.saturating_sub(1);
        }
    }
}

impl Sampling {
    /// Whether bias or penalties can change a logit.
    pub(super) fn adjusts_logits(&self) -> bool {
        !self.logit_bias.is_empty() || self.has_penalties()
    }

    fn has_penalties(&self) -> bool {
        self.repetition_penalty != 1.0 || self.frequency_penalty != 0.0 || self.presence_penalty != 0.0
    }

    /// Applies bias and penalties. −∞ stays −∞, and no NaN comes about: all settings are finite.
    pub(super) fn adjust(&self, logits: &mut [f32], history: &History) {
        for &(token, bias) in &self.logit_bias {
            if let Some(logit) = logits.get_mut(token.index()) {
                *logit = (f64::from(*logit) + bias) as f32;
            }
        }
        if self.has_penalties() {
            for (token, &n_in_output) in &history.n_in_output {
                if let Some(logit) = logits.get_mut(token.index()) {
                    *logit = self.penalised(f64::from(*logit), n_in_output) as f32;
                }
            }
        }
    }

    fn penalised(&self, logit: f64, n_in_output: u32) -> f64 {
        let repeated = match logit > 0.0 {
            true => logit / self.repetition_penalty,
            false => logit * self.repetition_penalty,
        };
        let presence = if n_in_output > 0 { self.presence_penalty } else { 0.0 };
        repeated - presence - self.frequency_penalty * f64::from(n_in_output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adjusted(sampling: Sampling, logits: &[f32]) -> Vec<f32> {
        let mut history = History::default();
        history.add_prompt(TokenId::new(0));
        history.add_output(TokenId::new(1));
        history.add_output(TokenId::new(1));
        history.add_output(TokenId::new(99));
        let mut logits = logits.to_vec();
        sampling.adjust(&mut logits, &history);
        logits
    }

    #[test]
    fn repetition_pushes_both_signs_down() {
        let sampling = Sampling { repetition_penalty: 2.0, ..Sampling::default() };
        assert_eq!(adjusted(sampling, &[4.0, -4.0, 4.0]), [2.0, -8.0, 4.0]);
    }

    #[test]
    fn frequency_and_presence_count_the_output_only() {
        let sampling = Sampling { frequency_penalty: 1.0, presence_penalty: 0.5, ..Sampling::default() };
        assert_eq!(adjusted(sampling, &[4.0, 4.0, 4.0]), [4.0, 1.5, 4.0]);
    }

    #[test]
    fn forbidden_tokens_stay_forbidden() {
        let bias = vec![(TokenId::new(0), 100.0), (TokenId::new(2), -3.0), (TokenId::new(77), 1.0)];
        let sampling = Sampling { logit_bias: bias, repetition_penalty: 0.5, ..Sampling::default() };
        let none = f32::NEG_INFINITY;
        assert_eq!(adjusted(sampling, &[none, none, 1.0]), [none, none, -2.0]);
    }
}
