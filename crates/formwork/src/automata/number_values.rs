//! Which numbers can still be read from a state? Values, not spellings: `1` and `1.0` are one.

use super::automaton::Automaton;
use super::decimal::Decimal;
use super::word_count::WordCount;
use crate::error::GrammarError;
use crate::hash::{HashMap, HashSet};
use crate::limits::Limits;

/// Most states and texts that are looked at.
const MAX_STEPS: usize = 100_000;
/// Most digits that are counted ahead.
const MAX_DIGITS: usize = 32;

impl Automaton {
    /// At least how many numbers can be read from a state, counted by the digits that follow: texts of digits that end in
    /// another digit than zero are different numbers.
    pub(crate) fn count_numbers(&self, state: u64) -> WordCount {
        let Automaton::Number(number) = self else { return WordCount::Few(0) };
        if !number.has_few_states() || number.is_in_exponent(state) {
            return WordCount::Few(0);
        }
        let mut layer: Vec<(u64, u64)> = vec![(state, 1)];
        if let Some(next) = self.step(state, b'-', &mut 0) {
            layer.push((next, 1));
        }
        let mut total = 0u64;
        for _ in 0..MAX_DIGITS {
            let mut next: HashMap<u64, u64> = HashMap::default();
            for (state, n_ways) in &layer {
                for digit in b'0'..=b'9' {
                    let Some(target) = self.step(*state, digit, &mut 0) else { continue };
                    if digit != b'0' && self.is_accepting(target) {
                        total = total.saturating_add(*n_ways);
                    }
                    let known = next.entry(target).or_default();
                    *known = known.saturating_add(*n_ways);
                }
            }
            if total >= WordCount::PLENTY.into() {
                return WordCount::Plenty;
            }
            layer = next.into_iter().collect();
            if layer.is_empty() {
                break;
            }
        }
        WordCount::Few(u32::try_from(total).unwrap_or(0))
    }

    /// The automaton of the same numbers but for these values.
    pub(crate) fn numbers_without(&self, values: Vec<Decimal>, limits: &Limits) -> Result<Automaton, GrammarError> {
        let Automaton::Number(number) = self else { return Err(GrammarError::Unsatisfiable) };
        Ok(Automaton::Number(number.without(values, limits)?))
    }

    /// Whether some number that goes on from `text`, which led to `state`, is new; `rest` has the new ones, but for those
    /// with an exponent where any number of one sign will do. `None` when that takes too long to tell.
    pub(crate) fn has_number(
        &self,
        rest: &Automaton,
        state: u64,
        text: &[u8],
        is_new: &dyn Fn(&str) -> bool,
    ) -> Option<bool> {
        let end = text.iter().try_fold(rest.start(), |state, byte| rest.step(state, *byte, &mut 0));
        if end.is_some_and(|state| rest.can_go_on(state)) {
            return Some(true);
        }
        match self {
            Automaton::Number(number) if number.has_few_states() => self.search_number(state, text, is_new),
            _ => Some(false),
        }
    }

    fn search_number(&self, state: u64, text: &[u8], is_new: &dyn Fn(&str) -> bool) -> Option<bool> {
        let mut pending = vec![(state, text.to_vec())];
        let mut met: HashSet<(u64, Vec<u8>)> = HashSet::default();
        let mut n_steps = 0;
        while let Some((state, text)) = pending.pop() {
            n_steps += 1;
            if n_steps > MAX_STEPS {
                return None;
            }
            for byte in *b"0123456789-+.eE" {
                let Some(next) = self.step(state, byte, &mut 0) else { continue };
                let mut longer = text.clone();
                longer.push(byte);
                if self.is_accepting(next) && is_new(&String::from_utf8_lossy(&longer)) {
                    return Some(true);
                }
                // A digit that changes nothing can come any number of times: with another value each time, or with none.
                let stays = next == state && byte.is_ascii_digit();
                if stays && self.loops_to_new_values(state, byte, &text) {
                    return Some(true);
                }
                if !stays && met.insert((next, significant(&longer))) {
                    pending.push((next, longer));
                }
            }
        }
        Some(false)
    }

    /// Whether every further `digit`, which leads from `state` to itself, makes other values possible.
    fn loops_to_new_values(&self, state: u64, digit: u8, text: &[u8]) -> bool {
        let is_zero =
            text.iter().take_while(|byte| !matches!(byte, b'e' | b'E')).all(|byte| !(b'1'..=b'9').contains(byte));
        match (text.iter().any(|byte| matches!(byte, b'e' | b'E')), text.contains(&b'.')) {
            (true, _) => !is_zero && digit != b'0',
            // Zeros behind the point say something only before another digit.
            (false, true) => digit != b'0' || (b'1'..=b'9').any(|digit| self.step(state, digit, &mut 0).is_some()),
            (false, false) => true,
        }
    }
}

/// A text less the digits that make no difference to what can follow.
fn significant(text: &[u8]) -> Vec<u8> {
    let exponent = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let mantissa = &text[..exponent.unwrap_or(text.len())];
    let is_zero = mantissa.iter().all(|byte| !(b'1'..=b'9').contains(byte));
    match exponent {
        Some(_) if is_zero => b"0e".to_vec(),
        _ => text.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::{Bound, NumberSpec, Numbers, Terminal};

    fn number(spec: NumberSpec) -> Automaton {
        Automaton::new(&Terminal::Number(spec.into()), &Limits::default()).unwrap()
    }

    fn bound(text: &str) -> Option<Bound> {
        Some(Bound { value: Decimal::parse(text).unwrap(), exclusive: false })
    }

    fn has_new(automaton: &Automaton, text: &str, used: &[&str]) -> bool {
        let used: Vec<Decimal> = used.iter().map(|text| Decimal::parse(text).unwrap()).collect();
        let rest = automaton.numbers_without(used.clone(), &Limits::default()).unwrap();
        let start = automaton.start();
        let state = text.bytes().fold(start, |state, byte| automaton.step(state, byte, &mut 0).unwrap());
        let is_new = |text: &str| !used.contains(&Decimal::parse(text).unwrap());
        automaton.has_number(&rest, state, text.as_bytes(), &is_new).unwrap()
    }

    #[test]
    fn values_are_looked_for_and_not_spellings() {
        let one = number(NumberSpec { minimum: bound("1"), maximum: bound("1"), ..NumberSpec::default() });
        assert!(has_new(&one, "", &["2"]) && has_new(&one, "1.0", &[]) && !has_new(&one, "", &["1"]));
        let digits =
            number(NumberSpec { integer: true, minimum: bound("0"), maximum: bound("12"), ..NumberSpec::default() });
        assert!(has_new(&digits, "1", &["10", "11"]) && !has_new(&digits, "1", &["10", "11", "12"]));
        assert_eq!(digits.count_numbers(digits.start()), WordCount::Few(11));
        let any = number(NumberSpec::default());
        assert_eq!(any.count_numbers(any.start()), WordCount::Plenty);
        assert!(has_new(&any, "0.0", &["0"]) && !has_new(&any, "0e", &["0"]) && has_new(&any, "1e", &["10"]));
        let values = Some(vec![Decimal::parse("1").unwrap(), Decimal::parse("10").unwrap()]);
        let spelled = number(NumberSpec { values, spelling: Numbers::Any, ..NumberSpec::default() });
        assert!(has_new(&spelled, "1", &["1"]) && !has_new(&spelled, "1", &["1", "10"]));
        assert!(has_new(&spelled, "1.0", &["1"]) && !has_new(&spelled, "1.0e-", &["1", "10"]));
    }
}
