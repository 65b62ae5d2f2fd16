//! How far does a text go on within the lexemes that are being read? Most bytes of most tokens do nothing else, and then only
//! automata step, side by side, and nothing about the grammar is asked.

use smallvec::SmallVec;

use super::configuration::{Configuration, Entry, Lexing, push};
use super::item_set::{Parser, Scan};
use super::written::{PastId, Written};
use crate::automata::Allowance;
use crate::grammar::Effect;

/// How far bytes go on in a lexeme.
struct Run {
    n_read: usize,
    /// Whether the next byte, if any, may end the lexeme; the lexeme has no place for it otherwise.
    may_end: bool,
    /// Where the lexeme is behind the bytes read.
    lexing: Lexing,
}

/// Behind one more byte of a lexeme.
pub(super) struct Stepped {
    pub(super) state: u64,
    /// The key that was read if the lexeme may end here, 0 for other lexemes.
    pub(super) ended: Option<u32>,
    pub(super) can_go_on: bool,
}

impl Parser {
    /// Reads bytes as long as no lexeme ends, nor may end, behind them, and says how many. Lexemes that do not go on so are
    /// dropped, but not the last one. The next byte, if any, is to be read as [`step_byte`](Self::step_byte) does: also where
    /// it has no place at all.
    pub(crate) fn read_within(&mut self, configuration: &mut Configuration, bytes: &[u8]) -> usize {
        let mut runs: SmallVec<[Run; 2]> = SmallVec::new();
        let mut within = bytes;
        for entry in configuration.iter() {
            let Some(run) = self.run(entry, within) else { return 0 };
            if run.may_end {
                within = &bytes[..run.n_read];
            }
            runs.push(run);
        }
        // Lexemes that were read before the one that may end soonest went further than that.
        let n_read = runs.iter().map(|run| run.n_read).max().unwrap_or(0).min(within.len());
        if n_read == 0 {
            return 0;
        }
        for (entry, mut run) in std::mem::take(configuration).into_iter().zip(runs) {
            if run.n_read > n_read {
                run = self.run(&entry, &bytes[..n_read]).unwrap_or(run);
            }
            if run.n_read == n_read {
                let past = self.past_of_letters(&entry, &bytes[..n_read]);
                push(configuration, Entry { lexing: run.lexing, past, ..entry });
            }
        }
        n_read
    }

    /// Reads bytes in the lexeme of an entry as long as it does not end, nor may end, behind them. `None` where more than its
    /// automaton, or than the letters of a key, is to be known before it ends.
    fn run(&self, entry: &Entry, bytes: &[u8]) -> Option<Run> {
        let Lexing::Inside { scan: index, mut state, mut n_chars } = entry.lexing else { return None };
        let scan = self.scan(entry.set, index);
        if !self.is_within(scan) || self.productions.remembers && self.is_read(entry.past) {
            return None;
        }
        let (mut n_read, mut may_end) = (0, false);
        for byte in bytes {
            let _allowance = Allowance::new(&self.limits);
            let mut n_chars_next = n_chars;
            let Some(next) = self.step_automaton(scan, state, *byte, &mut n_chars_next) else { break };
            may_end = next.ended.is_some() || !next.can_go_on;
            if may_end {
                break;
            }
            (state, n_chars) = (next.state, n_chars_next);
            n_read += 1;
        }
        Some(Run { n_read, may_end, lexing: Lexing::Inside { scan: index, state, n_chars } })
    }

    /// Whether all that needs to be known of a lexeme until it ends is its automaton, or the letters of a key.
    fn is_within(&self, scan: &Scan) -> bool {
        match scan {
            Scan::Key { .. } | Scan::Terminal { effect: Effect::None, .. } => true,
            Scan::Terminal { effect: Effect::OtherKey, terminal, .. } => {
                self.automata[*terminal as usize].never_runs_out()
            }
            Scan::Terminal { .. } => false,
        }
    }

    /// Whether bytes matter to a past one by one.
    fn is_read(&self, past: PastId) -> bool {
        !Written::is_known(past) || self.written.reads_all(past) || self.written.is_at_risk(past)
    }

    /// The past behind bytes within the lexeme of an entry.
    pub(super) fn past_of_letters(&mut self, entry: &Entry, bytes: &[u8]) -> PastId {
        if let Lexing::Inside { scan, state, .. } = entry.lexing
            && let Scan::Terminal { terminal, effect: Effect::OtherKey, .. } = self.scan(entry.set, scan)
        {
            let letters = self.automata[*terminal as usize].letters(state, bytes);
            return self.written.push(entry.past, letters);
        }
        entry.past
    }

    /// One byte further in a lexeme; `None` where none goes on so.
    #[inline]
    pub(super) fn step_automaton(&self, scan: &Scan, state: u64, byte: u8, n_chars: &mut u32) -> Option<Stepped> {
        Some(match scan {
            Scan::Terminal { terminal, .. } => {
                let automaton = &self.automata[*terminal as usize];
                let state = automaton.step(state, byte, n_chars)?;
                let ended = automaton.is_accepting(state).then_some(0);
                Stepped { state, ended, can_go_on: automaton.can_go_on(state) }
            }
            Scan::Key { record, filter, .. } => {
                let keys = &self.productions.records[*record as usize].keys;
                let state = keys.step(state, byte, filter)?;
                Stepped { state, ended: keys.complete(state, filter), can_go_on: keys.can_go_on(state, filter) }
            }
        })
    }
}
