//! Which tokens of whole characters does a content automaton take? One step for each shape instead of each token.
//!
//! Where all characters of a shape class lead on, wherever to, or none does, a whole group of tokens is taken or refused at
//! once; where that differs, the tokens of that part are run one by one or by a walk over the trie of their characters,
//! whichever is less.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::MaskWork;
use super::letters::LetterStepper;
use super::profile::Profiles;
use crate::automata::StringAutomaton;
use crate::error::LimitError;
use crate::hash::{HashMap, Numbered};
use crate::vocabulary::shapes::{N_SHAPE_CLASSES, Run, ShapeTrie, class_ranges};
use crate::vocabulary::strings::BodyTable;
use crate::vocabulary::token_mask::set_bit;

/// The automaton's classes of characters that each shape class meets.
#[derive(Debug)]
pub(super) struct ShapeClasses(Vec<Box<[u16]>>);

impl ShapeClasses {
    pub(super) fn of(&self, shape_class: u8) -> &[u16] {
        self.0.get(usize::from(shape_class)).map_or(&[], |classes| classes)
    }

    pub(super) fn new(string: &StringAutomaton) -> ShapeClasses {
        let Some(dfa) = string.dfa() else { return ShapeClasses(Vec::new()) };
        let alphabet = dfa.machine().alphabet();
        let classes = |class: usize| {
            let ranges = class_ranges(class as u8).into_iter();
            let mut met: Vec<u16> = ranges.flat_map(|(lo, hi)| alphabet.classes_in(lo, hi)).map(|c| c as u16).collect();
            met.sort_unstable();
            met.dedup();
            met.into_boxed_slice()
        };
        ShapeClasses((0..N_SHAPE_CLASSES).map(classes).collect())
    }
}

/// Number of a set of states.
type SetOfStates = u32;

/// What happens on the characters of a shape class.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    /// All of them are fatal.
    Dead,
    /// All of them lead into these states.
    To(SetOfStates),
    /// Neither, or into too many states.
    Mixed,
}

/// Nodes of the trie that are walked over in the time in which one token is run by itself.
const NODES_PER_TOKEN: usize = 8;
/// Steps that getting hold of one token's text counts as.
pub(super) const TOKEN_COST: usize = 8;
/// More states than this are not followed together.
const MAX_TOGETHER: usize = 64;

/// Follows all tokens of a shape together: it does not matter where each of them leads, only that all of them lead on.
struct Classifier<'a> {
    string: &'a StringAutomaton,
    classes: &'a ShapeClasses,
    sets: Numbered<SmallVec<[u32; 4]>>,
    known: HashMap<(SetOfStates, u8), Outcome>,
}

impl<'a> Classifier<'a> {
    /// With the set of one state.
    fn new(string: &'a StringAutomaton, classes: &'a ShapeClasses, state: u32) -> (Classifier<'a>, SetOfStates) {
        let sets = Numbered::from_iter([SmallVec::from_slice(&[state])]);
        (Classifier { string, classes, sets, known: HashMap::default() }, 0)
    }

    /// Numbers a set of states, given in any order.
    fn number(&mut self, mut states: SmallVec<[u32; 4]>) -> Outcome {
        states.sort_unstable();
        states.dedup();
        if states.len() > MAX_TOGETHER {
            return Outcome::Mixed;
        }
        Outcome::To(self.sets.insert_full(states).0 as SetOfStates)
    }

    fn step(&mut self, set: SetOfStates, class: u8) -> Outcome {
        if let Some(known) = self.known.get(&(set, class)) {
            return *known;
        }
        let outcome = self.find(set, class);
        self.known.insert((set, class), outcome);
        outcome
    }

    fn find(&mut self, set: SetOfStates, class: u8) -> Outcome {
        let Some(dfa) = self.string.dfa() else { return Outcome::Mixed };
        let mut targets = SmallVec::new();
        let mut any_dead = false;
        for state in &self.sets[set as usize] {
            for class in self.classes.of(class) {
                match dfa.next(*state, usize::from(*class)) {
                    Some(target) if !targets.contains(&target) => targets.push(target),
                    Some(_) => {}
                    None => any_dead = true,
                }
                if any_dead && !targets.is_empty() {
                    return Outcome::Mixed;
                }
            }
        }
        if any_dead { Outcome::Dead } else { self.number(targets) }
    }

    /// Behind one character, or any run of two to `longest`.
    fn step_run(&mut self, set: SetOfStates, Run { class, repeated }: Run, longest: u16) -> Outcome {
        let Outcome::To(first) = self.step(set, class) else { return self.step(set, class) };
        if !repeated {
            return Outcome::To(first);
        }
        let Outcome::To(mut last) = self.step(first, class) else { return self.step(first, class) };
        let mut reached = self.sets[last as usize].clone();
        for _ in 2..longest {
            // Some runs are fatal and others are not.
            let Outcome::To(next) = self.step(last, class) else { return Outcome::Mixed };
            if next == last {
                break;
            }
            reached.extend_from_slice(&self.sets[next as usize]);
            last = next;
        }
        self.number(reached)
    }
}

/// Where the tokens of some shapes lead, each worked out when it is asked for.
pub(super) struct Followed<'a> {
    classifier: Classifier<'a>,
    shapes: &'a ShapeTrie,
    start: SetOfStates,
    outcomes: HashMap<usize, Outcome>,
}

impl<'a> Followed<'a> {
    pub(super) fn new(
        string: &'a StringAutomaton,
        classes: &'a ShapeClasses,
        shapes: &'a ShapeTrie,
        content: u32,
    ) -> Followed<'a> {
        let (classifier, start) = Classifier::new(string, classes, content);
        Followed { classifier, shapes, start, outcomes: HashMap::default() }
    }

    /// The states into which the tokens of a shape lead; `None` where some lead nowhere, or they are too many.
    pub(super) fn states(&mut self, shape: usize) -> Option<&[u32]> {
        match self.outcome(shape) {
            Outcome::To(set) => Some(&self.classifier.sets[set as usize]),
            Outcome::Dead | Outcome::Mixed => None,
        }
    }

    fn outcome(&mut self, shape: usize) -> Outcome {
        if let Some(known) = self.outcomes.get(&shape) {
            return *known;
        }
        let mut pending = vec![shape];
        loop {
            let node = pending[pending.len() - 1];
            let before = match self.shapes.parent(node) {
                None => Outcome::To(self.start),
                Some(parent) => match self.outcomes.get(&parent) {
                    Some(known) => *known,
                    None => {
                        pending.push(parent);
                        continue;
                    }
                },
            };
            let outcome = match before {
                Outcome::To(set) => self.classifier.step_run(set, self.shapes.run(node), self.shapes.longest(node)),
                fatal => fatal,
            };
            self.outcomes.insert(node, outcome);
            pending.pop();
            if pending.is_empty() {
                return outcome;
            }
        }
    }
}

impl MaskWork<'_> {
    /// Sets the bits of all tokens of whole characters that `content` takes, lengths left aside.
    pub(super) fn add_shapes(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        content: u32,
        table: &BodyTable,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        let classes = profiles.shape_classes(string);
        let (mut classifier, start) = Classifier::new(string, classes, content);
        let shapes = &table.shapes;
        shapes.root_tokens().iter().for_each(|token| set_bit(row, *token));
        let mut levels = vec![(shapes.n_nodes(), start, 0)];
        // Tokens that must be looked at, by the class of their first character.
        let mut mixed: BTreeMap<u8, Vec<&[u32]>> = BTreeMap::new();
        let mut node = 0;
        let mut n_visited = 0;
        while let Some((end, set, first_class)) = levels.last().copied() {
            if node >= end {
                levels.pop();
                continue;
            }
            n_visited += 4;
            let run = shapes.run(node);
            let first_class = if levels.len() == 1 { run.class } else { first_class };
            let end = shapes.end(node);
            match classifier.step_run(set, run, shapes.longest(node)) {
                Outcome::To(next) => {
                    shapes.add_tokens(node, row);
                    levels.push((end, next, first_class));
                    node += 1;
                    continue;
                }
                Outcome::Dead => {}
                Outcome::Mixed => mixed.entry(first_class).or_default().push(shapes.subtree_tokens(node)),
            }
            node = end;
        }
        for (first_class, groups) in mixed {
            let n_tokens = groups.iter().map(|tokens| tokens.len()).sum::<usize>();
            let n_nodes: usize = table.letters.subtrees_of(first_class).map(|nodes| nodes.len()).sum();
            if n_tokens * NODES_PER_TOKEN > n_nodes {
                let stepper = LetterStepper::new(string, profiles, table.letters.letters());
                self.walk_first_class(stepper, content, first_class, table, row)?;
            } else {
                groups.iter().try_for_each(|tokens| self.run_tokens(string, content, table, tokens, row))?;
            }
        }
        self.spend(n_visited)
    }

    /// Sets the bits of those among `tokens` that the content automaton takes.
    fn run_tokens(
        &mut self,
        string: &StringAutomaton,
        content: u32,
        table: &BodyTable,
        tokens: &[u32],
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        for token in tokens {
            if self.takes_plain(string, content, table, *token)? {
                set_bit(row, *token);
            }
        }
        Ok(())
    }

    /// Whether the content automaton takes all characters of a plain token.
    pub(super) fn takes_plain(
        &mut self,
        string: &StringAutomaton,
        content: u32,
        table: &BodyTable,
        token: u32,
    ) -> Result<bool, LimitError> {
        let bytes = table.body_of(self.vocabulary.bytes_at(token as usize));
        self.spend(TOKEN_COST + bytes.len())?;
        let mut state = content;
        for (at, byte) in bytes.iter().enumerate() {
            if !byte.is_ascii() {
                let rest = std::str::from_utf8(&bytes[at..]).unwrap_or_default();
                return Ok(rest.chars().try_fold(state, |state, char| string.step_char(state, char as u32)).is_some());
            }
            match string.step_char(state, u32::from(*byte)) {
                Some(next) => state = next,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Sets the bits of those of a table's plain tokens that the content automaton takes, whose first character is of a class.
    fn walk_first_class(
        &mut self,
        stepper: LetterStepper<'_>,
        content: u32,
        class: u8,
        table: &BodyTable,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        let mut n_visited = 0;
        for subtree in table.letters.subtrees_of(class) {
            n_visited += table.letters.walk(subtree, content, |state, letter, node| {
                let next = stepper.step(*state, letter)?;
                table.letters.values(node).iter().for_each(|token| set_bit(row, *token));
                Some(next)
            });
        }
        self.spend(n_visited)
    }
}
