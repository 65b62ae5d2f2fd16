//! How is one output written from start to end? The loop: forward pass, mask, sample, accept, hand out.

use std::ops::ControlFlow;

use formwork::TokenId;

use crate::backend::Backend;
use crate::error::DecodeError;
use crate::record::TokenRecord;
use crate::sequence::{FinishReason, Sequence};
use crate::speculative::n_shared;
use crate::stats::{RunStats, timed};

/// A finished output.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// The text, without the stop string that ended it. Bytes that are no UTF-8 are replaced by U+FFFD.
    pub text: String,
    /// The tokens, forced ones included, the stop token not. Where a stop string ended the output, its tokens are here.
    pub tokens: Vec<TokenId>,
    /// Why it ended.
    pub finish: FinishReason,
    /// What it cost.
    pub stats: RunStats,
    /// How each token was chosen; empty unless [`GenerationConfig::record_top`](crate::GenerationConfig::record_top) is set.
    pub records: Vec<TokenRecord>,
}

/// What one step added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Text that became certain; may be empty.
    pub text: &'a str,
    /// Tokens that were added: one, and those that the grammar forced after it.
    pub tokens: &'a [TokenId],
}

/// Writes `sequence` to its end.
///
/// # Errors
/// [`DecodeError`]: the prompt does not fit, or what backend or engine report.
pub fn generate(backend: &mut dyn Backend, sequence: Sequence<'_>) -> Result<Generation, DecodeError> {
    generate_streaming(backend, sequence, &mut |_| ControlFlow::Continue(()))
}

/// Writes `sequence` to its end and hands out each step's text as soon as it is certain. `on_chunk` ends the run by
/// [`ControlFlow::Break`]; so does the config's [`CancelToken`](crate::CancelToken).
///
/// # Errors
/// As [`generate`]. What was handed out before stays valid.
pub fn generate_streaming(
    backend: &mut dyn Backend,
    mut sequence: Sequence<'_>,
    on_chunk: &mut dyn FnMut(Chunk<'_>) -> ControlFlow<()>,
) -> Result<Generation, DecodeError> {
    prepare(backend, &mut sequence)?;
    let mut progress = Progress::default();
    progress.hand_out(&mut sequence, on_chunk);
    while sequence.finish_reason().is_none() {
        if sequence.config().cancel.is_cancelled() {
            sequence.cancel();
        } else {
            step(backend, &mut sequence)?;
        }
        progress.hand_out(&mut sequence, on_chunk);
    }
    Ok(finished(&sequence))
}

/// What a sequence at its end holds.
pub(crate) fn finished(sequence: &Sequence<'_>) -> Generation {
    Generation {
        text: sequence.text().to_owned(),
        tokens: sequence.output().to_vec(),
        // Loops end only when there is one.
        finish: sequence.finish_reason().unwrap_or(FinishReason::Stop),
        stats: sequence.stats(),
        records: sequence.records().to_vec(),
    }
}

/// Makes room: cuts the cache to what the prompt shares with it, and the budget to what the context holds.
pub(crate) fn prepare(backend: &mut dyn Backend, sequence: &mut Sequence<'_>) -> Result<(), DecodeError> {
    let n_kept = n_to_keep(sequence, backend.cached(), backend.context_length())?;
    backend.truncate(n_kept)?;
    sequence.skip_cached(n_kept);
    Ok(())
}

/// How many cached positions the sequence can begin with. Its budget is cut to what the context holds.
pub(crate) fn n_to_keep(
    sequence: &mut Sequence<'_>,
    cached: &[TokenId],
    context_length: usize,
) -> Result<usize, DecodeError> {
    let n_tokens = sequence.stats().prompt_tokens;
    let room = context_length.saturating_sub(n_tokens);
    if room == 0 {
        return Err(DecodeError::PromptTooLong { n_tokens, context_length });
    }
    sequence.limit_tokens(room);
    sequence.check_budget()?;
    Ok(if sequence.config().reuse_prefix { n_shared(cached, sequence.input()) } else { 0 })
}

/// One pass and what follows from it.
pub(crate) fn step(backend: &mut dyn Backend, sequence: &mut Sequence<'_>) -> Result<(), DecodeError> {
    let mut model_time = std::time::Duration::ZERO;
    let forward = timed(&mut model_time, || backend.forward(sequence.input()));
    let stats = sequence.stats_mut();
    stats.model += model_time;
    stats.forward_passes += 1;
    sequence.advance(forward?.as_mut())
}

/// How much was handed out.
#[derive(Default)]
struct Progress {
    n_text: usize,
    n_tokens: usize,
}

impl Progress {
    fn hand_out(&mut self, sequence: &mut Sequence<'_>, on_chunk: &mut dyn FnMut(Chunk<'_>) -> ControlFlow<()>) {
        let chunk = Chunk { text: &sequence.text()[self.n_text..], tokens: &sequence.output()[self.n_tokens..] };
        if chunk.text.is_empty() && chunk.tokens.is_empty() {
            return;
        }
        let flow = on_chunk(chunk);
        (self.n_text, self.n_tokens) = (sequence.text().len(), sequence.output().len());
        if flow.is_break() {
            // Text held back is not shown to one who wants no more of it, but is part of the result.
            sequence.cancel();
            self.n_text = sequence.text().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use formwork::{Compiler, Grammar, TokenMask};

    use super::*;
    use crate::backend::Logits;
    use crate::config::GenerationConfig;
    use crate::sampling::Sampling;
    use crate::scripted::{AB, ByteTokenizer, CONTEXT_LENGTH, EURO_END, EURO_START, ScriptedBackend, Template};
    use crate::tokenizer::TextTokenizer;

    const PROMPT: &str = "say:";

    fn reciting(text: &str) -> ScriptedBackend {
        ScriptedBackend::reciting(PROMPT.len(), text)
    }

    fn free(backend: &mut ScriptedBackend, config: &GenerationConfig) -> Generation {
        let tokenizer = ByteTokenizer::new();
        let sequence = Sequence::unconstrained(&tokenizer, &tokenizer.encode(PROMPT), config).unwrap();
        generate(backend, sequence).unwrap()
    }

    fn templated(
        backend: &mut ScriptedBackend,
        shape: &'static str,
        config: &GenerationConfig,
    ) -> Result<Generation, DecodeError> {
        let tokenizer = ByteTokenizer::new();
        let constraint = Box::new(Template::new(shape));
        generate(backend, Sequence::new(&tokenizer, &tokenizer.encode(PROMPT), constraint, config)?)
    }

    fn with_stops<const N: usize>(stops: [&str; N]) -> GenerationConfig {
        GenerationConfig { stop_strings: stops.map(str::to_owned).to_vec(), ..GenerationConfig::default() }
    }

    #[test]
    fn free_text_ends_at_the_stop_token() {
        let generation = free(&mut reciting("hello"), &GenerationConfig::default());
        assert_eq!((generation.text.as_str(), generation.finish), ("hello", FinishReason::Stop));
        assert_eq!((generation.stats.tokens, generation.stats.prompt_tokens), (5, 4));
        assert_eq!((generation.stats.forward_passes, generation.stats.forced_tokens), (6, 0));
    }

    #[test]
    fn the_mask_comes_before_the_choice() {
        let sampled = GenerationConfig { sampling: Sampling::with_temperature(1.0, 1), ..GenerationConfig::default() };
        for config in [GenerationConfig::default(), sampled] {
            let generation = templated(&mut reciting("123"), "___", &config).unwrap();
            assert!(generation.text.bytes().all(|byte| byte.is_ascii_alphabetic()), "{generation:?}");
            assert_eq!((generation.text.len(), generation.finish), (3, FinishReason::Stop));
        }
    }

    #[test]
    fn a_matcher_constrains_whatever_the_seed() {
        let tokenizer = ByteTokenizer::new();
        let prompt = tokenizer.encode(PROMPT);
        let compiler = Compiler::new(tokenizer.vocabulary().clone());
        let compiled = compiler.compile(&Grammar::regex(r#"\{"key": "[ab]{1,4}"\}"#)).unwrap();
        for seed in 0..50 {
            let sampling = Sampling::with_temperature(1.0, seed);
            let config = GenerationConfig { sampling, ..GenerationConfig::default() };
            let sequence = Sequence::constrained(&tokenizer, &prompt, compiled.matcher(), &config).unwrap();
            let generation = generate(&mut reciting("no such text"), sequence).unwrap();
            let value = generation.text.strip_prefix("{\"key\": \"").and_then(|rest| rest.strip_suffix("\"}"));
            let value = value.unwrap_or_else(|| panic!("{generation:?}"));
            assert!((1..=4).contains(&value.len()) && value.bytes().all(|byte| b"ab".contains(&byte)), "{value:?}");
            assert_eq!(generation.finish, FinishReason::Stop);
            assert!(generation.stats.forced_tokens > 0);
        }
    }

    #[test]
    fn forced_text_takes_no_pass_of_its_own() {
        let mut backend = reciting("{\"k\":x,\"l\":y}");
        let generation = templated(&mut backend, "{\"k\":_,\"l\":_}", &GenerationConfig::default()).unwrap();
        assert_eq!(generation.text, "{\"k\":x,\"l\":y}");
        // The prompt with the first forced text, then the chosen letter with the second.
        assert_eq!(backend.passes, [4 + 5, 1 + 5]);
        assert_eq!((generation.stats.tokens, generation.stats.forced_tokens), (13, 11));

        let config = GenerationConfig { fast_forward: false, ..GenerationConfig::default() };
        let mut backend = reciting("{\"k\":x,\"l\":y}");
        assert_eq!(templated(&mut backend, "{\"k\":_,\"l\":_}", &config).unwrap().text, generation.text);
        assert_eq!(backend.passes.len(), 13);
    }

    #[test]
    fn records_tell_how_each_token_was_chosen() {
        let config = GenerationConfig { record_top: Some(2), ..GenerationConfig::default() };
        let generation = templated(&mut reciting("{x}"), "{_}", &config).unwrap();
        let tokens: Vec<TokenId> = generation.records.iter().map(|record| record.token).collect();
        assert_eq!((&tokens, generation.text.as_str()), (&generation.tokens, "{x}"));
        let choices: Vec<_> = generation.records.iter().map(|record| (record.is_forced, record.n_allowed)).collect();
        assert_eq!(choices, [(true, 1), (false, 52), (true, 1)]);
        let chosen = &generation.records[1];
        assert!(chosen.log_probability > -1e-6 && chosen.top[0].0 == chosen.token && chosen.top.len() == 2);
        let plain = templated(&mut reciting("{x}"), "{_}", &GenerationConfig::default()).unwrap();
        assert!(plain.records.is_empty() && plain.tokens == generation.tokens);
    }

    #[test]
    fn wholly_forced_text_needs_no_model() {
        let mut backend = reciting("");
        let generation = templated(&mut backend, "null", &GenerationConfig::default()).unwrap();
        assert_eq!((generation.text.as_str(), generation.finish), ("null", FinishReason::Stop));
        assert!(backend.passes.is_empty());
    }

    #[test]
    fn the_budget_counts_forced_tokens() {
        let config = GenerationConfig { max_tokens: 3, ..GenerationConfig::default() };
        let generation = templated(&mut reciting("x"), "_abcdef", &config).unwrap();
        assert_eq!((generation.text.as_str(), generation.finish), ("xab", FinishReason::Length));
        let config = GenerationConfig { max_tokens: 0, ..GenerationConfig::default() };
        let generation = templated(&mut reciting("x"), "_abcdef", &config).unwrap();
        assert_eq!((generation.text.as_str(), generation.finish), ("", FinishReason::Length));
    }

    #[test]
    fn a_text_complete_at_the_budget_is_complete() {
        let config = GenerationConfig { max_tokens: 2, ..GenerationConfig::default() };
        let generation = templated(&mut reciting("xy"), "__", &config).unwrap();
        assert_eq!((generation.text.as_str(), generation.finish), ("xy", FinishReason::Stop));
    }

    #[test]
    fn the_context_is_a_budget_too() {
        let config = GenerationConfig { max_tokens: 1000, ..GenerationConfig::default() };
        let generation = free(&mut reciting(&"x".repeat(500)), &config);
        assert_eq!((generation.stats.tokens, generation.finish), (CONTEXT_LENGTH - 4, FinishReason::Length));
    }

    #[test]
    fn a_prompt_that_fills_the_context_is_refused() {
        let tokenizer = ByteTokenizer::new();
        let prompt = tokenizer.encode(&"x".repeat(CONTEXT_LENGTH));
        let sequence = Sequence::unconstrained(&tokenizer, &prompt, &GenerationConfig::default()).unwrap();
        let refused = generate(&mut reciting(""), sequence);
        assert!(matches!(refused, Err(DecodeError::PromptTooLong { n_tokens: 64, context_length: 64 })));
        let empty = Sequence::unconstrained(&tokenizer, &[], &GenerationConfig::default());
        assert!(matches!(empty, Err(DecodeError::EmptyPrompt)));
    }

    #[test]
    fn stop_strings_cut_the_text() {
        let generation = free(&mut reciting("one; two"), &with_stops(["zzz", "; t"]));
        assert_eq!((generation.text.as_str(), generation.finish), ("one", FinishReason::StopString { index: 1 }));
        assert_eq!(generation.tokens.len(), 6);
    }

    #[test]
    fn stop_strings_are_found_in_forced_text() {
        let generation = templated(&mut reciting("x"), "_,\"key\":_", &with_stops(["\"k"])).unwrap();
        assert_eq!((generation.text.as_str(), generation.finish), ("x,", FinishReason::StopString { index: 0 }));
        assert_eq!(generation.tokens.len(), 4);
    }

    #[test]
    fn chunks_join_to_the_text() {
        let tokenizer = ByteTokenizer::new();
        let prompt = tokenizer.encode(PROMPT);
        let mut backend = reciting("x");
        let euro = [EURO_START, EURO_END, AB, TokenId::new(b'<'.into())];
        backend.script.extend(euro);
        let sequence = Sequence::unconstrained(&tokenizer, &prompt, &with_stops(["<|"])).unwrap();
        let mut chunks = Vec::new();
        let generation = generate_streaming(&mut backend, sequence, &mut |chunk| {
            chunks.push((chunk.text.to_owned(), chunk.tokens.len()));
            ControlFlow::Continue(())
        });
        let shown: Vec<_> = chunks.iter().map(|(text, n_tokens)| (text.as_str(), *n_tokens)).collect();
        assert_eq!(shown, [("x", 1), ("", 1), ("€", 1), ("ab", 1), ("", 1), ("<", 0)]);
        assert_eq!(generation.unwrap().text, "x€ab<");
    }

    #[test]
    fn callback_and_token_cancel() {
        let tokenizer = ByteTokenizer::new();
        let prompt = tokenizer.encode(PROMPT);
        let config = GenerationConfig::default();
        let sequence = Sequence::unconstrained(&tokenizer, &prompt, &config).unwrap();
        let generation = generate_streaming(&mut reciting("hello"), sequence, &mut |chunk| match chunk.text {
            "e" => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        let generation = generation.unwrap();
        assert_eq!((generation.text.as_str(), generation.finish), ("he", FinishReason::Cancelled));

        config.cancel.cancel();
        let generation = free(&mut reciting("hello"), &config);
        assert_eq!((generation.text.as_str(), generation.finish), ("", FinishReason::Cancelled));
    }

    #[test]
    fn a_failed_pass_leaves_the_sequence_usable() {
        let tokenizer = ByteTokenizer::new();
        let mut backend = ScriptedBackend { fails_at: Some(1), ..reciting("hi") };
        let config = GenerationConfig::default();
        let mut sequence = Sequence::unconstrained(&tokenizer, &tokenizer.encode(PROMPT), &config).unwrap();
        prepare(&mut backend, &mut sequence).unwrap();
        step(&mut backend, &mut sequence).unwrap();
        assert!(matches!(step(&mut backend, &mut sequence), Err(DecodeError::Backend(_))));
        while sequence.finish_reason().is_none() {
            step(&mut backend, &mut sequence).unwrap();
        }
        assert_eq!(sequence.text(), "hi");
    }

    #[test]
    fn logits_that_are_no_numbers_are_an_error() {
        let mut backend = ScriptedBackend { is_nan: true, ..reciting("hi") };
        let failed = templated(&mut backend, "__", &GenerationConfig::default());
        assert!(matches!(failed, Err(DecodeError::NoCandidate { width: 160, n_allowed: 52, n_nan: 52 })), "{failed:?}");
    }

    #[test]
    fn a_shared_prompt_is_fed_once() {
        let config = GenerationConfig { reuse_prefix: true, ..GenerationConfig::default() };
        let mut backend = reciting("hello");
        let first = free(&mut backend, &config);
        let second = free(&mut backend, &config);
        assert_eq!(first.text, second.text);
        assert_eq!((first.stats.cached_prompt_tokens, second.stats.cached_prompt_tokens), (0, 3));
        // Without it, every run starts anew.
        let third = free(&mut backend, &GenerationConfig::default());
        assert_eq!(third.stats.cached_prompt_tokens, 0);
    }

    #[test]
    fn one_pass_per_token_is_what_each_means_by_default() {
        let mut backend = reciting("hey");
        let tokens: Vec<TokenId> = "say:he".bytes().map(|byte| TokenId::new(byte.into())).collect();
        let mut each = backend.forward_each(&tokens).unwrap();
        let chosen = each.iter_mut().map(|logits: &mut Box<dyn Logits>| {
            logits.apply_mask(&TokenMask::from_words(&[0, 0, 0, u32::MAX])).unwrap();
            logits.argmax().unwrap().unwrap().get()
        });
        assert_eq!(chosen.skip(3).collect::<Vec<_>>(), [u32::from(b'h'), u32::from(b'e'), u32::from(b'y')]);
    }
}
