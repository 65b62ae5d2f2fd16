//! Which tokens of whole characters does a content automaton take? One step for each shape instead of each token.
//!
//! Where a state treats all characters of a shape class alike, a whole group of tokens is taken or refused at once; where
//! it does not, the tokens of that part are run one by one or by a walk over the token trie, whichever is less.

use super::MaskWork;
use super::profile::Profiles;
use crate::automata::StringAutomaton;
use crate::error::LimitError;
use crate::hash::{HashMap, HashSet};
use crate::vocabulary::shapes::{N_SHAPE_CLASSES, class_ranges};
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

/// What a state does on the characters of a shape class.
#[derive(Clone, Copy, PartialEq)]
enum Uniform {
    Dead,
    To(u32),
    /// Not the same for all of them.
    Mixed,
}

/// Above this many tokens a walk over the token trie is less work than running them one by one.
const MANY_TOKENS: usize = 3_000;

struct Classifier<'a> {
    string: &'a StringAutomaton,
    classes: &'a ShapeClasses,
    known: HashMap<(u32, u8), Uniform>,
}

impl Classifier<'_> {
    fn step(&mut self, state: u32, class: u8) -> Uniform {
        if let Some(known) = self.known.get(&(state, class)) {
            return *known;
        }
        let Some(dfa) = self.string.dfa() else { return Uniform::Mixed };
        let mut targets = self.classes.0[usize::from(class)].iter().map(|c| dfa.next(state, usize::from(*c)));
        let first = targets.next().flatten();
        let answer = match (targets.all(|target| target == first), first) {
            (false, _) => Uniform::Mixed,
            (true, None) => Uniform::Dead,
            (true, Some(target)) => Uniform::To(target),
        };
        self.known.insert((state, class), answer);
        answer
    }

    /// Behind a run of two or more characters of unknown number: all such runs must lead to one state.
    fn step_run(&mut self, state: u32, class: u8) -> Uniform {
        let Uniform::To(second) = self.step(state, class) else { return self.step(state, class) };
        match self.step(second, class) {
            Uniform::To(third) if self.step(third, class) == Uniform::To(third) => Uniform::To(third),
            Uniform::Dead => Uniform::Dead,
            _ => Uniform::Mixed,
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
        let mut classifier = Classifier { string, classes, known: HashMap::default() };
        let shapes = &table.shapes;
        shapes.root_tokens().iter().for_each(|token| set_bit(row, *token));
        let mut levels = vec![(shapes.n_nodes(), content, 0)];
        let mut walked: HashSet<u8> = HashSet::default();
        let mut node = 0;
        let mut n_visited = 0;
        while let Some((end, state, first_class)) = levels.last().copied() {
            if node >= end {
                levels.pop();
                continue;
            }
            n_visited += 4;
            let run = shapes.run(node);
            let first_class = if levels.len() == 1 { run.class } else { first_class };
            let answer = match run.repeated {
                false => classifier.step(state, run.class),
                true => classifier.step_run(state, run.class),
            };
            let end = shapes.end(node);
            match answer {
                Uniform::To(next) => {
                    shapes.add_tokens(node, row);
                    levels.push((end, next, first_class));
                    node += 1;
                    continue;
                }
                Uniform::Dead => {}
                Uniform::Mixed if walked.contains(&first_class) => {}
                Uniform::Mixed => {
                    let tokens = shapes.subtree_tokens(node);
                    if tokens.len() > MANY_TOKENS && !table.opens() {
                        walked.insert(first_class);
                        self.walk_first_class(string, content, first_class, row)?;
                    } else {
                        self.run_tokens(string, content, table, tokens, row)?;
                    }
                }
            }
            node = end;
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
        self.spend(bytes.len())?;
        let Ok(text) = std::str::from_utf8(bytes) else { return Ok(false) };
        Ok(text.chars().try_fold(content, |state, char| string.step_char(state, char as u32)).is_some())
    }

    /// Walks the part of the token trie whose first character is of a class.
    fn walk_first_class(
        &mut self,
        string: &StringAutomaton,
        content: u32,
        class: u8,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        use crate::automata::{StringState, decoder::DecodeState};
        let trie = self.vocabulary.trie();
        let start = StringState::new(content, DecodeState::BODY);
        let is_first = |byte: u8| match class_ranges(class).first() {
            Some((lo, hi)) if *hi < 0x80 => (*lo..=*hi).contains(&u32::from(byte)),
            _ => byte >= 0x80,
        };
        let mut n_visited = 0;
        let mut root = 0;
        while root < trie.n_nodes() {
            let root_end = trie.end(root);
            if is_first(trie.byte(root)) {
                n_visited += trie.walk(root..root_end, start, |state, node| {
                    let next = string.step_unbounded(*state, trie.byte(node))?;
                    if next.decode() == DecodeState::CLOSED {
                        return None;
                    }
                    trie.values(node).iter().for_each(|token| set_bit(row, *token));
                    Some(next)
                });
            }
            root = root_end;
        }
        self.spend(n_visited)
    }
}
