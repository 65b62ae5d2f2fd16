//! Where does a number's state go? States that are listed when they are reached, or calculated each time.

use super::digits::DigitMachine;
use super::packing::Packing;
use super::{NumberMachine, NumberState};
use crate::automata::decimal::Decimal;
use crate::automata::lazy_dfa::{LazyDfa, Machine};
use crate::automata::spec::NumberSpec;
use crate::error::GrammarError;
use crate::limits::Limits;

/// Most combinations of digits counted and remainders whose states are listed.
const MAX_LISTED: u64 = 4_000;

/// The automaton of a [`NumberSpec`]. The start state is 0, and all states that it gives are live.
#[derive(Debug)]
pub(crate) enum NumberAutomaton {
    Listed(Box<LazyDfa<NumberMachine>>),
    Calculated(Box<Calculated>),
}

/// States in one word, of which it is calculated whether they are live.
#[derive(Debug)]
pub(crate) struct Calculated {
    machine: NumberMachine,
    packing: Packing,
    is_empty: bool,
}

impl NumberAutomaton {
    pub(crate) fn new(spec: &NumberSpec, limits: &Limits) -> Result<NumberAutomaton, GrammarError> {
        Ok(NumberAutomaton::of(NumberMachine::new(spec, limits)?, limits))
    }

    fn of(machine: NumberMachine, limits: &Limits) -> NumberAutomaton {
        // Each combination is met with either sign, above and below what bounds there are.
        let max_listed = MAX_LISTED.min(limits.max_automaton_states as u64 / 16);
        match machine.packing(max_listed) {
            Some(packing) => {
                let is_empty = machine.liveness(&machine.start()) == Some(false);
                NumberAutomaton::Calculated(Box::new(Calculated { machine, packing, is_empty }))
            }
            None => NumberAutomaton::Listed(Box::new(LazyDfa::new(machine, limits.max_automaton_states))),
        }
    }

    /// The same numbers but for these.
    pub(crate) fn without(&self, values: Vec<Decimal>, limits: &Limits) -> Result<NumberAutomaton, GrammarError> {
        Ok(NumberAutomaton::of(self.machine().without(values)?, limits))
    }

    pub(crate) fn machine(&self) -> &NumberMachine {
        match self {
            NumberAutomaton::Listed(dfa) => dfa.machine(),
            NumberAutomaton::Calculated(it) => &it.machine,
        }
    }

    /// What a state holds.
    pub(crate) fn state(&self, state: u64) -> NumberState {
        match self {
            NumberAutomaton::Listed(dfa) => dfa.ask(state as u32, |_, state| state.clone()),
            NumberAutomaton::Calculated(it) => NumberState::Digits(it.packing.unpack(state)),
        }
    }

    /// Whether states are few, and tell only what bounds and divisors need.
    pub(crate) fn has_few_states(&self) -> bool {
        matches!(self, NumberAutomaton::Listed(dfa) if dfa.machine().counts_digits())
    }

    /// Whether an exponent is being read.
    pub(crate) fn is_in_exponent(&self, state: u64) -> bool {
        match self {
            NumberAutomaton::Listed(dfa) => dfa.holds(state as u32, NumberMachine::is_in_exponent),
            NumberAutomaton::Calculated(_) => false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            NumberAutomaton::Listed(dfa) => dfa.is_empty(),
            NumberAutomaton::Calculated(it) => it.is_empty,
        }
    }

    /// The live state that `state` goes to.
    pub(crate) fn next(&self, state: u64, class: usize) -> Option<u64> {
        match self {
            NumberAutomaton::Listed(dfa) => dfa.next(state as u32, class).map(u64::from),
            NumberAutomaton::Calculated(it) => {
                let NumberMachine::Digits(machine) = &it.machine else { return None };
                let next = machine.step(&it.packing.unpack(state), class)?;
                (DigitMachine::liveness(machine, &next) != Some(false)).then(|| it.packing.pack(&next))
            }
        }
    }

    pub(crate) fn is_accepting(&self, state: u64) -> bool {
        match self {
            NumberAutomaton::Listed(dfa) => dfa.is_accepting(state as u32),
            NumberAutomaton::Calculated(it) => it.machine.is_accepting(&self.state(state)),
        }
    }

    /// Whether any step from `state`, which is live or the first, is live.
    pub(crate) fn can_go_on(&self, state: u64) -> bool {
        match self {
            NumberAutomaton::Listed(dfa) => dfa.can_go_on(state as u32),
            NumberAutomaton::Calculated(_) if !self.is_accepting(state) => state != 0 || !self.is_empty(),
            NumberAutomaton::Calculated(_) => (0..super::N_CLASSES).any(|class| self.next(state, class).is_some()),
        }
    }

    /// Whether little room is left for states.
    pub(crate) fn is_nearly_full(&self) -> bool {
        matches!(self, NumberAutomaton::Listed(dfa) if dfa.is_nearly_full())
    }

    /// Bytes held by states.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            NumberAutomaton::Listed(dfa) => dfa.n_bytes(),
            NumberAutomaton::Calculated(_) => 0,
        }
    }
}
