//! Have the elements of a list enough values to differ? Values counted until there are enough of them.
//!
//! Where the element at each position has more values than there are positions before it, any choice leaves one: no list
//! that is begun ends in a dead end. Lists of which that cannot be told are refused; they need elements of very few values
//! that differ from position to position. How far elements must come is known by the least length, and by counters: as
//! long as one is not met the list cannot be closed, so that `[2` can force another `2` though `[0]` is a list.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use super::builder::{Case, Expr, List, PresenceClause, Property, Record};
use super::json_value::canonical;
use super::productive::Analysis;
use crate::automata::{Automaton, WordCount};
use crate::error::GrammarError;
use crate::hash::HashMap;
use crate::ids::{NonterminalId, TerminalId};

/// Most values that are counted.
const MAX_VALUES: usize = 16_384;
/// Most steps of one count.
const MAX_STEPS: usize = 400_000;
/// Most steps of all counts of a grammar.
const MAX_STEPS_OF_GRAMMAR: usize = 1_000_000;
/// Steps that trying all bytes in a state counts as.
const STATE_COST: usize = 4;
/// Members or elements that are copied or compared in the time of one step.
const PARTS_PER_STEP: usize = 4;
/// Deepest nesting of values that are counted: shallow ones first, as there nearly always are enough of them, and what is
/// recursive has far more ways to be nested deeply.
const MAX_DEPTHS: [usize; 3] = [8, 16, 32];

/// Whether there are enough values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enough {
    Yes,
    No,
    Unknown,
}

/// Some values, in canonical form, or names for values that differ.
#[derive(Debug, Default)]
struct Values {
    found: BTreeSet<String>,
    /// Whether there may be others.
    open: bool,
}

/// Counts values.
struct Count<'a, 'b> {
    analysis: &'b Analysis<'a>,
    max_depth: usize,
    /// Whether something was left out for its depth alone.
    is_cut: bool,
    n_steps: usize,
}

/// Ways on from one place of a value, tried one after the other.
struct Choices<T> {
    all: Rc<[T]>,
    next: usize,
}

impl<T> Choices<T> {
    /// The next one of which `is_allowed` holds; `n_tried` counts those that were asked about.
    fn find(&mut self, n_tried: &mut usize, mut is_allowed: impl FnMut(&T) -> bool) -> Option<&T> {
        let begin = self.next;
        let at = self.all[begin..].iter().position(&mut is_allowed);
        self.next = at.map_or(self.all.len(), |at| begin + at + 1);
        *n_tried += self.next - begin;
        at.map(|at| &self.all[begin + at])
    }
}

/// A value, and what the case that reads it meets.
type Met = (String, u32);

/// A member of a record that is put together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    key: String,
    value: String,
    /// The goals that it meets.
    meets: u32,
    /// The number of its property; how many there are for other keys.
    property: usize,
}

/// A place of a record, whose first members are there.
struct RecordPlace {
    property: usize,
    n_members: usize,
    /// `None` leaves a property out.
    choices: Choices<Option<Member>>,
}

impl Analysis<'_> {
    /// Whether any choice of elements that differ leaves enough of them for the list to be completed.
    pub(super) fn can_differ(&self, list: &List) -> Enough {
        for max_depth in MAX_DEPTHS {
            let mut count = Count { analysis: self, max_depth, is_cut: false, n_steps: 0 };
            let answer = count.can_differ(list, 0);
            if answer != Enough::Unknown || !count.is_cut {
                return answer;
            }
        }
        Enough::Unknown
    }

    /// Whether a terminal has at least [`WordCount::PLENTY`] values: many more than are counted, so that it makes no
    /// difference which of them are used elsewhere.
    fn has_plenty(&self, terminal: TerminalId) -> bool {
        match self.automaton(terminal) {
            Automaton::String(_) => self.word_count(terminal) == Some(WordCount::Plenty),
            Automaton::Number(_) => self.number_count(terminal) == WordCount::Plenty,
            _ => false,
        }
    }

    /// At least how many numbers a terminal has.
    fn number_count(&self, terminal: TerminalId) -> WordCount {
        let automaton = self.automaton(terminal);
        let mut known = self.number_counts.borrow_mut();
        *known.entry(terminal).or_insert_with(|| automaton.count_numbers(automaton.start()))
    }

    /// Counts steps of a count; whether there were not too many.
    fn spend_on_difference(&self, n_steps: usize) -> bool {
        let n_spent = self.difference_steps.get().saturating_add(n_steps);
        self.difference_steps.set(n_spent);
        n_spent <= MAX_STEPS_OF_GRAMMAR
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
    fn can_differ(&mut self, list: &List, depth: usize) -> Enough {
        let n_counted = list.counters.iter().map(|counter| counter.min).max().unwrap_or(0);
        if !list.unique || list.min.max(n_counted) < 2 && (n_counted == 0 || list.prefix.is_empty()) {
            return Enough::Yes;
        }
        match n_counted {
            0 => self.at_positions(list, depth),
            _ => self.for_counters(list, n_counted as usize, depth),
        }
    }

    /// Position by position, as far as elements must come.
    fn at_positions(&mut self, list: &List, depth: usize) -> Enough {
        let (n_prefix, n_needed) = (list.prefix.len(), list.min as usize);
        if n_prefix == 0 {
            return self.enough(&list.rest, n_needed, depth);
        }
        let prefix = list.prefix.iter().take(n_needed).enumerate();
        let all = prefix.map(|(position, cases)| (cases, position + 1));
        let rest = (n_prefix < n_needed).then_some((&list.rest, n_needed));
        self.always(all.chain(rest).map(|(cases, n_needed)| (&**cases, n_needed)), depth)
    }

    /// Whichever case must be read at a position: before the counters are met, the whole prefix may have to come. Behind it
    /// as many elements as a counter asks for may be of the case, if they were counted, and any of the prefix.
    fn for_counters(&mut self, list: &List, n_counted: usize, depth: usize) -> Enough {
        let prefix = list.prefix.iter().enumerate().map(|(position, cases)| (cases, position + 1));
        let rest = (&list.rest, (list.prefix.len() + n_counted).max(list.min as usize));
        let cases = prefix.chain([rest]).flat_map(|(cases, n_needed)| cases.iter().map(move |case| (case, n_needed)));
        self.always(cases.map(|(case, n_needed)| (std::slice::from_ref(case), n_needed)), depth)
    }

    fn always<'c>(&mut self, mut needs: impl Iterator<Item = (&'c [Case], usize)>, depth: usize) -> Enough {
        match needs.all(|(cases, n_needed)| self.enough(cases, n_needed, depth) == Enough::Yes) {
            true => Enough::Yes,
            false => Enough::Unknown,
        }
    }

    fn enough(&mut self, cases: &[Case], n_needed: usize, depth: usize) -> Enough {
        if n_needed > MAX_VALUES {
            return Enough::Unknown;
        }
        let values = self.of_cases(cases, n_needed, depth);
        match values.found.len() >= n_needed {
            true => Enough::Yes,
            false if values.open => Enough::Unknown,
            false => Enough::No,
        }
    }

    /// Counts steps; whether there were too many.
    fn spend(&mut self, n_steps: usize) -> bool {
        self.n_steps += n_steps;
        self.n_steps > MAX_STEPS || !self.analysis.spend_on_difference(n_steps)
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
        self.is_cut |= depth > self.max_depth;
        if depth > self.max_depth || self.spend(1) {
            values.open = true;
            return;
        }
        match expr {
            Expr::Never => {}
            Expr::Terminal(id) => self.add_lexemes(*id, most, values),
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

    /// Adds what lexemes of a terminal say.
    fn add_lexemes(&mut self, terminal: TerminalId, most: usize, values: &mut Values) {
        if self.analysis.has_plenty(terminal) {
            // Names that are no JSON, so that none is that of another value.
            values.found.extend((0..most).map(|number| format!("{} {number:05}", terminal.index())));
            values.open = true;
            self.spend(most / PARTS_PER_STEP);
            return;
        }
        let automaton = self.analysis.automaton(terminal);
        // Strings that are few have an end, and nearly all beginnings one; one number can be written without one.
        let is_deep = matches!(automaton, Automaton::String(_));
        let mut pending = VecDeque::from([(automaton.start(), 0u32, Vec::new())]);
        while let Some((state, n_chars, text)) = if is_deep { pending.pop_back() } else { pending.pop_front() } {
            if self.spend(STATE_COST) {
                values.open = true;
                return;
            }
            for byte in 0..=u8::MAX {
                let mut n_chars = n_chars;
                let Some(next) = automaton.step(state, byte, &mut n_chars) else { continue };
                let mut longer = text.clone();
                longer.push(byte);
                if automaton.is_accepting(next) {
                    match canonical(&longer) {
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
            }
        }
    }

    fn add_lists(&mut self, list: &List, most: usize, depth: usize, values: &mut Values) {
        if list.unique && self.can_differ(list, depth) != Enough::Yes {
            values.open = true;
            return;
        }
        // Short ones first: where elements are plenty the last one makes all the difference.
        let longest = self.analysis.most_elements(list) as usize;
        let mut reach = (list.min as usize).max(1).min(longest);
        loop {
            self.add_lists_up_to(reach, list, most, depth, values);
            if reach == longest || values.found.len() >= most {
                return;
            }
            if self.spend(1) {
                values.open = true;
                return;
            }
            reach = longest.min(2 * reach);
        }
    }

    /// Adds lists of at most `reach` elements.
    fn add_lists_up_to(&mut self, reach: usize, list: &List, most: usize, depth: usize, values: &mut Values) {
        // By position, up to the first behind the prefix.
        let mut known: Vec<Rc<[Met]>> = Vec::new();
        let (mut elements, mut places) = (Vec::<Met>::new(), Vec::<Choices<Met>>::new());
        loop {
            if elements.len() >= list.min as usize && is_counted(list, &elements) {
                let texts: Vec<&str> = elements.iter().map(|(text, _)| &**text).collect();
                values.found.insert(format!("[{}]", texts.join(",")));
            }
            if values.found.len() >= most {
                return;
            }
            if self.spend(1 + elements.len() / PARTS_PER_STEP) {
                values.open = true;
                return;
            }
            if elements.len() < reach {
                let position = elements.len().min(list.prefix.len());
                if position == known.len() {
                    // A longer list comes of what is found; what is not adds to the lists that there are.
                    let cases = list.prefix.get(position).unwrap_or(&list.rest);
                    known.push(self.of_each_case(cases, most.max(2), depth, values).into());
                }
                places.push(Choices { all: Rc::clone(&known[position]), next: 0 });
            }
            let mut n_compared = 0;
            // The deepest place with another choice.
            loop {
                let n_before = places.len().saturating_sub(1);
                let Some(place) = places.last_mut() else { return };
                elements.truncate(n_before);
                let mut n_tried = 0;
                let is_allowed = |(text, _): &Met| !list.unique || elements.iter().all(|(other, _)| other != text);
                let choice = place.find(&mut n_tried, is_allowed).cloned();
                n_compared += n_tried * (1 + n_before);
                if let Some(element) = choice {
                    elements.push(element);
                    break;
                }
                places.pop();
            }
            self.spend(n_compared / PARTS_PER_STEP);
        }
    }

    fn add_records(&mut self, record: &Record, most: usize, depth: usize, values: &mut Values) {
        let (n_properties, min) = (record.properties.len(), record.min as usize);
        let demands = Demands::of(record);
        // By property, the last for other keys.
        let mut known: HashMap<usize, Rc<[Option<Member>]>> = HashMap::default();
        let (mut members, mut places) = (Vec::<Member>::new(), Vec::<RecordPlace>::new());
        let mut property = 0;
        loop {
            let n_members = members.len();
            if self.spend(1 + n_members / PARTS_PER_STEP) {
                values.open = true;
                return;
            }
            if property == n_properties && n_members >= min && demands.met(&members) == demands.goals {
                let mut sorted: Vec<String> =
                    members.iter().map(|Member { key, value, .. }| format!("{key}:{value}")).collect();
                sorted.sort_unstable();
                values.found.insert(format!("{{{}}}", sorted.join(",")));
                if values.found.len() >= most {
                    return;
                }
            }
            let all = match known.get(&property) {
                Some(all) => Rc::clone(all),
                None => {
                    let all: Rc<[Option<Member>]> = match record.properties.get(property) {
                        Some(named) => self.named_members((property, named), most, depth, values).into(),
                        None => self.other_members(record, most, depth, values).into(),
                    };
                    known.insert(property, Rc::clone(&all));
                    all
                }
            };
            // Other keys come in rising order: which of them are there is all that matters.
            let next = match places.last() {
                Some(before) if before.property == n_properties => before.choices.next,
                _ => 0,
            };
            places.push(RecordPlace { property, n_members, choices: Choices { all, next } });
            let mut n_tried = 0;
            // The deepest place with another choice.
            property = loop {
                let Some(place) = places.last_mut() else { return };
                members.truncate(place.n_members);
                let n_members = members.len();
                let n_behind = n_properties.saturating_sub(place.property + 1);
                let choice = place.choices.find(&mut n_tried, |choice| {
                    let is_possible = match choice {
                        None => !record.others.is_empty() || n_members + n_behind >= min,
                        Some(Member { key, .. }) => {
                            record.max.is_none_or(|max| n_members < max as usize)
                                && members.iter().rev().all(|other| other.key != *key)
                        }
                    };
                    is_possible && demands.can_be_met(place.property, &members, choice.as_ref())
                });
                if let Some(choice) = choice {
                    members.extend(choice.clone());
                    break n_properties.min(place.property + 1);
                }
                places.pop();
            };
            self.spend(n_tried / PARTS_PER_STEP);
        }
    }

    /// A property left out, where it may be, and with each of its values.
    fn named_members(
        &mut self,
        (number, property): (usize, &Property),
        most: usize,
        depth: usize,
        values: &mut Values,
    ) -> Vec<Option<Member>> {
        let key = canonical(&property.key);
        values.open |= key.is_none();
        let key = key.unwrap_or_default();
        let found = self.of_each_case(&property.cases, most, depth, values).into_iter();
        let with = |(value, meets)| Some(Member { key: key.clone(), value, meets, property: number });
        let left_out = (!property.required).then_some(None);
        left_out.into_iter().chain(found.map(with)).collect()
    }

    /// Members with other keys, in the order of the keys.
    fn other_members(
        &mut self,
        record: &Record,
        most: usize,
        depth: usize,
        values: &mut Values,
    ) -> Vec<Option<Member>> {
        let property = record.properties.len();
        let n_keys = most + property.min(MAX_VALUES) + (record.min as usize).min(MAX_VALUES);
        let mut members = Vec::new();
        for other in &record.others {
            let found = self.of_each_case(&other.cases, most, depth, values);
            let mut keys = Values::default();
            self.add_lexemes(other.key, n_keys, &mut keys);
            // As many as are wanted, whichever makes them.
            let n_values = most.div_ceil(keys.found.len().max(1)).max(other.cases.len());
            values.open |= keys.open || keys.found.len() >= n_keys || found.len() > n_values;
            for key in &keys.found {
                members.extend(found.iter().take(n_values).map(|(value, meets)| {
                    Some(Member { key: key.clone(), value: value.clone(), meets: *meets, property })
                }));
            }
        }
        self.spend(members.len() / PARTS_PER_STEP);
        members.sort_unstable();
        members
    }

    /// Values by the case that reads them, the first of each case before the second ones.
    fn of_each_case(&mut self, cases: &[Case], most: usize, depth: usize, values: &mut Values) -> Vec<Met> {
        let mut by_rank = Vec::new();
        for case in cases {
            let found = self.of_cases(std::slice::from_ref(case), most, depth);
            values.open |= found.open || found.found.len() >= most;
            by_rank.extend(found.found.into_iter().enumerate().map(|(rank, value)| (rank, value, case.meets)));
        }
        by_rank.sort_unstable();
        by_rank.into_iter().map(|(_, value, meets)| (value, meets)).collect()
    }
}

/// Whether the counters of a list have come to numbers that they may end with.
fn is_counted(list: &List, elements: &[Met]) -> bool {
    list.counters.iter().enumerate().all(|(index, counter)| {
        let n_counted = elements.iter().filter(|(_, meets)| meets >> index & 1 == 1).count();
        counter.min as usize <= n_counted && counter.max.is_none_or(|max| n_counted <= max as usize)
    })
}

/// What a record asks for beside its properties, by the place at which it is decided.
struct Demands<'r> {
    /// All goals.
    goals: u32,
    /// By property: the goals that may be met behind it.
    behind: Vec<u32>,
    /// By property: the clauses of which it decides the last key.
    clauses: HashMap<usize, Vec<&'r PresenceClause>>,
}

impl<'r> Demands<'r> {
    fn of(record: &'r Record) -> Demands<'r> {
        let meets = |cases: &[Case]| cases.iter().fold(0, |goals, case| goals | case.meets);
        let mut goals_behind = record.others.iter().fold(0, |goals, other| goals | meets(&other.cases));
        let mut behind = vec![0; record.properties.len()];
        for (index, property) in record.properties.iter().enumerate().rev() {
            behind[index] = goals_behind;
            goals_behind |= meets(&property.cases);
        }
        let mut clauses: HashMap<usize, Vec<&PresenceClause>> = HashMap::default();
        for clause in &record.presence {
            let last = clause.0.iter().map(|(property, _)| *property as usize).max().unwrap_or(0);
            clauses.entry(last).or_default().push(clause);
        }
        Demands { goals: (1 << record.n_goals) - 1, behind, clauses }
    }

    fn met(&self, members: &[Member]) -> u32 {
        members.iter().fold(0, |goals, member| goals | member.meets) & self.goals
    }

    /// Whether a record that begins with these members can keep them when a property is written so, or left out.
    fn can_be_met(&self, property: usize, members: &[Member], choice: Option<&Member>) -> bool {
        let Some(behind) = self.behind.get(property) else { return true };
        let is_there = |number: usize| match number == property {
            true => choice.is_some(),
            false => members.iter().any(|member| member.property == number),
        };
        let holds =
            |clause: &&PresenceClause| clause.0.iter().any(|(number, there)| is_there(*number as usize) == *there);
        let met = self.met(members) | choice.map_or(0, |member| member.meets) | behind;
        met & self.goals == self.goals && self.clauses.get(&property).is_none_or(|clauses| clauses.iter().all(holds))
    }
}
