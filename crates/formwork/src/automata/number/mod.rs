//! Which spellings are numbers of a description? Two automata: one that counts digits, one that holds the number.
//!
//! [`digits`] serves plain decimals within bounds, which is what nearly all schemas ask for, with few states; divisors that
//! make many of them have states that are calculated and not kept ([`automaton`]).
//! [`exact`] serves everything else (any spelling, lists of values, great divisors): its states hold the number read so
//! far, are without end, and know from arithmetic ([`values`]) whether they are live.

mod automaton;
mod digits;
mod exact;
mod exponent;
mod packing;
mod reach;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use self::automaton::NumberAutomaton;
use self::digits::{DigitMachine, DigitState};
use self::exact::{ExactMachine, ExactState};
use self::packing::Packing;
use super::decimal::Decimal;
use super::lazy_dfa::Machine;
use super::spec::{Bound, NumberForm, NumberSpec, Numbers};
use crate::automata::decide::Emptiness;
use crate::error::{GrammarError, LimitError};
use crate::limits::Limits;

/// Input classes: the ten digits, then these.
const MINUS: usize = 10;
const POINT: usize = 11;
const EXPONENT: usize = 12;
const PLUS: usize = 13;
const N_CLASSES: usize = 14;

/// The class of a byte; `None` for bytes that no number has.
pub(crate) fn number_class(byte: u8) -> Option<usize> {
    Some(match byte {
        b'0'..=b'9' => usize::from(byte - b'0'),
        b'-' => MINUS,
        b'.' => POINT,
        b'e' | b'E' => EXPONENT,
        b'+' => PLUS,
        _ => return None,
    })
}

/// Automaton of one [`NumberSpec`].
#[derive(Debug)]
pub(crate) enum NumberMachine {
    Digits(DigitMachine),
    Exact(ExactMachine),
}

/// What was read so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NumberState {
    Digits(DigitState),
    Exact(Box<ExactState>),
}

impl NumberMachine {
    pub(crate) fn new(spec: &NumberSpec, limits: &Limits) -> Result<NumberMachine, GrammarError> {
        let mut spec = spec.clone();
        // A number is a multiple of all divisors if it is one of their least common multiple.
        if let Some(joined) = values::joined(&spec.multiples) {
            spec.multiples = joined;
        }
        spec.max_digits = match spec.spelling {
            Numbers::Plain => spec.max_digits.map(|max| max.max(needed_digits(&spec, max))),
            Numbers::Any => None,
        };
        if DigitMachine::serves(&spec) {
            return Ok(NumberMachine::Digits(DigitMachine::new(&spec, limits)?));
        }
        Ok(NumberMachine::Exact(ExactMachine::new(&spec)?))
    }

    /// The same numbers but for these. Where any number of one sign will do, those with an exponent are left out as well.
    pub(super) fn without(&self, values: Vec<Decimal>) -> Result<NumberMachine, GrammarError> {
        let mut spec = match self {
            NumberMachine::Digits(machine) => machine.spec().clone(),
            NumberMachine::Exact(machine) => machine.spec().clone(),
        };
        spec.excluded.extend(values);
        spec.excluded.sort_unstable();
        spec.excluded.dedup();
        Ok(NumberMachine::Exact(ExactMachine::new(&spec)?))
    }

    /// No number ends within fewer bytes behind a live state.
    pub(super) fn bytes_to_end(&self, state: &NumberState) -> u32 {
        match (self, state) {
            (NumberMachine::Digits(machine), NumberState::Digits(state)) => machine.bytes_to_end(state),
            (NumberMachine::Exact(machine), NumberState::Exact(state)) => machine.bytes_to_end(state),
            _ => 0,
        }
    }

    /// Whether states tell only what bounds and divisors need, and are few.
    pub(super) fn counts_digits(&self) -> bool {
        matches!(self, NumberMachine::Digits(_))
    }

    /// How states are written in one word, where there are more than so many combinations of digits and remainders.
    fn packing(&self, max_listed: u64) -> Option<Packing> {
        match self {
            NumberMachine::Digits(machine) => machine.packing(max_listed),
            NumberMachine::Exact(_) => None,
        }
    }

    pub(super) fn is_in_exponent(state: &NumberState) -> bool {
        matches!(state, NumberState::Digits(state) if state.is_in_exponent())
    }
}

/// Digits that some number of the description needs before or behind the point, where those are not fewer than `max`.
fn needed_digits(spec: &NumberSpec, max: u32) -> u32 {
    let bounds = [&spec.minimum, &spec.maximum].into_iter().flatten().map(|bound| &bound.value);
    let values = bounds.chain(&spec.multiples).chain(&spec.not_multiples).chain(&spec.excluded);
    let values = values.chain(spec.values.iter().flatten());
    let longest = values.map(|value| value.top().max(-value.exponent())).max().unwrap_or(0);
    match u32::try_from(longest.min(2 * digits::MAX_BOUND_DIGITS)) {
        Ok(longest) if longest >= max => longest + 1,
        _ => 0,
    }
}

/// A number of this size is not handled.
fn too_large(limits: &Limits) -> GrammarError {
    GrammarError::Limit(LimitError { setting: "max_automaton_states", limit: limits.max_automaton_states })
}

/// Whether `value` satisfies `spec`, whatever its spelling.
pub(crate) fn number_matches(spec: &NumberSpec, value: &Decimal) -> bool {
    let above = |bound: &Bound| if bound.exclusive { *value > bound.value } else { *value >= bound.value };
    let below = |bound: &Bound| if bound.exclusive { *value < bound.value } else { *value <= bound.value };
    (!spec.integer || value.is_integer())
        && spec.minimum.as_ref().is_none_or(above)
        && spec.maximum.as_ref().is_none_or(below)
        && spec.multiples.iter().all(|divisor| value.is_multiple_of(divisor) == Some(true))
        && spec.not_multiples.iter().all(|divisor| value.is_multiple_of(divisor) == Some(false))
        && spec.excluded.binary_search(value).is_err()
        && spec.values.as_ref().is_none_or(|values| values.binary_search(value).is_ok())
}

/// Whether any number satisfies `spec`.
pub(crate) fn number_emptiness(spec: &NumberSpec) -> Emptiness {
    match values::ValueSet::new(spec) {
        Ok(set) if set.is_empty() => Emptiness::Empty,
        Ok(_) => Emptiness::NonEmpty,
        Err(_) => Emptiness::Unknown,
    }
}

impl NumberSpec {
    /// Whether the form is one that the spelling has anyway.
    fn form_is_plain(&self) -> bool {
        match self.form {
            NumberForm::Free => true,
            NumberForm::Digits => self.integer && self.spelling == Numbers::Plain,
            NumberForm::NotDigits => false,
        }
    }
}

impl Machine for NumberMachine {
    type State = NumberState;

    fn n_classes(&self) -> usize {
        N_CLASSES
    }

    fn start(&self) -> NumberState {
        match self {
            NumberMachine::Digits(machine) => NumberState::Digits(machine.start()),
            NumberMachine::Exact(machine) => NumberState::Exact(Box::new(machine.start())),
        }
    }

    fn step(&self, state: &NumberState, class: usize) -> Option<NumberState> {
        match (self, state) {
            (NumberMachine::Digits(machine), NumberState::Digits(state)) => {
                machine.step(state, class).map(NumberState::Digits)
            }
            (NumberMachine::Exact(machine), NumberState::Exact(state)) => {
                machine.step(state, class).map(|next| NumberState::Exact(Box::new(next)))
            }
            _ => None,
        }
    }

    fn is_accepting(&self, state: &NumberState) -> bool {
        match (self, state) {
            (NumberMachine::Digits(machine), NumberState::Digits(state)) => machine.is_accepting(state),
            (NumberMachine::Exact(machine), NumberState::Exact(state)) => machine.is_accepting(state),
            _ => false,
        }
    }

    fn liveness(&self, state: &NumberState) -> Option<bool> {
        match (self, state) {
            (NumberMachine::Digits(machine), NumberState::Digits(state)) => machine.liveness(state),
            (NumberMachine::Exact(machine), NumberState::Exact(state)) => Some(machine.is_live(state)),
            _ => None,
        }
    }

    /// Shorter numbers first.
    fn guess(&self, state: &NumberState) -> u32 {
        match state {
            NumberState::Digits(state) => state.n_digits(),
            NumberState::Exact(_) => 0,
        }
    }

    fn is_too_large(&self, state: &NumberState) -> bool {
        matches!((self, state), (NumberMachine::Exact(machine), NumberState::Exact(state)) if machine.is_too_large(state))
    }

    fn n_bytes(&self, state: &NumberState) -> usize {
        match state {
            NumberState::Digits(_) => 0,
            NumberState::Exact(state) => size_of::<ExactState>() + state.n_heap_bytes(),
        }
    }
}
