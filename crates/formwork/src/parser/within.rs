//! How far does a text go on within the lexeme that is being read? Most bytes of most tokens do nothing else, and then one
//! automaton steps, and nothing about the grammar is asked.

use super::configuration::{Entry, Lexing};
use super::item_set::{Parser, Scan};
use super::written::Written;
use crate::automata::Allowance;
use crate::grammar::Effect;

/// Behind one more byte of a lexeme.
pub(super) struct Stepped {
    pub(super) state: u64,
    /// The key that was read if the lexeme may end here, 0 for other lexemes.
    pub(super) ended: Option<u32>,
    pub(super) can_go_on: bool,
}

impl Parser {
    /// Reads bytes as long as the lexeme neither ends, nor may end, behind them, and says how many. The next one, if any, is
    /// to be read as [`step_byte`](Self::step_byte) does: also where it has no place at all.
    pub(crate) fn read_within(&self, entry: &mut Entry, bytes: &[u8]) -> usize {
        let Lexing::Inside { scan, state, n_chars } = &mut entry.lexing else { return 0 };
        let is_read = |past| !Written::is_known(past) || self.written.reads_all(past) || self.written.is_at_risk(past);
        if self.productions.remembers && is_read(entry.past) {
            return 0;
        }
        let scan = self.scan(entry.set, *scan);
        if !matches!(scan, Scan::Key { .. } | Scan::Terminal { effect: Effect::None, .. }) {
            return 0;
        }
        let mut step = |byte: u8| {
            let _allowance = Allowance::new(&self.limits);
            let mut n_chars_now = *n_chars;
            let next = self.step_automaton(scan, *state, byte, &mut n_chars_now);
            let next = next.filter(|next| next.ended.is_none() && next.can_go_on);
            let Some(next) = next else { return false };
            (*state, *n_chars) = (next.state, n_chars_now);
            true
        };
        bytes.iter().take_while(|byte| step(**byte)).count()
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
