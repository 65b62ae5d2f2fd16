//! How are several tokens written in one pass of the model? Speculative decoding: a drafter proposes, the model checks.
//!
//! The drafter proposes tokens under the same grammar. The model sees all of them in one pass, and each is accepted with
//! probability `min(1, p / q)`, where `p` is the model's share of the token and `q` the drafter's; at the first rejection
//! a token is drawn from what `p` has beyond `q` (Leviathan, Kalman and Matias, "Fast inference from transformers via
//! speculative decoding", 2023). So the output is distributed as without a draft, and greedy output is the same text.

use formwork::{TokenId, TokenKind, TokenMask, Vocabulary};

use crate::backend::{Backend, Logits};
use crate::constraint::Constraint;
use crate::error::DecodeError;
use crate::generate::{Generation, finished, prepare, step};
use crate::sampling::{Candidate, Sampler, Sampling};
use crate::sequence::Sequence;
use crate::stats::timed;

/// One proposed token and the distribution it was drawn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The token.
    pub token: TokenId,
    /// The shares that it was drawn from; empty where it was not drawn but is certain.
    pub distribution: Vec<Candidate>,
}

impl Draft {
    /// The drafter's share of a token.
    pub(crate) fn share(&self, token: TokenId) -> f64 {
        match self.distribution.is_empty() {
            true => f64::from(u8::from(token == self.token)),
            false => {
                let found = self.distribution.iter().find(|candidate| candidate.token == token);
                found.map_or(0.0, |candidate| candidate.probability)
            }
        }
    }
}

/// Proposes how an output may go on.
///
/// Whether a token is proposed at all must not depend on which token was drawn for its place; else the output's
/// distribution changes.
pub trait Drafter {
    /// Up to `n_tokens` tokens behind `tokens`, which are the prompt and the output, each accepted by `path`.
    ///
    /// # Errors
    /// What a draft model or the grammar's engine report.
    fn draft(
        &mut self,
        tokens: &[TokenId],
        path: &mut DraftPath<'_>,
        n_tokens: usize,
    ) -> Result<Vec<Draft>, DecodeError>;
}

/// The grammar's view of a draft: what it accepts is not accepted by the output.
pub struct DraftPath<'a> {
    constraint: Box<dyn Constraint + 'a>,
    vocabulary: &'a Vocabulary,
    n_accepted: usize,
}

impl<'a> DraftPath<'a> {
    pub(crate) fn new(constraint: Box<dyn Constraint + 'a>, vocabulary: &'a Vocabulary) -> DraftPath<'a> {
        DraftPath { constraint, vocabulary, n_accepted: 0 }
    }

    /// The mask of the tokens that may come next.
    ///
    /// # Errors
    /// A limit of the grammar's engine.
    pub fn mask(&mut self) -> Result<TokenMask, DecodeError> {
        Ok(self.constraint.mask()?)
    }

    /// Takes a token; whether the grammar allows it.
    pub fn accept(&mut self, token: TokenId) -> bool {
        let is_accepted = self.constraint.accept_token(token).is_ok();
        self.n_accepted += usize::from(is_accepted);
        is_accepted
    }

    /// Whether the text ends behind `token`, which was accepted last.
    pub fn ends_with(&self, token: TokenId) -> bool {
        self.vocabulary.kind(token) == TokenKind::Stop || self.constraint.is_finished()
    }
}

impl std::fmt::Debug for DraftPath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftPath").field("n_accepted", &self.n_accepted).finish_non_exhaustive()
    }
}

/// A small model with the same vocabulary as a drafter.
#[derive(Debug)]
pub struct DraftModel<B> {
    backend: B,
    sampler: Sampler,
}

impl<B: Backend> DraftModel<B> {
    /// Drafts with `sampling`, which is best the same as the output's; its seed must be another one.
    ///
    /// # Errors
    /// A sampling setting out of range.
    pub fn new(backend: B, sampling: Sampling) -> Result<DraftModel<B>, DecodeError> {
        Ok(DraftModel { backend, sampler: Sampler::new(sampling)? })
    }

    /// Cuts the cache to what it shares with `tokens` and feeds the rest.
    fn follow(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, DecodeError> {
        let n_shared = n_shared(self.backend.cached(), tokens);
        self.backend.truncate(n_shared)?;
        Ok(self.backend.forward(&tokens[n_shared..])?)
    }
}

impl<B: Backend> Drafter for DraftModel<B> {
    fn draft(
        &mut self,
        tokens: &[TokenId],
        path: &mut DraftPath<'_>,
        n_tokens: usize,
    ) -> Result<Vec<Draft>, DecodeError> {
        let mut drafts: Vec<Draft> = Vec::new();
        let mut text = tokens.to_vec();
        while drafts.len() < n_tokens && text.len() <= self.backend.context_length() {
            let mut logits = self.follow(&text)?;
            logits.apply_mask(&path.mask()?)?;
            let distribution = self.sampler.distribution(logits.as_mut())?.to_vec();
            let Some(token) = self.sampler.draw(&distribution).filter(|token| path.accept(*token)) else { break };
            drafts.push(Draft { token, distribution });
            text.push(token);
            if path.ends_with(token) {
                break;
            }
        }
        Ok(drafts)
    }
}

/// Proposes what followed the last tokens where they stood before, in the prompt or the output. Needs no model.
#[derive(Clone, Debug)]
pub struct PromptLookup {
    /// Tokens at the end to look for at most (default 3); shorter ends are tried after longer ones.
    pub max_match: usize,
}

impl Default for PromptLookup {
    fn default() -> PromptLookup {
        PromptLookup { max_match: 3 }
    }
}

impl PromptLookup {
    /// What followed the latest earlier place of the longest end. O(tokens × `max_match`).
    fn continuation<'t>(&self, tokens: &'t [TokenId]) -> &'t [TokenId] {
        for n in (1..=self.max_match.min(tokens.len().saturating_sub(1))).rev() {
            let end = &tokens[tokens.len() - n..];
            let earlier = &tokens[..tokens.len() - 1];
            if let Some(at) = earlier.windows(n).rposition(|window| window == end) {
                return &tokens[at + n..];
            }
        }
        &[]
    }
}

impl Drafter for PromptLookup {
    fn draft(
        &mut self,
        tokens: &[TokenId],
        path: &mut DraftPath<'_>,
        n_tokens: usize,
    ) -> Result<Vec<Draft>, DecodeError> {
        let found = self.continuation(tokens).iter().take(n_tokens);
        let accepted = found.take_while(|token| path.accept(**token));
        Ok(accepted.map(|&token| Draft { token, distribution: Vec::new() }).collect())
    }
}

/// What drafts were worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DraftStats {
    /// Tokens proposed.
    pub proposed: usize,
    /// Proposed tokens that the model accepted.
    pub accepted: usize,
}

/// Writes `sequence` to its end with drafts of up to `n_draft` tokens. The number of the model's passes is in the
/// generation's stats, a call of `forward_each` as one; a backend whose `forward_each` makes one pass per token gains nothing.
///
/// # Errors
/// As [`generate`](crate::generate), and what the drafter reports.
pub fn generate_speculative(
    backend: &mut dyn Backend,
    drafter: &mut dyn Drafter,
    mut sequence: Sequence<'_>,
    n_draft: usize,
) -> Result<(Generation, DraftStats), DecodeError> {
    prepare(backend, &mut sequence)?;
    let mut stats = DraftStats::default();
    // The prompt is fed alone: no logits but its last are needed.
    if sequence.finish_reason().is_none() && !sequence.config().cancel.is_cancelled() {
        step(backend, &mut sequence)?;
    }
    while sequence.finish_reason().is_none() {
        match sequence.config().cancel.is_cancelled() {
            true => sequence.cancel(),
            false => round(backend, drafter, &mut sequence, n_draft, &mut stats)?,
        }
    }
    Ok((finished(&sequence), stats))
}

/// One draft, one pass, and as many tokens as the model accepts, and one more.
fn round(
    backend: &mut dyn Backend,
    drafter: &mut dyn Drafter,
    sequence: &mut Sequence<'_>,
    n_draft: usize,
    stats: &mut DraftStats,
) -> Result<(), DecodeError> {
    let n_cached = n_shared(backend.cached(), sequence.prompt_and_output());
    backend.truncate(n_cached)?;
    sequence.set_input_start(n_cached);
    let room = backend.context_length().saturating_sub(sequence.prompt_and_output().len());
    let drafts = sequence.draft(drafter, n_draft.min(room))?;
    stats.proposed += drafts.len();
    let n_before = sequence.prompt_and_output().len();
    let mut fed = sequence.input().to_vec();
    fed.extend(drafts.iter().map(|draft| draft.token));
    let mut model_time = std::time::Duration::ZERO;
    let each = timed(&mut model_time, || backend.forward_each(&fed));
    sequence.stats_mut().model += model_time;
    sequence.stats_mut().forward_passes += 1;
    let mut each = each?;
    sequence.prepare_masks_along(&drafts);
    while sequence.finish_reason().is_none() {
        let written = &sequence.prompt_and_output()[n_cached..];
        // Behind a rejected token, or one that gave way to forced text, the logits are those of another text.
        if !fed.starts_with(written) {
            break;
        }
        let n_written = written.len();
        let Some(logits) = each.get_mut(n_written - 1) else { break };
        let draft = drafts.get(n_cached + n_written - n_before);
        let chosen = sequence.advance_with_draft(logits.as_mut(), draft)?;
        stats.accepted += usize::from(draft.is_some_and(|draft| draft.token == chosen));
    }
    Ok(())
}

/// Length of the common prefix, leaving at least one token to feed: its logits are needed.
pub(crate) fn n_shared(cached: &[TokenId], input: &[TokenId]) -> usize {
    let n_equal = cached.iter().zip(input).take_while(|(a, b)| a == b).count();
    n_equal.min(input.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use formwork::{Compiler, Grammar};

    use super::*;
    use crate::config::GenerationConfig;
    use crate::generate::generate;
    use crate::scripted::{ByteTokenizer, MarkovBackend, ScriptedBackend};
    use crate::tokenizer::TextTokenizer;

    const WEIGHTS: [[f32; 3]; 3] = [[1.0, 2.0, 5.0], [4.0, 3.0, 1.0], [1.0, 1.0, 2.0]];
    const DRAFT_WEIGHTS: [[f32; 3]; 3] = [[2.0, 2.0, 1.0], [1.0, 4.0, 1.0], [3.0, 1.0, 2.0]];

    fn share(text: &str) -> f64 {
        let mut before = 0;
        text.bytes().fold(1.0, |share, byte| {
            let (row, letter) = (WEIGHTS[before], usize::from(byte - b'a'));
            before = letter;
            share * f64::from(row[letter]) / f64::from(row.iter().sum::<f32>())
        })
    }

    /// Pearson's statistic of `n` outputs against exact shares, and what the drafts were worth.
    fn chi_squared(n: u64, mut drafter: impl FnMut(u64) -> Box<dyn Drafter>) -> (f64, DraftStats) {
        let tokenizer = ByteTokenizer::new();
        let compiler = Compiler::new(tokenizer.vocabulary().clone());
        let compiled = compiler.compile(&Grammar::regex("[abc]{3}")).unwrap();
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        let mut total = DraftStats::default();
        for seed in 0..n {
            let sampling = Sampling::with_temperature(1.0, seed.wrapping_mul(0x2545_F491_4F6C_DD1D));
            let config = GenerationConfig { sampling, ..GenerationConfig::default() };
            let prompt = tokenizer.encode("abcab");
            let prompt = [&prompt[..], &tokenizer.encode("a")].concat();
            let sequence = Sequence::constrained(&tokenizer, &prompt, compiled.matcher(), &config).unwrap();
            let mut backend = MarkovBackend::new(WEIGHTS);
            let (generation, stats) = generate_speculative(&mut backend, drafter(seed).as_mut(), sequence, 2).unwrap();
            *counts.entry(generation.text).or_default() += 1.0;
            total.proposed += stats.proposed;
            total.accepted += stats.accepted;
        }
        let letters = ["a", "b", "c"];
        let texts =
            letters.iter().flat_map(|a| letters.iter().flat_map(move |b| letters.map(|c| format!("{a}{b}{c}"))));
        let cells = texts.map(|text| {
            let expected = share(&text) * n as f64;
            (counts.remove(&text).unwrap_or_default() - expected).powi(2) / expected
        });
        let statistic = cells.sum();
        assert!(counts.is_empty(), "{counts:?}");
        (statistic, total)
    }

    /// With 26 degrees of freedom a value above 54.1 has probability 0.001.
    #[test]
    fn sampled_output_is_distributed_as_without_a_draft() {
        let (statistic, stats) = chi_squared(10_000, |seed| {
            let sampling = Sampling::with_temperature(1.0, seed.wrapping_mul(0x9E6C_63D0_876A_3F35) + 77);
            Box::new(DraftModel::new(MarkovBackend::new(DRAFT_WEIGHTS), sampling).unwrap())
        });
        assert!(statistic < 54.1, "{statistic}");
        assert!(stats.accepted > stats.proposed / 3 && stats.accepted < stats.proposed * 9 / 10, "{stats:?}");
        let (statistic, stats) = chi_squared(10_000, |_| Box::new(PromptLookup::default()));
        assert!(statistic < 54.1, "{statistic}");
        assert!(stats.accepted > 0 && stats.accepted < stats.proposed, "{stats:?}");
    }

    #[test]
    fn greedy_text_is_the_same_in_fewer_passes() {
        let tokenizer = ByteTokenizer::new();
        let compiler = Compiler::new(tokenizer.vocabulary().clone());
        let compiled = compiler.compile(&Grammar::regex(r#"\{"k": "[a-z]{1,9}", "l": [0-9]{3}\}"#)).unwrap();
        let prompt = tokenizer.encode("say:");
        let text = r#"{"k": "abcabcx", "l": 123}"#;
        let wrong = r#"{"k": "abcazcx", "l": 173}"#;
        for fast_forward in [true, false] {
            let config = GenerationConfig { fast_forward, ..GenerationConfig::default() };
            let new = || Sequence::constrained(&tokenizer, &prompt, compiled.matcher(), &config).unwrap();
            let plain = generate(&mut ScriptedBackend::reciting(4, text), new()).unwrap();
            assert_eq!(plain.text, text);
            let draft_backend = ScriptedBackend::reciting(4, wrong);
            let drafters: [Box<dyn Drafter>; 2] = [
                Box::new(DraftModel::new(draft_backend, Sampling::greedy()).unwrap()),
                Box::new(PromptLookup::default()),
            ];
            for mut drafter in drafters {
                let mut backend = ScriptedBackend::reciting(4, text);
                let (generation, stats) = generate_speculative(&mut backend, drafter.as_mut(), new(), 4).unwrap();
                assert_eq!((&generation.text, &generation.tokens), (&plain.text, &plain.tokens));
                assert_eq!(generation.finish, plain.finish);
                assert!(generation.stats.forward_passes < plain.stats.forward_passes, "{stats:?}");
                assert!(stats.accepted > 0 && stats.accepted < stats.proposed, "{stats:?}");
            }
        }
    }
}
