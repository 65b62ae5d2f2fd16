//! Which output does the model find most probable? Beam search: the best few texts are followed at once, each with a
//! fork of the matcher.
//!
//! The probability of a token is its share among those that the grammar allows, at temperature 1.

use formwork::{Matcher, TokenId, TokenKind};

use crate::backend::Backend;
use crate::error::DecodeError;
use crate::sampling::{Candidate, Sampler, Sampling};
use crate::sequence::no_candidate;
use crate::speculative::n_shared;

/// An output of a beam search.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// Its tokens, without the prompt and the stop token.
    pub tokens: Vec<TokenId>,
    /// Natural logarithm of its probability: the sum over its tokens, the stop token included.
    pub log_probability: f64,
    /// Whether the text is complete; else it is cut at the limit of tokens.
    pub is_complete: bool,
    matcher: Matcher,
}

/// Follows the `n_beams` most probable outputs behind `prompt`, most probable first in the result. Each has `max_tokens`
/// tokens at most. Makes one pass for each beam and token; the backend's cache is cut to what two beams share.
///
/// # Errors
/// [`DecodeError::EmptyPrompt`], or what backend or engine report.
pub fn beam_search(
    backend: &mut dyn Backend,
    prompt: &[TokenId],
    matcher: Matcher,
    n_beams: usize,
    max_tokens: usize,
) -> Result<Vec<Hypothesis>, DecodeError> {
    if prompt.is_empty() {
        return Err(DecodeError::EmptyPrompt);
    }
    let room = backend.context_length().saturating_sub(prompt.len());
    let is_complete = matcher.is_finished();
    let mut beams = vec![Hypothesis { tokens: Vec::new(), log_probability: 0.0, is_complete, matcher }];
    let mut sampler = Sampler::new(Sampling::with_temperature(1.0, 0))?;
    for _ in 0..max_tokens.min(room) {
        if beams.iter().all(|beam| beam.is_complete) {
            break;
        }
        let mut next = Vec::new();
        for beam in beams {
            match beam.is_complete {
                true => next.push(beam),
                false => next.extend(expand(backend, prompt, beam, n_beams, &mut sampler)?),
            }
        }
        // Stable: of equals, the one found first.
        next.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
        next.truncate(n_beams.max(1));
        beams = next;
    }
    Ok(beams)
}

/// The `n_beams` most probable ways to go on by one token.
fn expand(
    backend: &mut dyn Backend,
    prompt: &[TokenId],
    mut beam: Hypothesis,
    n_beams: usize,
    sampler: &mut Sampler,
) -> Result<Vec<Hypothesis>, DecodeError> {
    let text = [prompt, &beam.tokens].concat();
    let n_cached = n_shared(backend.cached(), &text);
    backend.truncate(n_cached)?;
    let mut logits = backend.forward(&text[n_cached..])?;
    let vocabulary = beam.matcher.grammar().vocabulary().clone();
    let mask = beam.matcher.mask()?;
    logits.apply_mask(&mask)?;
    let mut candidates = sampler.distribution(logits.as_mut())?.to_vec();
    candidates.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    candidates.truncate(n_beams.max(1));
    if candidates.is_empty() {
        return Err(no_candidate(logits.as_mut(), &mask));
    }
    let extend = |candidate: &Candidate| {
        let mut longer = beam.clone();
        longer.matcher.accept_token(candidate.token)?;
        longer.log_probability += libm::log(candidate.probability);
        if vocabulary.kind(candidate.token) != TokenKind::Stop {
            longer.tokens.push(candidate.token);
        }
        longer.is_complete = longer.matcher.is_finished();
        Ok(longer)
    };
    candidates.iter().map(extend).collect()
}

#[cfg(test)]
mod tests {
    use formwork::{Compiler, Grammar};

    use super::*;
    use crate::scripted::{ByteTokenizer, MarkovBackend};
    use crate::tokenizer::TextTokenizer;

    const WEIGHTS: [[f32; 3]; 3] = [[4.0, 5.0, 1.0], [1.0, 1.0, 1.0], [9.0, 1.0, 1.0]];

    fn search(regex: &str, n_beams: usize, max_tokens: usize) -> Vec<(String, f64, bool)> {
        let tokenizer = ByteTokenizer::new();
        let compiled = Compiler::new(tokenizer.vocabulary().clone()).compile(&Grammar::regex(regex)).unwrap();
        let mut backend = MarkovBackend::new(WEIGHTS);
        let prompt = tokenizer.encode("a");
        let found = beam_search(&mut backend, &prompt, compiled.matcher(), n_beams, max_tokens).unwrap();
        let text = |beam: &Hypothesis| beam.tokens.iter().map(|token| char::from(token.get() as u8)).collect();
        found.iter().map(|beam| (text(beam), libm::exp(beam.log_probability), beam.is_complete)).collect()
    }

    #[test]
    fn a_beam_finds_what_greedy_search_misses() {
        let greedy = search("[abc]{2}", 1, 9);
        // b is the most probable first letter, 5/10, and what follows it is anything, 1/3.
        assert_eq!((greedy.len(), greedy[0].0.as_str()), (1, "ba"));
        assert!((greedy[0].1 - 5.0 / 30.0).abs() < 1e-6, "{greedy:?}");
        let wide = search("[abc]{2}", 9, 9);
        assert_eq!((wide.len(), wide[0].0.as_str()), (9, "ab"));
        assert!((wide[0].1 - 0.4 * 0.5).abs() < 1e-6, "{wide:?}");
        let total: f64 = wide.iter().map(|(_, probability, _)| probability).sum();
        assert!((total - 1.0).abs() < 1e-6 && wide.iter().all(|(.., is_complete)| *is_complete));
        assert_eq!(search("[abc]{2}", 2, 9)[0].0, "ab");
    }

    #[test]
    fn every_beam_obeys_the_grammar() {
        let found = search("a[bc]|ca", 5, 9);
        let mut texts: Vec<_> = found.iter().map(|(text, ..)| text.as_str()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["ab", "ac", "ca"]);
        let cut = search("[abc]{9}", 2, 4);
        assert!(cut.iter().all(|(text, _, is_complete)| text.len() == 4 && !is_complete), "{cut:?}");
    }
}
