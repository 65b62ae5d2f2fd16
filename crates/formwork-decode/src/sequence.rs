//! How far is one output, and what comes next for it? The state of one sequence, driven by whoever holds the model.

use std::time::{Duration, Instant};

use formwork::{MatchError, Matcher, TokenId, TokenKind, TokenMask};

use crate::backend::Logits;
use crate::config::GenerationConfig;
use crate::constraint::{Constraint, Unconstrained};
use crate::error::DecodeError;
use crate::forced::{ForcedTokens, forced_tokens};
use crate::record::TokenRecord;
use crate::sampling::Sampler;
use crate::speculative::{Draft, DraftPath, Drafter};
use crate::stats::{RunStats, timed};
use crate::steering::Steering;
use crate::text::TextStream;
use crate::tokenizer::TextTokenizer;

/// Why an output ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The grammar allows nothing more, or a stop token was chosen.
    Stop,
    /// A stop string came up: its index in [`GenerationConfig::stop_strings`].
    StopString {
        /// Which one.
        index: usize,
    },
    /// The token budget, or the model's context, is used up. A constrained text is a prefix of a valid one.
    Length,
    /// Cancelled from outside.
    Cancelled,
}

/// One output being written. It knows no backend: feed [`Sequence::input`] to the model, give the logits to
/// [`Sequence::advance`], and go on until [`Sequence::finish_reason`] is there.
///
/// A driver of batches holds one for each row, and may call [`Sequence::prepare_mask`] while the model runs.
/// When a call fails, the sequence is as it was before, and may be tried again.
pub struct Sequence<'a> {
    tokenizer: &'a dyn TextTokenizer,
    constraint: Box<dyn Constraint + 'a>,
    config: GenerationConfig,
    sampler: Sampler,
    text: TextStream,
    n_prompt: usize,
    /// The prompt, then the output: what the model has seen or is to see.
    tokens: Vec<TokenId>,
    /// Start of what the model has not seen.
    input_start: usize,
    /// Where the text must be complete within the budget.
    steering: Option<Steering>,
    /// The mask for the next logits, where it is made.
    mask: Option<TokenMask>,
    mask_time: Duration,
    records: Vec<TokenRecord>,
    finish: Option<FinishReason>,
    started: Instant,
    stats: RunStats,
}

impl<'a> Sequence<'a> {
    /// An output that `matcher` constrains.
    ///
    /// # Errors
    /// An empty prompt, or a sampling setting out of range.
    pub fn constrained(
        tokenizer: &'a dyn TextTokenizer,
        prompt: &[TokenId],
        matcher: Matcher,
        config: &GenerationConfig,
    ) -> Result<Sequence<'a>, DecodeError> {
        Sequence::new(tokenizer, prompt, Box::new(matcher), config)
    }

    /// An output that is free.
    ///
    /// # Errors
    /// An empty prompt, or a sampling setting out of range.
    pub fn unconstrained(
        tokenizer: &'a dyn TextTokenizer,
        prompt: &[TokenId],
        config: &GenerationConfig,
    ) -> Result<Sequence<'a>, DecodeError> {
        Sequence::new(tokenizer, prompt, Box::new(Unconstrained::new(tokenizer.vocabulary())), config)
    }

    /// An output under any constraint. Text that is forced from the start is taken here, and fed with the prompt.
    ///
    /// # Errors
    /// An empty prompt, a sampling setting out of range, a limit of the grammar's engine, or a budget that is too small for a
    /// text that must be complete.
    pub fn new(
        tokenizer: &'a dyn TextTokenizer,
        prompt: &[TokenId],
        constraint: Box<dyn Constraint + 'a>,
        config: &GenerationConfig,
    ) -> Result<Sequence<'a>, DecodeError> {
        if prompt.is_empty() {
            return Err(DecodeError::EmptyPrompt);
        }
        let mut sampler = Sampler::new(config.sampling.clone())?;
        sampler.add_prompt(prompt);
        let mut sequence = Sequence {
            tokenizer,
            constraint,
            sampler,
            text: TextStream::new(&config.stop_strings),
            config: config.clone(),
            n_prompt: prompt.len(),
            tokens: prompt.to_vec(),
            input_start: 0,
            steering: None,
            mask: None,
            mask_time: Duration::ZERO,
            records: Vec::new(),
            finish: None,
            started: Instant::now(),
            stats: RunStats { prompt_tokens: prompt.len(), ..RunStats::default() },
        };
        if config.always_complete {
            sequence.steering = Some(Steering::new(sequence.constraint.as_mut())?);
            sequence.check_budget()?;
        }
        sequence.finish_where_due();
        sequence.take_forced()?;
        Ok(sequence)
    }

    /// The tokens to feed to the model next, in one pass: the prompt at first, then the token that was chosen and those
    /// that the grammar forced after it.
    pub fn input(&self) -> &[TokenId] {
        &self.tokens[self.input_start..]
    }

    /// The prompt and the output so far.
    pub fn prompt_and_output(&self) -> &[TokenId] {
        &self.tokens
    }

    /// The output so far, forced tokens included, the stop token not.
    pub fn output(&self) -> &[TokenId] {
        &self.tokens[self.n_prompt..]
    }

    /// The text that is certain so far; all of it once finished.
    pub fn text(&self) -> &str {
        self.text.text()
    }

    /// How each token of the output was chosen; empty unless [`GenerationConfig::record_top`] is set.
    pub fn records(&self) -> &[TokenRecord] {
        &self.records
    }

    /// Why the output ended; `None` while it goes on.
    pub fn finish_reason(&self) -> Option<FinishReason> {
        self.finish
    }

    /// Settings of the run.
    pub fn config(&self) -> &GenerationConfig {
        &self.config
    }

    /// Counts and times so far. A driver other than [`generate`](crate::generate) counts its passes itself.
    pub fn stats(&self) -> RunStats {
        RunStats { tokens: self.output().len(), total: self.started.elapsed(), ..self.stats }
    }

    /// Lowers the token budget to `n_tokens`, for a model that has no room for more.
    pub fn limit_tokens(&mut self, n_tokens: usize) {
        self.config.max_tokens = self.config.max_tokens.min(n_tokens);
        self.finish_where_due();
    }

    /// An error where the text can no more be completed within the budget, and must be.
    pub(crate) fn check_budget(&self) -> Result<(), DecodeError> {
        let Some(steering) = &self.steering else { return Ok(()) };
        let (least, budget) = (self.output().len() + steering.n_needed(), self.config.max_tokens);
        if least > budget { Err(DecodeError::BudgetTooSmall { least, budget }) } else { Ok(()) }
    }

    /// Tokens that may still be written.
    fn n_left(&self) -> usize {
        self.config.max_tokens.saturating_sub(self.output().len())
    }

    /// Ends the output as cancelled, unless it has ended already.
    pub fn cancel(&mut self) {
        self.finish_with(FinishReason::Cancelled);
    }

    /// Makes the mask for the next logits; [`Sequence::advance`] does it where this was not called.
    ///
    /// # Errors
    /// A limit of the grammar's engine.
    pub fn prepare_mask(&mut self) -> Result<(), DecodeError> {
        self.ready_mask().map(drop)
    }

    /// Makes the masks that `drafts` will need, one call for all, while the model may still be at work: the grammar keeps
    /// them. A failure comes up again where the mask is used.
    pub(crate) fn prepare_masks_along(&mut self, drafts: &[Draft]) {
        let constraint = &self.constraint;
        timed(&mut self.stats.mask, || {
            let mut ahead = constraint.fork();
            for draft in drafts {
                if ahead.mask().is_err() || ahead.accept_token(draft.token).is_err() {
                    return;
                }
            }
            // An error here is met again, too.
            let _ = ahead.mask();
        });
    }

    fn ready_mask(&mut self) -> Result<TokenMask, DecodeError> {
        match &self.mask {
            Some(mask) => Ok(mask.clone()),
            None => {
                let mut mask_time = Duration::ZERO;
                let mask = timed(&mut mask_time, || self.constraint.mask());
                (self.mask_time, self.stats.mask) = (mask_time, self.stats.mask + mask_time);
                Ok(self.mask.insert(mask?).clone())
            }
        }
    }

    /// Takes the logits that follow the last token of [`Sequence::input`]: masks them, chooses a token, takes it, and
    /// takes what the grammar forces after it. Does nothing once finished.
    ///
    /// # Errors
    /// What backend or engine report, or [`DecodeError::NoCandidate`]. No token was taken then, except when finding
    /// forced text met a limit of the engine.
    pub fn advance(&mut self, logits: &mut dyn Logits) -> Result<(), DecodeError> {
        if self.finish.is_some() {
            return Ok(());
        }
        self.check_budget()?;
        self.advance_with_draft(logits, None).map(|_| ())
    }

    /// As [`Sequence::advance`], choosing `draft` where that does not change the output's distribution. The chosen token.
    pub(crate) fn advance_with_draft(
        &mut self,
        logits: &mut dyn Logits,
        draft: Option<&Draft>,
    ) -> Result<TokenId, DecodeError> {
        let mask = match self.ready_mask() {
            // The end is known even where the engine cannot say what else there is.
            Err(DecodeError::Match(MatchError::Limit(limit))) => self.only_way_on().ok_or(MatchError::Limit(limit))?,
            mask => mask?,
        };
        let mut mask_time = Duration::ZERO;
        self.stats.mask_bytes += timed(&mut mask_time, || logits.apply_mask(&mask))?;
        self.stats.mask += mask_time;
        let chosen = timed(&mut self.stats.sampling, || match draft {
            Some(draft) => self.sampler.verify(logits, draft),
            None => self.sampler.sample(logits),
        })?;
        let token = chosen.ok_or_else(|| no_candidate(logits, &mask))?;
        let token = self.within_budget(token, logits, &mask)?;
        let record = match self.config.record_top {
            Some(n_top) => Some(TokenRecord::chosen(token, logits, &mask, self.mask_time + mask_time, n_top)?),
            None => None,
        };
        self.accept_chosen(token, record)?;
        self.take_forced()?;
        Ok(token)
    }

    /// The mask of the token that surely leads to the end, where one is known.
    fn only_way_on(&mut self) -> Option<TokenMask> {
        let vocabulary = self.tokenizer.vocabulary();
        let token = self.steering.as_mut()?.next().or_else(|| vocabulary.stop_tokens().first().copied())?;
        self.stats.steered_tokens += 1;
        let mut words = vec![0; vocabulary.mask_words()];
        *words.get_mut(token.index() / 32)? |= 1 << (token.index() % 32);
        Some(TokenMask::from_words(&words))
    }

    /// The chosen token, or another one where the text could not be completed behind it.
    ///
    /// Drawing again without the tokens that were refused gives the distribution of those that are not: no share is lost.
    fn within_budget(
        &mut self,
        token: TokenId,
        logits: &mut dyn Logits,
        mask: &TokenMask,
    ) -> Result<TokenId, DecodeError> {
        let n_left = self.n_left();
        let Some(steering) = &mut self.steering else { return Ok(token) };
        let mut refused = Vec::new();
        let mut chosen = Some(token);
        while let Some(token) = chosen {
            let constraint = self.constraint.as_ref();
            if timed(&mut self.stats.mask, || steering.admits(constraint, token, n_left))? {
                self.stats.steered_tokens += usize::from(!refused.is_empty());
                return Ok(token);
            }
            refused.push(token);
            if refused.len() == Steering::MAX_REFUSED {
                break;
            }
            logits.apply_mask(&mask.without(refused.iter().copied()))?;
            chosen = timed(&mut self.stats.sampling, || self.sampler.sample(logits))?;
        }
        self.stats.steered_tokens += 1;
        let last_resort = steering.next().or_else(|| self.tokenizer.vocabulary().stop_tokens().first().copied());
        last_resort.ok_or_else(|| no_candidate(logits, mask))
    }

    /// A draft of what comes next, under the constraint.
    pub(crate) fn draft(&self, drafter: &mut dyn Drafter, n_draft: usize) -> Result<Vec<Draft>, DecodeError> {
        let n_tokens = n_draft.min(self.config.max_tokens.saturating_sub(self.output().len()));
        let mut path = DraftPath::new(self.constraint.fork(), self.tokenizer.vocabulary());
        drafter.draft(&self.tokens, &mut path, n_tokens)
    }

    /// Says how many tokens the model has seen.
    pub(crate) fn set_input_start(&mut self, n_seen: usize) {
        self.input_start = n_seen;
    }

    /// Takes a chosen token; it is the only input then.
    fn accept_chosen(&mut self, token: TokenId, record: Option<TokenRecord>) -> Result<(), DecodeError> {
        timed(&mut self.stats.mask, || self.constraint.accept_token(token))?;
        self.follow(token);
        if self.stats.first_token == Duration::ZERO {
            self.stats.first_token = self.started.elapsed();
        }
        self.input_start = self.tokens.len();
        self.take(token, record);
        Ok(())
    }

    pub(crate) fn stats_mut(&mut self) -> &mut RunStats {
        &mut self.stats
    }

    /// Moves the start of the input: the model has these tokens of the prompt cached.
    pub(crate) fn skip_cached(&mut self, n_cached: usize) {
        self.input_start = n_cached;
        self.stats.cached_prompt_tokens = n_cached.min(self.n_prompt);
    }

    /// Takes a token that the constraint has accepted.
    fn take(&mut self, token: TokenId, record: Option<TokenRecord>) {
        self.mask = None;
        let vocabulary = self.tokenizer.vocabulary();
        if vocabulary.kind(token) == TokenKind::Stop {
            return self.finish_with(FinishReason::Stop);
        }
        self.tokens.push(token);
        self.records.extend(record);
        self.sampler.add_output(token);
        // A control token has no bytes: it is an output token and no text.
        if let Some(stop) = self.text.push(vocabulary.token_bytes(token).unwrap_or_default()) {
            return self.finish_with(FinishReason::StopString { index: stop.index });
        }
        self.finish_where_due();
    }

    /// Takes the tokens that the grammar forces. The chosen token before them gives way where the tokenizer would have
    /// merged it with them.
    fn take_forced(&mut self) -> Result<(), DecodeError> {
        if self.finish.is_some() || !self.config.fast_forward {
            return Ok(());
        }
        let mut mask_time = Duration::ZERO;
        let forced = timed(&mut mask_time, || self.find_forced());
        self.stats.mask += mask_time;
        let forced = match forced {
            // As for a mask: the text can be completed without.
            Err(DecodeError::Match(MatchError::Limit(_))) if self.steering.is_some() => return Ok(()),
            forced => forced?,
        };
        let n_output = self.output().len();
        if forced.replaces_last && !self.replace_last(&forced.tokens) {
            return Ok(());
        }
        let tokens = forced.tokens.get(usize::from(forced.replaces_last)..).unwrap_or_default();
        for &token in tokens {
            // Finished by the budget or a stop string, or a tokenizer that cuts what the grammar does not take.
            if self.finish.is_some() || !self.leaves_room(token)? || self.constraint.accept_token(token).is_err() {
                break;
            }
            self.follow(token);
            let record = self.config.record_top.map(|_| TokenRecord::forced(token));
            self.take(token, record);
        }
        self.stats.forced_tokens += self.output().len() - n_output;
        Ok(())
    }

    /// Whether the text can be completed within the budget behind a token, if it must be.
    fn leaves_room(&mut self, token: TokenId) -> Result<bool, DecodeError> {
        let n_left = self.n_left();
        let Some(steering) = &mut self.steering else { return Ok(true) };
        Ok(timed(&mut self.stats.mask, || steering.admits(self.constraint.as_ref(), token, n_left))?)
    }

    /// A token was accepted.
    fn follow(&mut self, token: TokenId) {
        if let Some(steering) = &mut self.steering {
            steering.follow(token);
        }
    }

    fn find_forced(&mut self) -> Result<ForcedTokens, DecodeError> {
        let forced = self.constraint.forced_text()?;
        let can_replace = self.input_start >= self.n_prompt && self.input_start < self.tokens.len();
        Ok(forced_tokens(self.tokenizer, self.output(), &forced, can_replace))
    }

    /// Puts the first of `tokens`, which reaches beyond the last token of the output, in its place. Where that cannot be,
    /// nothing changes.
    fn replace_last(&mut self, tokens: &[TokenId]) -> bool {
        let (Some(&old), Some(&new)) = (self.tokens.last(), tokens.first()) else { return false };
        let vocabulary = self.tokenizer.vocabulary();
        let (old_bytes, new_bytes) = (vocabulary.token_bytes(old), vocabulary.token_bytes(new));
        let added = old_bytes.zip(new_bytes).and_then(|(old, new)| new.strip_prefix(old));
        let Some(added) = added.filter(|_| self.constraint.rollback(1).is_ok()) else { return false };
        // In the place of the old one, so one more token is left than the output says.
        let n_left = self.n_left() + 1;
        let is_taken = self.constraint.accept_token(new).is_ok();
        let is_taken = match &mut self.steering {
            Some(steering) if is_taken => {
                let leaves_room = steering.replace(self.constraint.as_mut(), n_left);
                leaves_room || self.constraint.rollback(1).is_err()
            }
            _ => is_taken,
        };
        if !is_taken {
            // The old one was accepted from the same state before.
            let restored = self.constraint.accept_token(old);
            debug_assert!(restored.is_ok());
            return false;
        }
        self.mask = None;
        self.tokens.pop();
        self.tokens.push(new);
        if let Some(record) = self.records.last_mut() {
            record.token = new;
        }
        self.sampler.replace_output(old, new);
        match self.text.push(added) {
            Some(stop) => self.finish_with(FinishReason::StopString { index: stop.index }),
            None => self.finish_where_due(),
        }
        true
    }

    /// Ends the output where the grammar is at its end, or the budget.
    fn finish_where_due(&mut self) {
        if self.constraint.is_finished() {
            self.finish_with(FinishReason::Stop);
        } else if self.output().len() >= self.config.max_tokens {
            self.finish_with(FinishReason::Length);
        }
    }

    fn finish_with(&mut self, reason: FinishReason) {
        if self.finish.is_none() {
            self.finish = Some(reason);
            self.text.finish();
        }
    }
}

pub(crate) fn no_candidate(logits: &mut dyn Logits, mask: &TokenMask) -> DecodeError {
    let width = logits.width();
    let mut values = Vec::new();
    // The reason is told as well as it can be: when the copy fails, no NaN is counted.
    let n_nan = match logits.copy_to(&mut values) {
        Ok(()) => values.iter().filter(|logit| logit.is_nan()).count(),
        Err(_) => 0,
    };
    let n_allowed = mask.iter().take_while(|token| token.index() < width).count();
    DecodeError::NoCandidate { width, n_allowed, n_nan }
}

impl std::fmt::Debug for Sequence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequence")
            .field("output", &self.output())
            .field("text", &self.text())
            .field("finish", &self.finish)
            .finish_non_exhaustive()
    }
}
