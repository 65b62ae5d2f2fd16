//! Which characters may go on in an international host name? Labels kept as they are read.
//!
//! A label's ASCII form must fit into 63 characters, and how long it is depends on every code point; so no two labels
//! are alike, and a state is a node of a tree of labels. Only where a text really goes a node is made: what may come next
//! is tried by [`NameState`] and [`NameTrial`], which leave nothing behind.
//!
//! What a label may still become is told by its [`Progress`], as long as there is room whatever comes. Near the bounds a
//! state is live if a few completions, which between them fulfil whatever a label can still owe, make a name of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::idna::{self, Directions, MAX_LABEL, Progress, Sorted};
use super::lazy_dfa::StateId;
use super::overflow;
use crate::hash::HashMap;

/// Longest name, in its ASCII form.
pub(super) const MAX_NAME: usize = 253;
/// Nodes for each state that the limit allows: a node is that much smaller.
const NODES_PER_STATE: usize = 4;
/// How much shorter an ASCII form may become by a character more; it hardly ever does.
const SHRINKING: usize = 2;
/// Characters of the longest completion, see [`completions`].
const COMPLETION: usize = 2;
/// By no more than this does one lengthen an ASCII form.
const LENGTHENING: usize = 24;
/// Steps of a mask that finding out the length of an ASCII form counts as, beside one for each character, that trying a
/// completion does, and that finding those of an encoded label does.
const LENGTH_COST: usize = 4;
const COMPLETION_COST: usize = 120;
/// And that one letter of a completion does where only the rules are asked.
const LETTER_COST: usize = 2;
const ENDINGS_COST: usize = 30_000;
/// Where no name is left, which only matters to the complement.
const DIVERGED: StateId = StateId::MAX;

/// What ends a label.
const POINTS: [u32; 4] = [0x2E, 0x3002, 0xFF0E, 0xFF61];

/// Texts behind which a label may end, whatever it owes: letters of both directions, what must follow a middle dot, a
/// keraia, a non-joiner, a Katakana dot or a hyphen; cheap ones first.
const LETTERS: [u32; 9] = [0x61, 0x6C, 0x3B1, 0x5D0, 0x628, 0x3042, 0x4E00, 0x1820, 0x1D242];

/// What the labels before mean for the rest of the name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Before {
    /// Characters of their ASCII forms, with the points.
    n_ascii: usize,
    has_rtl: bool,
    /// Whether one of them keeps not to the Bidi rule.
    breaks_bidi: bool,
}

impl Before {
    /// With one more label; `None` where that is no name.
    fn and(self, text: &[u32]) -> Option<Before> {
        let label = idna::label(text)?;
        let both = Before {
            n_ascii: self.n_ascii + label.n_ascii,
            has_rtl: self.has_rtl || label.is_rtl,
            breaks_bidi: self.breaks_bidi || !label.keeps_bidi,
        };
        (both.n_ascii <= MAX_NAME && !(both.has_rtl && both.breaks_bidi)).then_some(both)
    }

    fn directions(&self) -> Directions {
        Directions { must_keep: self.has_rtl, no_rtl: self.breaks_bidi }
    }

    /// Whether there is room for a label of any length.
    fn has_room(&self) -> bool {
        self.n_ascii + MAX_LABEL <= MAX_NAME
    }

    /// Whether a label that begins so can be completed, of which `progress` says all but how long it is, and `sorted` that.
    fn allows(self, progress: &Progress, text: &[u32], sorted: impl FnOnce() -> Option<Sorted>) -> bool {
        if progress.is_encoded() {
            return self.allows_encoded(text);
        }
        match self.has_room() {
            true => is_surely_live(progress, self.directions()) || self.any_ending(progress, text, sorted, |_| true),
            false => is_live(self, text),
        }
    }

    /// Whether some of the [`completions`] of a label that is not encoded, each told by how many characters it has, is
    /// `good`, where there is room for a label of any length: then nothing but the label must be looked at.
    fn any_ending(
        self,
        progress: &Progress,
        text: &[u32],
        sorted: impl FnOnce() -> Option<Sorted>,
        good: impl Fn(u32) -> bool,
    ) -> bool {
        let directions = self.directions();
        let (mut sorted_text, mut is_long) = (None, false);
        if progress.most_ascii(COMPLETION) > MAX_LABEL {
            if !overflow::spend(length_cost(text)) {
                return false;
            }
            let Some(sorted) = sorted() else { return false };
            let n_ascii = idna::n_ascii(Some(&sorted));
            if n_ascii > MAX_LABEL + SHRINKING {
                return false;
            }
            // Otherwise the label is short enough with any of them.
            sorted_text = (n_ascii + LENGTHENING > MAX_LABEL).then_some(sorted);
            is_long = n_ascii > MAX_LABEL;
        }
        if !is_long && progress.may_end(directions) && good(0) {
            return true;
        }
        let is_end = |progress: &Progress, more: &[u32]| {
            let is_short = || match &sorted_text {
                None => true,
                Some(sorted) => {
                    overflow::charge(length_cost(text));
                    let mut longer = sorted.clone();
                    longer.extend(more).is_some() && idna::n_ascii(Some(&longer)) <= MAX_LABEL
                }
            };
            progress.may_end(directions) && good(more.len() as u32) && is_short()
        };
        let step = |progress: &Progress, letter: u32| {
            overflow::spend(LETTER_COST).then_some(())?;
            progress.step(letter, directions)
        };
        let letters = completing_letters(text);
        let first: SmallVec<[(u32, Progress); 12]> =
            letters.iter().filter_map(|letter| Some((*letter, step(progress, *letter)?))).collect();
        if first.iter().any(|(letter, progress)| is_end(progress, &[*letter])) {
            return true;
        }
        good(2)
            && first.iter().any(|(first, progress)| {
                let second = letters.iter().filter_map(|second| Some((*second, step(progress, *second)?)));
                second.into_iter().any(|(second, progress)| is_end(&progress, &[*first, second]))
            })
    }

    /// Whether the name may end behind such a label; see [`allows`](Before::allows).
    fn accepts(self, progress: &Progress, text: &[u32], sorted: impl FnOnce() -> Option<Sorted>) -> bool {
        if !self.has_room() || progress.is_encoded() {
            return self.and(text).is_some();
        }
        progress.may_end(self.directions())
            && (progress.most_ascii(0) <= MAX_LABEL || {
                overflow::charge(length_cost(text));
                idna::n_ascii(sorted().as_ref()) <= MAX_LABEL
            })
    }

    /// Behind the prefix, any beginning of an encoded label can be completed as long as nothing else is asked of the label.
    fn allows_encoded(self, text: &[u32]) -> bool {
        if !overflow::spend(length_cost(text)) {
            return false;
        }
        let read: SmallVec<[u8; MAX_LABEL]> =
            text[4..].iter().map(|char| u8::try_from(*char).unwrap_or(0).to_ascii_lowercase()).collect();
        if !read.is_empty() && !idna::may_go_on(&read) {
            return false;
        }
        if self.has_room() && !self.has_rtl && !self.breaks_bidi {
            return true;
        }
        is_live(self, text)
    }
}

#[derive(Clone, Copy, Debug)]
enum Node {
    /// Before a label.
    Root(Before),
    /// One character of a label, behind another node.
    Char { parent: StateId, char: u32 },
}

#[derive(Debug, Default)]
struct Tree {
    nodes: Vec<Node>,
    roots: HashMap<Before, StateId>,
    children: HashMap<(StateId, u32), StateId>,
}

impl Tree {
    /// The labels before, and the one that is being read.
    fn read(&self, state: StateId) -> (Before, Vec<u32>) {
        let mut text = Vec::new();
        let mut at = state;
        loop {
            match self.nodes[at as usize] {
                Node::Root(before) => {
                    text.reverse();
                    return (before, text);
                }
                Node::Char { parent, char } => {
                    text.push(char);
                    at = parent;
                }
            }
        }
    }
}

/// International host names, or their complement.
#[derive(Debug)]
pub(crate) struct NameAutomaton {
    negated: bool,
    tree: Mutex<Tree>,
    max_nodes: usize,
}

impl NameAutomaton {
    pub(crate) fn new(negated: bool, max_states: usize) -> NameAutomaton {
        let root = Before::default();
        let tree = Tree {
            nodes: vec![Node::Root(root)],
            roots: HashMap::from_iter([(root, 0)]),
            children: HashMap::default(),
        };
        let max_nodes = max_states.saturating_mul(NODES_PER_STATE);
        NameAutomaton { negated, tree: Mutex::new(tree), max_nodes }
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        // Every change leaves the tree whole.
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether little room is left for more nodes.
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.tree().nodes.len() >= overflow::nearly(self.max_nodes)
    }

    /// Whether these are the texts that are no names: every character may follow each.
    pub(crate) fn is_negated(&self) -> bool {
        self.negated
    }

    /// What is known at a state.
    pub(crate) fn look(&self, state: StateId) -> NameState {
        let reading = (state != DIVERGED).then(|| Reading::of(self.tree().read(state)));
        NameState { reading, negated: self.negated }
    }

    /// The state behind one more character.
    pub(crate) fn step(&self, state: StateId, char: u32) -> Option<StateId> {
        let outside = self.negated.then_some(DIVERGED);
        if state == DIVERGED {
            return outside;
        }
        let mut tree = self.tree();
        let known = tree.children.get(&(state, char)).copied();
        known.or_else(|| self.find(&mut tree, state, char)).or(outside)
    }

    fn find(&self, tree: &mut Tree, state: StateId, char: u32) -> Option<StateId> {
        let next = Reading::of(tree.read(state)).step(char)?;
        let node = if next.text.is_empty() {
            if let Some(known) = tree.roots.get(&next.before) {
                return Some(*known);
            }
            Node::Root(next.before)
        } else {
            Node::Char { parent: state, char }
        };
        if tree.nodes.len() >= self.max_nodes {
            overflow::note();
            return None;
        }
        let id = tree.nodes.len() as StateId;
        tree.nodes.push(node);
        match node {
            Node::Root(before) => drop(tree.roots.insert(before, id)),
            Node::Char { .. } => drop(tree.children.insert((state, char), id)),
        }
        Some(id)
    }

    /// Whether the name may end here.
    pub(crate) fn is_accepting(&self, state: StateId) -> bool {
        self.look(state).is_accepting()
    }

    /// Whether some completion has at least and at most so many characters.
    pub(crate) fn admits(&self, state: StateId, min: u32, max: u32) -> bool {
        self.look(state).admits(min, max)
    }

    pub(crate) fn n_bytes(&self) -> usize {
        let tree = self.tree();
        tree.nodes.len() * size_of::<Node>() + tree.children.len() * 32
    }
}

/// The characters between two code points that end labels.
fn points_in((lo, hi): (u32, u32)) -> impl Iterator<Item = u32> {
    POINTS.into_iter().filter(move |point| (lo..=hi).contains(point))
}

/// The characters between two code points that may stand in some label.
fn letters_in((lo, hi): (u32, u32)) -> impl Iterator<Item = u32> {
    idna::standing_in(lo, hi).chain(lo.max(0x41)..=hi.min(0x5A))
}

/// A place in international host names, or in their complement, of which nothing is kept.
#[derive(Clone, Debug)]
pub(crate) struct NameState {
    /// Nothing where no name is left, which only matters to the complement.
    reading: Option<Reading>,
    negated: bool,
}

impl NameState {
    /// One character further; `None` where no text goes on so.
    pub(crate) fn step(&self, char: u32) -> Option<NameState> {
        let reading = self.reading.as_ref().and_then(|reading| reading.step(char));
        (reading.is_some() || self.negated).then_some(NameState { reading, negated: self.negated })
    }

    /// Whether the text may end here.
    pub(crate) fn is_accepting(&self) -> bool {
        self.reading.as_ref().is_some_and(Reading::is_accepting) != self.negated
    }

    /// Whether some completion has at least and at most so many characters.
    pub(crate) fn admits(&self, min: u32, max: u32) -> bool {
        match (min <= max, self.negated) {
            (false, _) => false,
            // One space more, or several, is no name.
            (true, true) => max > 0 || self.is_accepting(),
            (true, false) => self.reading.as_ref().is_some_and(|reading| reading.admits(min, max)),
        }
    }

    /// Whether one of the characters between two code points may come next.
    pub(crate) fn goes_on_in(&self, (lo, hi): (u32, u32)) -> bool {
        if self.negated {
            return lo <= hi;
        }
        let mut trial = NameTrial::new(self);
        let start = trial.start();
        let takes_wide = self.reading.as_ref().is_some_and(|reading| reading.progress.takes_wide());
        let last = if takes_wide { hi } else { hi.min(127) };
        points_in((lo, hi)).chain(letters_in((lo, last))).any(|char| trial.step(&start, char).is_some())
    }

    /// Whether one of the characters between two code points may come next, and leads to where it is `good`.
    pub(crate) fn any_in(&self, (lo, hi): (u32, u32), good: impl Fn(&NameState) -> bool) -> bool {
        let outside = NameState { reading: None, negated: self.negated };
        self.negated && lo <= hi && good(&outside)
            || points_in((lo, hi))
                .chain(letters_in((lo, hi)))
                .any(|char| self.step(char).is_some_and(|next| good(&next)))
    }
}

/// Texts behind a place, tried depth first: of each character as little is kept as tells whether it may come.
#[derive(Debug)]
pub(crate) struct NameTrial<'a> {
    start: &'a NameState,
    /// The label that `start` is in, and the characters tried behind it.
    text: Vec<u32>,
    /// The first so many of them are its own.
    n_own: usize,
    /// Those, sorted.
    own: Option<Sorted>,
}

/// A place that is tried.
#[derive(Clone, Debug)]
pub(crate) struct TriedName(Tried);

#[derive(Clone, Debug)]
enum Tried {
    /// Still in the label of the start, of which so many characters were read.
    Label(Progress, usize),
    Other(Box<NameState>),
}

impl<'a> NameTrial<'a> {
    pub(crate) fn new(start: &'a NameState) -> NameTrial<'a> {
        let text = start.reading.as_ref().map_or_else(Vec::new, |reading| reading.text.to_vec());
        NameTrial { start, n_own: text.len(), own: Sorted::of(&text), text }
    }

    /// Where the trial starts.
    pub(crate) fn start(&self) -> TriedName {
        match &self.start.reading {
            Some(reading) if !self.start.negated => TriedName(Tried::Label(reading.progress.settled(), self.n_own)),
            _ => TriedName(Tried::Other(Box::new(self.start.clone()))),
        }
    }

    /// One character further, from the place that was tried last or one on the way to it.
    pub(crate) fn step(&mut self, at: &TriedName, char: u32) -> Option<TriedName> {
        let (Tried::Label(progress, depth), Some(start)) = (&at.0, &self.start.reading) else {
            return self.state(at).step(char).map(|state| TriedName(Tried::Other(Box::new(state))));
        };
        if POINTS.contains(&char) {
            return self.state(at).step(char).map(|state| TriedName(Tried::Other(Box::new(state))));
        }
        let progress = progress.step(char, start.directions())?;
        self.text.truncate(*depth);
        self.text.push(char);
        let sorted = || self.sorted(depth + 1);
        start.before.allows(&progress, &self.text, sorted).then_some(TriedName(Tried::Label(progress, depth + 1)))
    }

    /// Whether the text may end at a place, the one that was tried last or one on the way to it.
    pub(crate) fn is_accepting(&self, at: &TriedName) -> bool {
        match (&at.0, &self.start.reading) {
            (Tried::Label(progress, depth), Some(start)) => {
                start.before.accepts(progress, &self.text[..*depth], || self.sorted(*depth))
            }
            _ => self.state(at).is_accepting(),
        }
    }

    /// The first so many characters, sorted.
    fn sorted(&self, depth: usize) -> Option<Sorted> {
        let mut sorted = self.own.clone()?;
        sorted.extend(&self.text[self.n_own..depth])?;
        Some(sorted)
    }

    /// All that is known at a place.
    pub(crate) fn state(&self, at: &TriedName) -> NameState {
        match (&at.0, &self.start.reading) {
            (Tried::Label(progress, depth), Some(start)) => {
                let text = SmallVec::from_slice(&self.text[..*depth]);
                let reading = Reading { before: start.before, text, progress: *progress };
                NameState { reading: Some(reading), negated: false }
            }
            (Tried::Other(state), _) => (**state).clone(),
            (Tried::Label(..), None) => self.start.clone(),
        }
    }
}

/// Whether a label that begins so can be completed because there is room for it whatever it holds.
fn is_surely_live(progress: &Progress, directions: Directions) -> bool {
    let n_more = if progress.may_end(directions) { 0 } else { COMPLETION };
    !progress.is_encoded() && progress.most_ascii(n_more) <= MAX_LABEL
}

/// A name that is being read.
#[derive(Clone, Debug)]
struct Reading {
    before: Before,
    /// The label so far.
    text: SmallVec<[u32; 24]>,
    progress: Progress,
}

impl Reading {
    fn of((before, text): (Before, Vec<u32>)) -> Reading {
        let start = Reading { before, text: SmallVec::new(), progress: Progress::START };
        // What leads to a state was live.
        text.into_iter().fold(start, |reading, char| reading.with(char).unwrap_or(reading))
    }

    fn directions(&self) -> Directions {
        self.before.directions()
    }

    /// With one more character of the label, however long it gets.
    fn with(&self, char: u32) -> Option<Reading> {
        let progress = self.progress.step(char, self.directions())?;
        let mut text = self.text.clone();
        text.push(char);
        Some(Reading { before: self.before, text, progress })
    }

    /// One character further; `None` where no name goes on so.
    fn step(&self, char: u32) -> Option<Reading> {
        if !POINTS.contains(&char) {
            return self.with(char).filter(Reading::is_live);
        }
        let mut before = self.before.and(&self.text)?;
        before.n_ascii += 1;
        is_live(before, &[]).then(|| Reading { before, text: SmallVec::new(), progress: Progress::START })
    }

    fn is_live(&self) -> bool {
        self.before.allows(&self.progress, &self.text, || Sorted::of(&self.text))
    }

    /// Whether the name may end here.
    fn is_accepting(&self) -> bool {
        self.before.accepts(&self.progress, &self.text, || Sorted::of(&self.text))
    }

    /// Whether some completion has at least and at most so many characters.
    fn admits(&self, min: u32, max: u32) -> bool {
        // Any number of characters but one can follow the label, in labels of their own.
        let fits = |n_more: u32, room: u32| {
            let least = min.max(n_more + 2);
            (min..=max).contains(&n_more) || least <= max && least - n_more <= room
        };
        if self.before.has_room() && !self.progress.is_encoded() {
            let room = (MAX_NAME - MAX_LABEL - self.before.n_ascii) as u32;
            // With a letter or two the label ends.
            if min.max(4) <= max && min.max(4) <= room {
                return true;
            }
            let sorted = || Sorted::of(&self.text);
            let found = self.before.any_ending(&self.progress, &self.text, sorted, |n_more| fits(n_more, room));
            if found || min <= room {
                return found;
            }
        }
        completions(self.before, &self.text).any(|(n_more, after)| fits(n_more, (MAX_NAME - after.n_ascii) as u32))
    }
}

/// Letters of which one or two may end a label: what it holds already costs least.
fn completing_letters(text: &[u32]) -> SmallVec<[u32; 12]> {
    LETTERS.into_iter().chain(text.iter().rev().take(2).copied()).collect()
}

fn length_cost(text: &[u32]) -> usize {
    LENGTH_COST + text.len()
}

fn is_live(before: Before, text: &[u32]) -> bool {
    let is_short = text.len() <= MAX_LABEL && before.n_ascii + text.len() <= MAX_NAME;
    is_short && completions(before, text).next().is_some()
}

/// Ways to end the label and the name: characters more, and what the name is then.
fn completions(before: Before, text: &[u32]) -> impl Iterator<Item = (u32, Before)> {
    let start = text.to_vec();
    let encoded = std::iter::once_with(move || encoded_endings(&start)).flatten();
    let too_long =
        text.len() + before.n_ascii > MAX_NAME || idna::n_ascii(Sorted::of(text).as_ref()) > MAX_LABEL + SHRINKING;
    let n_taken = if too_long || idna::is_hopeless(text) { 0 } else { usize::MAX };
    let letters = completing_letters(text);
    let none = std::iter::once(Vec::new());
    let one = letters.clone().into_iter().map(|letter| vec![letter]);
    let second = letters.clone();
    let two =
        letters.into_iter().flat_map(move |first| second.clone().into_iter().map(move |second| vec![first, second]));
    let text = text.to_vec();
    none.chain(one).chain(two).chain(encoded).take(n_taken).filter_map(move |more| {
        // Without steps there is no answer, and whoever asks is told so.
        overflow::spend(COMPLETION_COST).then_some(())?;
        let whole: Vec<u32> = text.iter().chain(&more).copied().collect();
        Some((more.len() as u32, before.and(&whole)?))
    })
}

/// For what begins as an encoded label: endings that encode one.
fn encoded_endings(text: &[u32]) -> Vec<Vec<u32>> {
    let ascii: Option<Vec<u8>> = text.iter().map(|char| u8::try_from(*char).ok()).collect();
    let lower = ascii.map(|ascii| ascii.to_ascii_lowercase());
    let Some(read) = lower.as_deref().and_then(|ascii| ascii.strip_prefix(b"xn--")) else { return Vec::new() };
    if !overflow::spend(ENDINGS_COST) {
        return Vec::new();
    }
    idna::endings(read).into_iter().map(|ending| ending.into_iter().map(u32::from).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn run(text: &str) -> Option<bool> {
        let names = NameAutomaton::new(false, 10_000);
        let end = text.chars().try_fold(0, |state, char| names.step(state, char as u32))?;
        Some(names.is_accepting(end))
    }

    #[test]
    fn names_are_checked_and_their_beginnings_can_be_completed() {
        for name in [
            "실례.테스트",
            "a。b",
            "l·l",
            "α͵β",
            "א׳ב",
            "・ぁ",
            "क्‍ष",
            "بي‌بي",
            "ßς་〇",
            "xn--ihqwcrb4cv8a8dqg056pqjye",
            "Example.com",
            "a-b",
            "xn--9t4b11yi5a.b",
        ] {
            assert_eq!(run(name), Some(true), "{name}");
        }
        for name in ["", "a.", "・", "α͵", "l·", "a-", "def・", "xn--x"] {
            assert_ne!(run(name), Some(true), "{name}");
        }
        for beginning in ["-", "·", "a·", "क‍", "0a.א", "a..", "\u{302E}", "aא", "ab--", "α͵S", "cafe\u{301}"]
        {
            assert_eq!(run(beginning), None, "{beginning}");
        }
        assert_eq!(run(&"ü".repeat(60)), None);
    }

    /// Characters of every kind that rules speak of.
    const KINDS: [u32; 52] = [
        0x2D, 0x31, 0x41, 0x58, 0x5F, 0x61, 0x6C, 0x6E, 0x78, 0xB7, 0xDF, 0xE9, 0x300, 0x301, 0x327, 0x345, 0x375,
        0x3B1, 0x3B9, 0x430, 0x5B0, 0x5D0, 0x5F3, 0x5F4, 0x627, 0x628, 0x64B, 0x654, 0x660, 0x6F0, 0x715, 0x7CA, 0x915,
        0x93C, 0x94D, 0x9BE, 0x9C7, 0xE01, 0xE38, 0xE48, 0x1100, 0x1161, 0x11A8, 0x1820, 0x200C, 0x200D, 0x302E,
        0x3042, 0x3005, 0x30FB, 0x4E00, 0xAC00,
    ];

    /// What is told character by character is what the completions and the rules for whole labels tell.
    #[test]
    fn progress_agrees_with_whole_labels() {
        let befores = [
            Before::default(),
            Before { n_ascii: 9, has_rtl: true, breaks_bidi: false },
            Before { n_ascii: 9, has_rtl: false, breaks_bidi: true },
        ];
        // Whether a text that can go on still can with one more character.
        let check = |before: Before, text: &[u32]| -> bool {
            let start = Reading { before, text: SmallVec::new(), progress: Progress::START };
            let next = text.iter().try_fold(start, |reading, char| reading.with(*char));
            let stands = text.iter().all(|char| idna::may_stand(*char) || (0x41..=0x5A).contains(char));
            assert_eq!(next.is_some(), stands && is_live(before, text), "{text:X?} behind {before:?}");
            if let Some(next) = next.filter(|next| !next.progress.is_encoded()) {
                assert_eq!(next.is_accepting(), before.and(text).is_some(), "{text:X?} behind {before:?}");
                return true;
            }
            false
        };
        for before in befores {
            for first in KINDS.into_iter().filter(|first| check(before, &[*first])) {
                for second in KINDS {
                    check(before, &[first, second]);
                }
            }
        }
        let mut random = Random(12345);
        let mut n_live = [0; 6];
        for round in 0..4_000 {
            let mut text = Vec::new();
            for _ in 0..30 {
                text.push(KINDS[random.below(KINDS.len())]);
                if !check(befores[round % 3], &text) {
                    text.pop();
                } else if text.len() == 5 {
                    break;
                }
            }
            n_live[text.len()] += 1;
        }
        assert!(n_live[5] > 3_000, "{n_live:?}");
    }

    /// Whether a name can be completed within bounds is what trying completions tells.
    #[test]
    fn bounds_are_kept_as_completions_tell() {
        let befores = [
            Before::default(),
            Before { n_ascii: 180, has_rtl: true, breaks_bidi: false },
            Before { n_ascii: 9, has_rtl: false, breaks_bidi: true },
        ];
        let mut random = Random(77);
        let (mut n_admitted, mut n_long) = ([0; 2], [0; 2]);
        for round in 0..3_000 {
            let mut reading = Reading { before: befores[round % 3], text: SmallVec::new(), progress: Progress::START };
            for _ in 0..random.below(40) {
                let next = reading.with(KINDS[random.below(KINDS.len())]).filter(|next| !next.progress.is_encoded());
                let Some(next) = next else { continue };
                let is_next = next.is_live();
                if next.text.len() > 10 && random.below(4) == 0 {
                    assert_eq!(is_next, is_live(next.before, &next.text), "{:X?} behind {:?}", next.text, next.before);
                    n_long[usize::from(is_next)] += 1;
                }
                reading = if is_next { next } else { reading };
            }
            for max in 0..7 {
                for min in [0, 1, max / 2, max].into_iter().chain((max == 6).then_some(9)) {
                    let admits = reading.admits(min, max.max(min));
                    let told = completions(reading.before, &reading.text).any(|(n_more, after)| {
                        let least = min.max(n_more + 2);
                        (min..=max.max(min)).contains(&n_more)
                            || least <= max.max(min) && least - n_more <= (MAX_NAME - after.n_ascii) as u32
                    });
                    assert_eq!(admits, told, "{:X?} behind {:?}, {min} to {max}", reading.text, reading.before);
                    n_admitted[usize::from(admits)] += 1;
                }
            }
        }
        assert!(n_admitted.into_iter().all(|n| n > 1_000), "{n_admitted:?}");
        assert!(n_long.into_iter().all(|n| n > 20), "{n_long:?}");
    }

    /// Letters of one script and of several, with what was read settled at any place.
    #[test]
    fn no_ascii_form_is_longer_than_its_bound() {
        let scripts = [(0x61, 26), (0x430, 32), (0x915, 20), (0x4E00, 20_000), (0xAC00, 11_000), (0x1_0480, 20)];
        let mut random = Random(99);
        let mut tightest = usize::MAX;
        for round in 0..3_000 {
            let directions = Directions { must_keep: false, no_rtl: false };
            let (mut progress, mut text) = (Progress::START, Vec::new());
            let (n_chars, n_scripts) = (1 + random.below(40), 1 + round % 3);
            let settled_at = random.below(n_chars);
            let first = random.below(6);
            for at in 0..n_chars {
                if at == settled_at {
                    progress = progress.settled();
                }
                let (start, n_letters) = scripts[(first + random.below(n_scripts)) % 6];
                text.push(start + random.below(n_letters) as u32);
                progress = progress.step(text[at], directions).unwrap();
                let slack = progress.most_ascii(0).checked_sub(idna::n_ascii(Sorted::of(&text).as_ref()));
                tightest = tightest.min(slack.unwrap_or_else(|| panic!("{text:X?} is longer than its bound")));
            }
        }
        assert_eq!(tightest, 0, "letters of ASCII are counted as they are");
    }
}
