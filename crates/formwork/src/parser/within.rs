//! How far does a text go on within the lexemes that are being read? Most bytes of most tokens do nothing else, and then only
//! automata step, side by side, and nothing about the grammar is asked.

use smallvec::SmallVec;

use super::configuration::{Configuration, Entry, Lexing, push};
use super::item_set::{Parser, Scan};
use super::written::{PastId, Written};
use crate::automata::Allowance;
use crate::grammar::Effect;

/// A lexeme that is being read on.
#[derive(Clone, Copy)]
struct Lexeme {
    /// Where the reading began.
    started: Entry,
    scan: u32,
    state: u64,
    n_chars: u32,
}

impl Lexeme {
    fn of(entry: &Entry) -> Option<Lexeme> {
        let Lexing::Inside { scan, state, n_chars } = entry.lexing else { return None };
        Some(Lexeme { started: *entry, scan, state, n_chars })
    }

    fn lexing(&self) -> Lexing {
        let Lexeme { scan, state, n_chars, .. } = *self;
        Lexing::Inside { scan, state, n_chars }
    }
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
        if !configuration.iter().all(|entry| self.is_within(entry)) {
            return 0;
        }
        let mut lexemes: SmallVec<[Lexeme; 2]> = configuration.iter().filter_map(Lexeme::of).collect();
        let mut n_read = 0;
        while let Some(next) = bytes.get(n_read).and_then(|byte| self.step_within(&lexemes, *byte)) {
            lexemes = next;
            n_read += 1;
        }
        if n_read > 0 {
            configuration.clear();
            for lexeme in lexemes {
                let past = self.past_of_letters(&lexeme.started, &bytes[..n_read]);
                push(configuration, Entry { lexing: lexeme.lexing(), past, ..lexeme.started });
            }
        }
        n_read
    }

    /// Whether an entry is in a lexeme of which only the automaton, or the letters of a key, need to be known until it ends.
    fn is_within(&self, entry: &Entry) -> bool {
        let Lexing::Inside { scan, .. } = entry.lexing else { return false };
        if self.productions.remembers && self.is_read(entry.past) {
            return false;
        }
        match self.scan(entry.set, scan) {
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

    /// One byte further in all lexemes that take it; `None` where none does, or where one may end.
    fn step_within(&self, lexemes: &[Lexeme], byte: u8) -> Option<SmallVec<[Lexeme; 2]>> {
        let _allowance = Allowance::new(&self.limits);
        let mut next = SmallVec::new();
        for lexeme in lexemes {
            let mut n_chars = lexeme.n_chars;
            let scan = self.scan(lexeme.started.set, lexeme.scan);
            match self.step_automaton(scan, lexeme.state, byte, &mut n_chars) {
                Some(Stepped { state, ended: None, can_go_on: true }) => {
                    next.push(Lexeme { state, n_chars, ..*lexeme });
                }
                Some(_) => return None,
                None => {}
            }
        }
        (!next.is_empty()).then_some(next)
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
