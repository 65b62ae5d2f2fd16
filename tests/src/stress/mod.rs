//! Do threads disturb each other? Many share compilers, grammars and matchers whose caches are always full, and what they saw
//! is compared with what one thread sees alone.
//!
//! A round has two halves. In the first, threads do random things and write down what they saw, each time with the steps that
//! led there. In the second, one thread takes the same steps with a compiler that nobody else has.

mod grammars;
mod pool;
mod replay;

use std::thread;

pub use self::grammars::recursive_schema;
use self::pool::Pool;
use self::replay::Replay;
use crate::counters::Counters;
use crate::universe::Dice;

use formwork::TokenId;

/// A step that a matcher took.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Token(TokenId),
    Bytes(Vec<u8>),
}

/// Something that was seen of a matcher behind some steps.
#[derive(Clone, Debug)]
struct Observation {
    /// Which of the grammars.
    grammar: usize,
    steps: Vec<Step>,
    seen: Seen,
}

/// What there is to see.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// The mask's words; `None` behind a stop token.
    Mask(Option<Vec<u32>>),
    /// Whether the text may end, can go on, and has ended.
    State(bool, bool, bool),
    /// Text that is the only way on.
    Forced(Vec<u8>),
    /// Tokens that complete the text.
    Completion(Vec<TokenId>),
    /// Whether a token is accepted.
    Accepts(TokenId, bool),
}

/// How much a round does.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Threads that share everything.
    pub n_threads: u64,
    /// What each of them does.
    pub n_actions: usize,
}

/// Rounds on the same grammars, with the numbers of what was done.
pub struct Stress {
    replay: Replay,
    counters: Counters,
}

impl Stress {
    /// Nothing done yet.
    pub fn new() -> Stress {
        Stress { replay: Replay::new(), counters: Counters::new() }
    }

    /// One round; the seed decides what each thread does, but not in which order.
    ///
    /// # Panics
    /// Where a thread saw something else than it would have seen alone, or a call failed that cannot.
    pub fn round(&mut self, effort: Effort, seed: u64) {
        let pool = Pool::new();
        let run = |thread: u64| {
            let mut dice = Dice::new(seed.wrapping_mul(1 << 20).wrapping_add(thread));
            let mut worker = pool.worker();
            (0..effort.n_actions).for_each(|_| worker.act(&mut dice));
            worker.finish()
        };
        let run = &run;
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..effort.n_threads).map(|thread| scope.spawn(move || run(thread))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread failed")).collect()
        });
        for (observations, counters) in results {
            self.counters.plus(&counters);
            observations.iter().for_each(|observation| self.replay.check(observation));
            self.counters.count("observations compared", observations.len());
        }
        self.counters.count("caches started anew", pool.n_resets());
        self.counters.count("rounds", 1);
    }

    /// What was done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl Default for Stress {
    fn default() -> Stress {
        Stress::new()
    }
}
