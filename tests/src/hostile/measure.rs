//! What does one input cost? Its refusal or its compilation, and the masks of a few random texts, each by itself.
//!
//! Times are those of the thread alone where the system tells them, so that other work on the machine is left out.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use formwork::{CompileError, CompiledGrammar, Compiler, MatchError, TokenId, Vocabulary};

use super::Case;
use crate::universe::Dice;

/// Seconds of one text at most: what is over budget is known long before.
const MAX_SECONDS: u64 = 10;

/// How much is tried of an input that compiles.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Random texts behind the prefix of a case.
    pub n_texts: u64,
    /// Tokens of each.
    pub n_tokens: usize,
}

/// What became of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It compiled.
    Compiled,
    /// It compiled, and a mask or step met a limit: which.
    MaskLimit(&'static str),
    /// It was refused: as what, and in which words.
    Refused(&'static str, String),
}

/// What it cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Of `Compiler::compile`.
    pub compile: Duration,
    /// Of the mask that took longest.
    pub worst_mask: Duration,
    /// Of the step that took longest.
    pub worst_step: Duration,
    /// Masks that were filled.
    pub n_masks: usize,
}

/// What became of an input, and what it cost.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What became of it.
    pub outcome: Outcome,
    /// What it cost.
    pub cost: Cost,
    /// The text before the mask that took longest.
    pub worst_place: String,
}

/// Compiles a case with default limits, and walks along random texts.
///
/// # Errors
/// When the case is not written as it should be, or the engine breaks a promise: an empty mask, a token of the mask
/// that is refused, a refusal of several lines.
pub fn measure(case: &Case, vocabulary: &Arc<Vocabulary>, effort: Effort) -> Result<Measured, String> {
    let (grammar, prefix) = (case.grammar()?, case.prefix()?);
    let compiler = Compiler::builder(Arc::clone(vocabulary)).cached_grammars(0).build();
    let clock = Clock::start();
    let compiled = compiler.compile(&grammar);
    let mut measured = Measured { outcome: Outcome::Compiled, cost: Cost::default(), worst_place: String::new() };
    measured.cost.compile = clock.elapsed();
    match compiled {
        Ok(compiled) => {
            for number in 0..effort.n_texts {
                measured.walk(&compiled, &prefix, effort.n_tokens, &mut Dice::new(number))?;
            }
        }
        Err(error) => {
            let text = error.to_string();
            if text.contains('\n') || text.len() > 2_000 {
                return Err(format!("a refusal that is not one line that can be shown: {} bytes", text.len()));
            }
            measured.outcome = Outcome::Refused(kind(&error), text);
        }
    }
    Ok(measured)
}

fn kind(error: &CompileError) -> &'static str {
    match error {
        _ if error.is_limit() => "limit",
        _ if error.is_unsatisfiable() => "unsatisfiable",
        _ if error.is_unsupported() => "unsupported",
        CompileError::Schema(_) => "schema",
        _ => "grammar",
    }
}

impl Measured {
    fn end_at(&mut self, setting: &'static str) -> Result<(), String> {
        self.outcome = Outcome::MaskLimit(setting);
        Ok(())
    }

    /// One text; a limit ends it.
    fn walk(
        &mut self,
        compiled: &Arc<CompiledGrammar>,
        prefix: &str,
        n_tokens: usize,
        dice: &mut Dice,
    ) -> Result<(), String> {
        let start = Instant::now();
        let mut matcher = compiled.matcher();
        let mut words = vec![0; compiled.vocabulary().mask_words()];
        let mut text = prefix.as_bytes().to_vec();
        // One byte at a time: a prefix leads through every place that it has.
        for (offset, byte) in prefix.bytes().enumerate() {
            let clock = Clock::start();
            let result = matcher.accept_bytes(&[byte]);
            self.cost.worst_step = self.cost.worst_step.max(clock.elapsed());
            match result {
                Ok(()) => {}
                Err(MatchError::Limit(limit)) => return self.end_at(limit.setting),
                Err(error) => return Err(format!("the prefix is refused at {offset}: {error}")),
            }
        }
        for _ in 0..n_tokens {
            if matcher.is_stopped() || start.elapsed() > Duration::from_secs(MAX_SECONDS) {
                break;
            }
            let clock = Clock::start();
            let result = matcher.fill_mask(&mut words);
            let elapsed = clock.elapsed();
            self.cost.n_masks += 1;
            if elapsed > self.cost.worst_mask {
                self.cost.worst_mask = elapsed;
                let tail = text.len().saturating_sub(40);
                self.worst_place = String::from_utf8_lossy(&text[tail..]).into_owned();
            }
            match result {
                Ok(()) => {}
                Err(MatchError::Limit(limit)) => return self.end_at(limit.setting),
                Err(error) => return Err(error.to_string()),
            }
            let place = || String::from_utf8_lossy(&text).chars().rev().take(60).collect::<Vec<_>>();
            let Some(token) = choose(&words, compiled.vocabulary(), dice) else {
                return Err(format!("a dead end, backwards: {:?}", place()));
            };
            let clock = Clock::start();
            let result = matcher.accept_token(token);
            self.cost.worst_step = self.cost.worst_step.max(clock.elapsed());
            match result {
                Ok(()) => text.extend(compiled.vocabulary().token_bytes(token).unwrap_or_default()),
                Err(MatchError::Limit(limit)) => return self.end_at(limit.setting),
                Err(error) => return Err(format!("a token of the mask is refused: {error}: {:?}", place())),
            }
        }
        Ok(())
    }
}

/// Any token of the mask, but a stop token only where there is no other; every second time one of a single byte.
fn choose(words: &[u32], vocabulary: &Vocabulary, dice: &mut Dice) -> Option<TokenId> {
    let ids = (0..).zip(words).filter(|(_, word)| **word != 0).flat_map(|(index, word)| {
        (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| TokenId::new(index * 32 + bit))
    });
    let (stops, others): (Vec<TokenId>, Vec<TokenId>) = ids.partition(|id| vocabulary.stop_tokens().contains(id));
    let is_single = |id: &TokenId| vocabulary.token_bytes(*id).is_some_and(|bytes| bytes.len() == 1);
    let singles: Vec<TokenId> =
        if dice.one_in(2) { others.iter().copied().filter(is_single).collect() } else { Vec::new() };
    let candidates = [singles, others, stops].into_iter().find(|candidates| !candidates.is_empty())?;
    Some(*dice.pick(&candidates))
}

/// The system counts a thread's time in ticks of so much.
const TICK: Duration = Duration::from_millis(4);

/// Time of the clock on the wall, or of this thread where it had to wait for the processor.
struct Clock {
    wall: Instant,
    thread: Option<Duration>,
}

impl Clock {
    fn start() -> Clock {
        Clock { wall: Instant::now(), thread: thread_time() }
    }

    fn elapsed(&self) -> Duration {
        let wall = self.wall.elapsed();
        match (self.thread, thread_time()) {
            (Some(before), Some(now)) => wall.min(now.saturating_sub(before) + TICK),
            _ => wall,
        }
    }
}

fn thread_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
