//! Have the elements of a list enough values to differ? Values counted until there are enough of them.
//!
//! Where the element at each position has more values than there are positions before it, any choice leaves one: no list
//! that is begun ends in a dead end. Lists of which that cannot be told are refused; they need elements of very few values
//! that differ from position to position. How far elements must come is known by the least length, and by counters: as
//! long as one is not met the list cannot be closed, so that `[2` can force another `2` though `[0]` is a list.

use std::collections::{BTreeSet, VecDeque};

use super::builder::{Case, Expr, List, Record};
use super::json_value::canonical;
use super::productive::Analysis;
use crate::error::GrammarError;
use crate::ids::{NonterminalId, TerminalId};

/// Most values that are counted.
const MAX_VALUES: usize = 1_024;
/// Most steps of one count.
const MAX_STEPS: usize = 400_000;
/// Deepest nesting of values that are counted.
const MAX_DEPTH: usize = 32;

/// Whether there are enough values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enough {
    Yes,
    No,
    Unknown,
}

/// Some values, in canonical form.
#[derive(Debug, Default)]
struct Values {
    found: BTreeSet<String>,
    /// Whether there may be others.
    open: bool,
}

/// Counts values.
struct Count<'a, 'b> {
    analysis: &'b Analysis<'a>,
    n_steps: usize,
}

impl Analysis<'_> {
    /// Whether any choice of elements that differ leaves enough of them for the list to be completed.
    pub(super) fn can_differ(&self, list: &List) -> Enough {
        let n_counted = list.counters.iter().map(|counter| counter.min).max().unwrap_or(0);
        if !list.unique || list.min.max(n_counted) < 2 && (n_counted == 0 || list.prefix.is_empty()) {
            return Enough::Yes;
        }
        let mut count = Count { analysis: self, n_steps: 0 };
        match n_counted {
            0 => count.at_positions(list),
            _ => count.for_counters(list, n_counted as usize),
        }
    }

    /// Refuses lists of which it cannot be told.
    pub(super) fn check_difference(&self, list: &List) -> Result<(), GrammarError> {
        match self.can_differ(list) {
            Enough::Yes | Enough::No => Ok(()),
            Enough::Unknown => {
                let reason = "cannot tell whether a list always gets as many elements that differ as it needs".into();
                Err(GrammarError::Invalid(reason))
            }
        }
    }
}

impl Count<'_, '_> {
    /// Position by position, as far as elements must come.
    fn at_positions(&mut self, list: &List) -> Enough {
        let (n_prefix, n_needed) = (list.prefix.len(), list.min as usize);
        if n_prefix == 0 {
            return self.enough(&list.rest, n_needed);
        }
        let prefix = list.prefix.iter().take(n_needed).enumerate();
        let all = prefix.map(|(position, cases)| (cases, position + 1));
        let rest = (n_prefix < n_needed).then_some((&list.rest, n_needed));
        self.always(all.chain(rest).map(|(cases, n_needed)| (&**cases, n_needed)))
    }

    /// Whichever case must be read at a position: before the counters are met, the whole prefix may have to come. Behind it
    /// as many elements as a counter asks for may be of the case, if they were counted, and any of the prefix.
    fn for_counters(&mut self, list: &List, n_counted: usize) -> Enough {
        let prefix = list.prefix.iter().enumerate().map(|(position, cases)| (cases, position + 1));
        let rest = (&list.rest, (list.prefix.len() + n_counted).max(list.min as usize));
        let cases = prefix.chain([rest]).flat_map(|(cases, n_needed)| cases.iter().map(move |case| (case, n_needed)));
        self.always(cases.map(|(case, n_needed)| (std::slice::from_ref(case), n_needed)))
    }

    fn always<'c>(&mut self, mut needs: impl Iterator<Item = (&'c [Case], usize)>) -> Enough {
        match needs.all(|(cases, n_needed)| self.enough(cases, n_needed) == Enough::Yes) {
            true => Enough::Yes,
            false => Enough::Unknown,
        }
    }

    fn enough(&mut self, cases: &[Case], n_needed: usize) -> Enough {
        if n_needed > MAX_VALUES {
            return Enough::Unknown;
        }
        let values = self.of_cases(cases, n_needed, 0);
        match values.found.len() >= n_needed {
            true => Enough::Yes,
            false if values.open => Enough::Unknown,
            false => Enough::No,
        }
    }

    /// Whether the budget is spent.
    fn spend(&mut self) -> bool {
        self.n_steps += 1;
        self.n_steps > MAX_STEPS
    }

    fn of_cases(&mut self, cases: &[Case], most: usize, depth: usize) -> Values {
        let mut values = Values::default();
        for case in cases.iter().filter(|case| self.analysis.nonterminal_is_productive(case.value)) {
            self.add_nonterminal(case.value, most, depth, &mut values);
        }
        values
    }

    fn add_nonterminal(&mut self, id: NonterminalId, most: usize, depth: usize, values: &mut Values) {
        match self.analysis.body(id) {
            Some(body) => self.add(body, most, depth, values),
            None => values.open = true,
        }
    }

    fn add(&mut self, expr: &Expr, most: usize, depth: usize, values: &mut Values) {
        if values.found.len() >= most {
            return;
        }
        if depth > MAX_DEPTH || self.spend() {
            values.open = true;
            return;
        }
        match expr {
            Expr::Never => {}
            Expr::Terminal(id) => self.add_lexemes(*id, most, &mut |text| canonical(text), values),
            Expr::Nonterminal(id) if self.analysis.nonterminal_is_productive(*id) => {
                self.add_nonterminal(*id, most, depth + 1, values);
            }
            Expr::Nonterminal(_) => {}
            Expr::Choice(parts) => parts.iter().for_each(|part| self.add(part, most, depth + 1, values)),
            Expr::Sequence(parts) if parts.len() == 1 => self.add(&parts[0], most, depth + 1, values),
            Expr::List(list) => self.add_lists(list, most, depth + 1, values),
            Expr::Record(record) => self.add_records(record, most, depth + 1, values),
            Expr::Empty | Expr::Sequence(_) | Expr::Repeat { .. } => values.open = true,
        }
    }

    /// Adds what lexemes of a terminal say, the shortest first.
    fn add_lexemes(
        &mut self,
        terminal: TerminalId,
        most: usize,
        value: &mut dyn FnMut(&[u8]) -> Option<String>,
        values: &mut Values,
    ) {
        let automaton = self.analysis.automaton(terminal);
        let mut pending = VecDeque::from([(automaton.start(), 0u32, Vec::new())]);
        while let Some((state, n_chars, text)) = pending.pop_front() {
            for byte in 0..=u8::MAX {
                let mut n_chars = n_chars;
                let Some(next) = automaton.step(state, byte, &mut n_chars) else { continue };
                let mut longer = text.clone();
                longer.push(byte);
                if automaton.is_accepting(next) {
                    match value(&longer) {
                        Some(value) => drop(values.found.insert(value)),
                        None => values.open = true,
                    }
                }
                if values.found.len() >= most {
                    return;
                }
                if automaton.can_go_on(next) {
                    pending.push_back((next, n_chars, longer));
                }
                if self.spend() {
                    values.open = true;
                    return;
                }
            }
        }
    }

    fn add_lists(&mut self, list: &List, most: usize, depth: usize, values: &mut Values) {
        if !list.counters.is_empty() || list.unique && self.analysis.can_differ(list) != Enough::Yes {
            values.open = true;
            return;
        }
        let longest = self.analysis.most_elements(list) as usize;
        let mut pending = VecDeque::from([Vec::<String>::new()]);
        while let Some(elements) = pending.pop_front() {
            if elements.len() >= list.min as usize {
                values.found.insert(format!("[{}]", elements.join(",")));
            }
            if values.found.len() >= most {
                return;
            }
            if elements.len() >= longest {
                continue;
            }
            let cases = list.prefix.get(elements.len()).unwrap_or(&list.rest);
            let next = self.of_cases(cases, most.max(2), depth);
            // A longer list comes of what was found; what was not adds to the lists that there are.
            values.open |= next.open || next.found.len() >= most.max(2);
            for element in next.found.into_iter().filter(|element| !(list.unique && elements.contains(element))) {
                let mut longer = elements.clone();
                longer.push(element);
                pending.push_back(longer);
            }
            if self.spend() || pending.len() > MAX_STEPS {
                values.open = true;
                return;
            }
        }
    }

    fn add_records(&mut self, record: &Record, most: usize, depth: usize, values: &mut Values) {
        if record.n_goals > 0 || !record.presence.is_empty() {
            values.open = true;
            return;
        }
        // Members, the property that comes next, and how many of the members have a name.
        let mut pending = VecDeque::from([(Vec::<(String, String)>::new(), 0usize, 0usize)]);
        while let Some((members, next, n_named)) = pending.pop_front() {
            let n_members = members.len() as u32;
            if self.spend() || pending.len() > MAX_STEPS {
                values.open = true;
                return;
            }
            if let Some(property) = record.properties.get(next) {
                if !property.required {
                    pending.push_back((members.clone(), next + 1, n_named));
                }
                let key = canonical(&property.key);
                if record.max.is_none_or(|max| n_members < max) {
                    let found = self.of_cases(&property.cases, most, depth);
                    values.open |= found.open || found.found.len() >= most || key.is_none();
                    for value in found.found {
                        let mut members = members.clone();
                        members.push((key.clone().unwrap_or_default(), value));
                        pending.push_back((members, next + 1, n_named + 1));
                    }
                }
                continue;
            }
            let mut sorted: Vec<String> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            sorted.sort_unstable();
            if n_members >= record.min {
                values.found.insert(format!("{{{}}}", sorted.join(",")));
            }
            if values.found.len() >= most {
                return;
            }
            if record.max.is_some_and(|max| n_members >= max) {
                continue;
            }
            for other in &record.others {
                let found = self.of_cases(&other.cases, most, depth);
                values.open |= found.open || found.found.len() >= most;
                let mut keys = Values::default();
                let n_keys = most + members.len();
                self.add_lexemes(other.key, n_keys, &mut |text| canonical(text), &mut keys);
                values.open |= keys.open || keys.found.len() >= n_keys;
                let greater = |key: &String| members[n_named..].iter().all(|(other, _)| other < key);
                let is_new = |key: &String| greater(key) && members.iter().all(|(other, _)| other != key);
                for key in keys.found.iter().filter(|key| is_new(key)) {
                    for value in &found.found {
                        let mut members = members.clone();
                        members.push((key.clone(), value.clone()));
                        pending.push_back((members, next, n_named));
                    }
                }
            }
        }
    }
}
