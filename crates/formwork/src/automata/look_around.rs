//! Does an expression with look-around match? What was read is run forward, what is still to come is owed.
//!
//! The expression is compiled to a program (Thompson construction over character classes). A state of the machine is a
//! [`Formula`] over the program's states: what the rest of the text must, or must not, match for the whole to match.
//! Looking ahead adds an obligation, looking ahead for what must not come adds a negated one; this is an alternating
//! automaton, determinised by keeping its formula. Looking behind runs beside it as a set of states from every place
//! on, each under a formula of its own, as what is looked for behind may itself look ahead.

use std::sync::OnceLock;

use fixedbitset::FixedBitSet;

use super::alphabet::Alphabet;
use super::expression::{Node, WORD};
use super::formula::{END, Formula, TooLarge};
use crate::hash::HashMap;

/// A set of character classes.
type ClassSet = [u64; 4];

#[derive(Clone, Debug)]
enum Instruction {
    Read {
        classes: ClassSet,
        next: u32,
    },
    Split(Vec<u32>),
    Assert {
        assertion: u32,
        negated: bool,
        next: u32,
    },
    Start {
        next: u32,
    },
    End {
        next: u32,
    },
    /// The end of the text, as a state: the first instruction, which nothing leads to.
    AtEnd,
    Match,
}

#[derive(Clone, Copy, Debug)]
struct Assertion {
    ahead: bool,
    start: u32,
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
    /// Each behind those that it holds.
    assertions: Vec<Assertion>,
    start: u32,
    /// By state: the condition that the rest is matched from it on, behind the start of the text, where nothing is looked
    /// around for on the way; each is worked out once.
    plain_rests: Vec<OnceLock<Option<Formula>>>,
}

/// What is read and what is owed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LookState {
    /// By assertion: the states reached by looking behind from some place on, and under which condition.
    behind: Box<[Vec<(u32, Formula)>]>,
    owed: Formula,
}

impl LookState {
    pub(super) fn is_never(&self) -> bool {
        self.owed.is_never()
    }

    pub(super) fn is_always(&self) -> bool {
        self.owed.is_always()
    }

    pub(super) fn is_accepting(&self) -> bool {
        self.owed.holds_at_end()
    }

    pub(super) fn n_bytes(&self) -> usize {
        let behind = self.behind.iter().flatten().map(|(_, formula)| 32 + formula.n_bytes());
        64 + self.owed.n_bytes() + behind.sum::<usize>()
    }
}

/// What is known of one place in the text.
struct Place<'p> {
    program: &'p Program,
    at_start: bool,
    truths: Vec<Formula>,
}

/// Where closures lead: states that read, with their conditions, and the condition of a match.
#[derive(Default)]
struct Closure {
    reads: Vec<(u32, Formula)>,
    matched: Formula,
}

impl Program {
    /// Compiles `node`; `None` where it takes more than `max_instructions`.
    pub(super) fn new(node: &Node, whole: bool, alphabet: &Alphabet, max_instructions: usize) -> Option<Program> {
        let mut compiler = Compiler {
            alphabet,
            instructions: vec![Instruction::AtEnd],
            assertions: Vec::new(),
            known: HashMap::default(),
            max_instructions,
        };
        let matched = compiler.push(Instruction::Match)?;
        let start = if whole {
            let end = compiler.push(Instruction::End { next: matched })?;
            let inside = compiler.node(node, end)?;
            compiler.push(Instruction::Start { next: inside })?
        } else {
            let inside = compiler.node(node, matched)?;
            compiler.anywhere(inside)?
        };
        let plain_rests = compiler.instructions.iter().map(|_| OnceLock::new()).collect();
        Some(Program { instructions: compiler.instructions, assertions: compiler.assertions, start, plain_rests })
    }

    pub(super) fn start(&self) -> Result<LookState, TooLarge> {
        let behind = vec![Vec::new(); self.assertions.len()];
        self.enter(&behind, None, &Formula::matched_from(self.start))
    }

    pub(super) fn step(&self, state: &LookState, class: usize) -> Result<LookState, TooLarge> {
        self.enter(&state.behind, Some(class), &state.owed)
    }

    /// The state behind one more character, or at the start.
    fn enter(
        &self,
        behind: &[Vec<(u32, Formula)>],
        class: Option<usize>,
        owed: &Formula,
    ) -> Result<LookState, TooLarge> {
        let mut place = Place { program: self, at_start: class.is_none(), truths: Vec::new() };
        let mut next_behind = vec![Vec::new(); self.assertions.len()];
        for (index, assertion) in self.assertions.iter().enumerate() {
            let truth = if assertion.ahead {
                place.rest_from(assertion.start)?
            } else {
                let mut from = vec![(assertion.start, Formula::always())];
                for (state, condition) in &behind[index] {
                    if let Some(next) = self.reads_to(*state, class) {
                        from.push((next, place.derive(condition, class)?));
                    }
                }
                let closure = place.close(from)?;
                next_behind[index] = closure.reads;
                closure.matched
            };
            place.truths.push(truth);
        }
        let owed = match class {
            Some(_) => place.derive(owed, class)?,
            None => place.rest_from(self.start)?,
        };
        if owed.is_always() || owed.is_never() {
            next_behind.clear();
        }
        Ok(LookState { behind: next_behind.into(), owed })
    }

    /// Whether an assertion is met before anything is read.
    fn looks_around(&self, state: u32) -> bool {
        let mut seen = FixedBitSet::with_capacity(self.instructions.len());
        let mut pending = vec![state];
        while let Some(state) = pending.pop() {
            if seen.put(state as usize) {
                continue;
            }
            match &self.instructions[state as usize] {
                Instruction::Assert { .. } => return true,
                Instruction::Split(nexts) => pending.extend(nexts),
                Instruction::End { next } | Instruction::Start { next } => pending.push(*next),
                Instruction::Read { .. } | Instruction::AtEnd | Instruction::Match => {}
            }
        }
        false
    }

    fn reads_to(&self, state: u32, class: Option<usize>) -> Option<u32> {
        let class = class?;
        match &self.instructions[state as usize] {
            Instruction::Read { classes, next } => (classes[class / 64] >> (class % 64) & 1 == 1).then_some(*next),
            _ => None,
        }
    }
}

impl Place<'_> {
    /// What a condition on the rest before the last character says of the rest behind it.
    fn derive(&self, formula: &Formula, class: Option<usize>) -> Result<Formula, TooLarge> {
        formula.replace(&mut |state| match self.program.reads_to(state, class) {
            Some(next) => self.rest_from(next),
            None => Ok(Formula::never()),
        })
    }

    /// The condition that the rest is matched from `state` on.
    fn rest_from(&self, state: u32) -> Result<Formula, TooLarge> {
        let plain = || {
            let anywhere = Place { program: self.program, at_start: false, truths: Vec::new() };
            let looks = self.program.looks_around(state);
            (!looks).then(|| anywhere.rest_by_closure(state)).and_then(Result::ok)
        };
        match self.at_start {
            true => self.rest_by_closure(state),
            false => match self.program.plain_rests[state as usize].get_or_init(plain) {
                Some(rest) => Ok(rest.clone()),
                None => self.rest_by_closure(state),
            },
        }
    }

    fn rest_by_closure(&self, state: u32) -> Result<Formula, TooLarge> {
        let closure = self.close(vec![(state, Formula::always())])?;
        let mut rest = closure.matched;
        for (state, condition) in closure.reads {
            rest.add(&condition.and(&Formula::matched_from(state))?)?;
        }
        Ok(rest)
    }

    /// All that is reached without reading. A state is visited again only under conditions that are new.
    fn close(&self, from: Vec<(u32, Formula)>) -> Result<Closure, TooLarge> {
        let mut reached: HashMap<u32, Formula> = HashMap::default();
        let mut pending = from;
        let mut closure = Closure::default();
        while let Some((state, condition)) = pending.pop() {
            if condition.is_never() || !reached.entry(state).or_default().add(&condition)? {
                continue;
            }
            match &self.program.instructions[state as usize] {
                Instruction::Read { .. } | Instruction::AtEnd => {}
                Instruction::Match => {
                    closure.matched.add(&condition)?;
                }
                Instruction::Split(nexts) => pending.extend(nexts.iter().map(|next| (*next, condition.clone()))),
                Instruction::Start { next } if self.at_start => pending.push((*next, condition)),
                Instruction::Start { .. } => {}
                Instruction::End { next } => {
                    pending.push((*next, condition.and(&Formula::matched_from(END))?));
                }
                Instruction::Assert { assertion, negated, next } => {
                    let truth = &self.truths[*assertion as usize];
                    let holds = if *negated { truth.not()? } else { truth.clone() };
                    pending.push((*next, condition.and(&holds)?));
                }
            }
        }
        let is_read = |state: &u32| matches!(self.program.instructions[*state as usize], Instruction::Read { .. });
        closure.reads = reached.into_iter().filter(|(state, _)| is_read(state)).collect();
        closure.reads.sort_unstable_by_key(|(state, _)| *state);
        Ok(closure)
    }
}

struct Compiler<'a> {
    alphabet: &'a Alphabet,
    instructions: Vec<Instruction>,
    assertions: Vec<Assertion>,
    /// Assertions about one character, which word boundaries share.
    known: HashMap<bool, u32>,
    max_instructions: usize,
}

/// Each takes the instruction to go on with, and gives the one to begin with.
impl Compiler<'_> {
    fn push(&mut self, instruction: Instruction) -> Option<u32> {
        if self.instructions.len() >= self.max_instructions {
            return None;
        }
        self.instructions.push(instruction);
        Some(self.instructions.len() as u32 - 1)
    }

    /// `start`, here or behind any characters.
    fn anywhere(&mut self, start: u32) -> Option<u32> {
        let split = self.push(Instruction::Split(Vec::new()))?;
        let skip = self.push(Instruction::Read { classes: [u64::MAX; 4], next: split })?;
        self.instructions[split as usize] = Instruction::Split(vec![start, skip]);
        Some(split)
    }

    fn node(&mut self, node: &Node, next: u32) -> Option<u32> {
        match node {
            Node::Empty => Some(next),
            Node::Class(ranges) => {
                let classes = self.classes(ranges);
                self.push(Instruction::Read { classes, next })
            }
            Node::Concat(parts) => parts.iter().rev().try_fold(next, |next, part| self.node(part, next)),
            Node::Alternation(parts) => {
                let starts = parts.iter().map(|part| self.node(part, next)).collect::<Option<Vec<_>>>()?;
                self.push(Instruction::Split(starts))
            }
            Node::Repeat { sub, min, max } => self.repeat(sub, *min, *max, next),
            Node::Start => self.push(Instruction::Start { next }),
            Node::End => self.push(Instruction::End { next }),
            Node::WordBoundary { negated } => self.boundary(*negated, next),
            Node::Look { ahead, negated, sub } => {
                let assertion = self.assertion(*ahead, sub)?;
                self.push(Instruction::Assert { assertion, negated: *negated, next })
            }
        }
    }

    fn classes(&self, ranges: &[(u32, u32)]) -> ClassSet {
        let mut classes = ClassSet::default();
        for class in ranges.iter().flat_map(|(lo, hi)| self.alphabet.classes_in(*lo, *hi)) {
            classes[class / 64] |= 1 << (class % 64);
        }
        classes
    }

    fn repeat(&mut self, sub: &Node, min: u32, max: Option<u32>, next: u32) -> Option<u32> {
        let mut next = next;
        match max {
            None => {
                let split = self.push(Instruction::Split(Vec::new()))?;
                let inside = self.node(sub, split)?;
                self.instructions[split as usize] = Instruction::Split(vec![inside, next]);
                next = split;
            }
            Some(max) => {
                let end = next;
                for _ in min..max {
                    let inside = self.node(sub, next)?;
                    next = self.push(Instruction::Split(vec![inside, end]))?;
                }
            }
        }
        // Each turn makes an instruction, so the bound on them bounds the turns; but for what is empty.
        let n_before = self.instructions.len();
        for _ in 0..min {
            next = self.node(sub, next)?;
            if self.instructions.len() == n_before {
                break;
            }
        }
        Some(next)
    }

    fn assertion(&mut self, ahead: bool, sub: &Node) -> Option<u32> {
        let matched = self.push(Instruction::Match)?;
        let start = self.node(sub, matched)?;
        self.assertions.push(Assertion { ahead, start });
        Some(self.assertions.len() as u32 - 1)
    }

    /// A word character stands on one side and none on the other; or, negated, on both or none.
    fn boundary(&mut self, negated: bool, next: u32) -> Option<u32> {
        let ahead = self.word(true)?;
        let behind = self.word(false)?;
        let mut cases = Vec::new();
        for is_word_ahead in [false, true] {
            let is_word_behind = is_word_ahead == negated;
            let second = self.push(Instruction::Assert { assertion: behind, negated: !is_word_behind, next })?;
            let first = Instruction::Assert { assertion: ahead, negated: !is_word_ahead, next: second };
            cases.push(self.push(first)?);
        }
        self.push(Instruction::Split(cases))
    }

    fn word(&mut self, ahead: bool) -> Option<u32> {
        if let Some(known) = self.known.get(&ahead) {
            return Some(*known);
        }
        let assertion = self.assertion(ahead, &Node::Class(WORD.into()))?;
        self.known.insert(ahead, assertion);
        Some(assertion)
    }
}
