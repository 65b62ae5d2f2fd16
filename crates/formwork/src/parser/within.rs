//! How far does a text go on within the lexeme that is being read? Most bytes of most tokens do nothing else, and then one
//! automaton steps, and nothing about the grammar is asked.

use super::configuration::{Entry, Lexing};
use super::item_set::{Parser, Scan};
use super::written::Written;
use crate::automata::Allowance;
use crate::grammar::Effect;

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
        let mut step = |byte: u8| {
            let _allowance = Allowance::new(&self.limits);
            let mut n_chars_now = *n_chars;
            let next = match scan {
                Scan::Terminal { terminal, effect: Effect::None, .. } => {
                    let automaton = &self.automata[*terminal as usize];
                    let next = automaton.step(*state, byte, &mut n_chars_now);
                    next.filter(|next| !automaton.is_accepting(*next) && automaton.can_go_on(*next))
                }
                Scan::Terminal { .. } => None,
                Scan::Key { record, filter, .. } => {
                    let keys = &self.productions.records[*record as usize].keys;
                    let next = keys.step(*state, byte, filter);
                    next.filter(|next| keys.complete(*next, filter).is_none() && keys.can_go_on(*next, filter))
                }
            };
            let Some(next) = next else { return false };
            (*state, *n_chars) = (next, n_chars_now);
            true
        };
        bytes.iter().take_while(|byte| step(**byte)).count()
    }
}
