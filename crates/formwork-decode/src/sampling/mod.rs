//! How is a token chosen? The settings; [`Sampler`] does the choosing.

mod candidates;
mod penalties;
mod random;
mod sampler;

use formwork::TokenId;

use crate::error::SamplingError;

pub use self::candidates::Candidate;
pub use self::sampler::Sampler;

/// How tokens are chosen from logits that were masked before.
///
/// Applied in this order: logit bias, repetition penalty, presence and frequency penalty, temperature, top-k, top-p,
/// min-p. The default is greedy.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits; 0 (the default) takes the greatest logit every time.
    pub temperature: f64,
    /// Keeps the `k` most probable tokens.
    pub top_k: Option<usize>,
    /// Keeps the most probable tokens that together reach this probability, in (0, 1].
    pub top_p: Option<f64>,
    /// Keeps tokens at least this fraction as probable as the most probable one, in [0, 1].
    pub min_p: Option<f64>,
    /// Divides positive and multiplies negative logits of tokens in the prompt or the output; 1 (the default) is off.
    pub repetition_penalty: f64,
    /// Taken off a logit for each time that its token is in the output; 0 (the default) is off.
    pub frequency_penalty: f64,
    /// Taken off a logit when its token is in the output; 0 (the default) is off.
    pub presence_penalty: f64,
    /// Added to single logits. A token that the mask forbids stays forbidden.
    pub logit_bias: Vec<(TokenId, f64)>,
    /// Start of the random numbers: the same seed and the same logits give the same tokens on every machine.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling {
            temperature: 0.0,
            top_k: None,
            top_p: None,
            min_p: None,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: 0,
        }
    }
}

impl Sampling {
    /// Takes the greatest logit every time.
    pub fn greedy() -> Sampling {
        Sampling::default()
    }

    /// Draws at `temperature`, with random numbers from `seed`.
    pub fn with_temperature(temperature: f64, seed: u64) -> Sampling {
        Sampling { temperature, seed, ..Sampling::default() }
    }

    /// Whether no random number is ever drawn.
    pub fn is_greedy(&self) -> bool {
        self.temperature == 0.0
    }

    /// Checks every setting's range.
    ///
    /// # Errors
    /// The first setting out of range.
    pub fn check(&self) -> Result<(), SamplingError> {
        check("temperature", self.temperature, "0 or more", |value| value >= 0.0)?;
        check("top_k", self.top_k.map_or(1.0, |k| k as f64), "1 or more", |value| value >= 1.0)?;
        check("top_p", self.top_p.unwrap_or(1.0), "above 0 and at most 1", |value| value > 0.0 && value <= 1.0)?;
        check("min_p", self.min_p.unwrap_or(0.0), "from 0 to 1", |value| (0.0..=1.0).contains(&value))?;
        check("repetition_penalty", self.repetition_penalty, "above 0", |value| value > 0.0)?;
        check("frequency_penalty", self.frequency_penalty, "a finite number", |_| true)?;
        check("presence_penalty", self.presence_penalty, "a finite number", |_| true)?;
        self.logit_bias.iter().try_for_each(|&(_, bias)| check("logit_bias", bias, "a finite number", |_| true))
    }
}

fn check(
    setting: &'static str,
    value: f64,
    range: &'static str,
    is_in_range: impl Fn(f64) -> bool,
) -> Result<(), SamplingError> {
    match value.is_finite() && is_in_range(value) {
        true => Ok(()),
        false => Err(SamplingError { setting, value, range }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let refused = |sampling: Sampling| sampling.check().unwrap_err().setting;
        assert_eq!(refused(Sampling::with_temperature(-1.0, 0)), "temperature");
        assert_eq!(refused(Sampling::with_temperature(f64::NAN, 0)), "temperature");
        assert_eq!(refused(Sampling { top_k: Some(0), ..Sampling::default() }), "top_k");
        assert_eq!(refused(Sampling { top_p: Some(0.0), ..Sampling::default() }), "top_p");
        assert_eq!(refused(Sampling { min_p: Some(1.5), ..Sampling::default() }), "min_p");
        assert_eq!(refused(Sampling { repetition_penalty: 0.0, ..Sampling::default() }), "repetition_penalty");
        let bias = vec![(TokenId::new(1), f64::INFINITY)];
        assert_eq!(refused(Sampling { logit_bias: bias, ..Sampling::default() }), "logit_bias");
        assert_eq!(Sampling::default().check(), Ok(()));
    }

    #[test]
    fn an_error_is_one_line_that_says_what_is_possible() {
        let error = Sampling { top_p: Some(1.5), ..Sampling::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "top_p is 1.5, it must be above 0 and at most 1");
    }
}
