//! Which of several sampled outputs does the model find most probable? Best of n, by summed log probability.

use formwork::{Matcher, TokenId, TokenKind};

use crate::backend::Backend;
use crate::config::GenerationConfig;
use crate::error::DecodeError;
use crate::generate::{Generation, generate};
use crate::sampling::{Sampler, Sampling};
use crate::sequence::{FinishReason, Sequence, no_candidate};
use crate::speculative::n_shared;
use crate::tokenizer::TextTokenizer;

/// An output and how probable it is.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The output.
    pub generation: Generation,
    /// Natural logarithm of its probability: the sum over its tokens, forced ones included, and over the stop token where
    /// the text could have gone on. Shares are among the tokens that the grammar allows, at temperature 1.
    pub log_probability: f64,
}

/// Writes `n` outputs with the seeds that follow the config's, and gives them most probable first.
///
/// # Errors
/// As [`generate`].
pub fn best_of(
    backend: &mut dyn Backend,
    tokenizer: &dyn TextTokenizer,
    prompt: &[TokenId],
    matcher: &Matcher,
    config: &GenerationConfig,
    n: u32,
) -> Result<Vec<Scored>, DecodeError> {
    let mut outputs = Vec::new();
    for offset in 0..n {
        let mut config = config.clone();
        config.sampling.seed = config.sampling.seed.wrapping_add(offset.into());
        let sequence = Sequence::constrained(tokenizer, prompt, matcher.fork(), &config)?;
        let generation = generate(backend, sequence)?;
        let log_probability = score(backend, prompt, &generation, matcher.fork())?;
        outputs.push(Scored { generation, log_probability });
    }
    // Stable: of equals, the lower seed first.
    outputs.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
    Ok(outputs)
}

/// Feeds an output once more, with the logits of every position.
fn score(
    backend: &mut dyn Backend,
    prompt: &[TokenId],
    generation: &Generation,
    mut matcher: Matcher,
) -> Result<f64, DecodeError> {
    let n_cached = n_shared(backend.cached(), prompt);
    backend.truncate(n_cached)?;
    let output = &generation.tokens;
    // What follows the last token matters only where a stop token was chosen.
    let n_scored = output.len() + usize::from(generation.finish == FinishReason::Stop);
    let n_fed = n_scored.saturating_sub(1);
    let fed = [&prompt[n_cached..], &output[..n_fed]].concat();
    let mut each = backend.forward_each(&fed)?;
    let vocabulary = matcher.grammar().vocabulary().clone();
    let mut sampler = Sampler::new(Sampling::with_temperature(1.0, 0))?;
    let mut total = 0.0;
    for (index, logits) in each.iter_mut().skip(prompt.len() - n_cached - 1).take(n_scored).enumerate() {
        if matcher.is_finished() {
            break;
        }
        let mask = matcher.mask()?;
        logits.apply_mask(&mask)?;
        let next = output.get(index);
        let candidates = sampler.distribution(logits.as_mut())?;
        let is_chosen = |token: TokenId| match next {
            Some(next) => token == *next,
            None => vocabulary.kind(token) == TokenKind::Stop,
        };
        let chosen = candidates.iter().filter(|candidate| is_chosen(candidate.token));
        let share: f64 = chosen.map(|candidate| candidate.probability).sum();
        if candidates.is_empty() {
            return Err(no_candidate(logits.as_mut(), &mask));
        }
        total += libm::log(share);
        if let Some(&token) = next {
            matcher.accept_token(token)?;
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use formwork::{Compiler, Grammar};

    use super::*;
    use crate::scripted::{ByteTokenizer, MarkovBackend};

    #[test]
    fn outputs_are_ranked_by_their_exact_probability() {
        let tokenizer = ByteTokenizer::new();
        let compiled = Compiler::new(tokenizer.vocabulary().clone()).compile(&Grammar::regex("[abc]{1,2}")).unwrap();
        let weights: [[f32; 3]; 3] = [[4.0, 5.0, 1.0], [1.0, 1.0, 1.0], [9.0, 1.0, 1.0]];
        let mut backend = MarkovBackend::new(weights);
        let config = GenerationConfig { sampling: Sampling::with_temperature(1.0, 5), ..GenerationConfig::default() };
        let prompt = tokenizer.encode("a");
        let ranked = best_of(&mut backend, &tokenizer, &prompt, &compiled.matcher(), &config, 20).unwrap();
        assert_eq!(ranked.len(), 20);
        assert!(ranked.is_sorted_by(|a, b| a.log_probability >= b.log_probability));
        assert!(ranked[0].log_probability > ranked[19].log_probability);
        for output in &ranked {
            let letters: Vec<usize> = output.generation.text.bytes().map(|byte| usize::from(byte - b'a')).collect();
            let mut share = f64::from(weights[0][letters[0]]) / 10.0;
            // Behind the first letter the text may stop, with weight 1.
            let row = weights[letters[0]];
            let total = f64::from(row.iter().sum::<f32>()) + 1.0;
            share *= letters.get(1).map_or(1.0, |&second| f64::from(row[second])) / total;
            assert!((libm::exp(output.log_probability) - share).abs() < 1e-6, "{output:?}");
        }
    }
}
