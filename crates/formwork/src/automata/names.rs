//! Which characters may go on in an international host name? Labels kept as they are read.
//!
//! A label's ASCII form must fit into 63 characters, and how long it is depends on every code point; so no two labels
//! are alike, and a state is a node of a tree of labels. A state is live if a few completions, which between them
//! fulfil whatever a label can still owe, make a name of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::idna::{self, MAX_LABEL};
use super::lazy_dfa::StateId;
use super::overflow;
use crate::hash::HashMap;

/// Longest name, in its ASCII form.
const MAX_NAME: usize = 253;
/// Nodes for each state that the limit allows: a node is that much smaller.
const NODES_PER_STATE: usize = 4;
/// How much shorter an ASCII form may become by a character more; it hardly ever does.
const SHRINKING: usize = 2;
/// Where no name is left, which only matters to the complement.
const DIVERGED: StateId = StateId::MAX;

/// What ends a label.
const POINTS: [u32; 4] = [0x2E, 0x3002, 0xFF0E, 0xFF61];

/// Texts behind which a label may end, whatever it owes: letters of both directions, what must follow a middle dot, a
/// keraia, a non-joiner, a Katakana dot or a hyphen; cheap ones first.
const LETTERS: [u32; 8] = [0x61, 0x6C, 0x3B1, 0x5D0, 0x628, 0x3042, 0x4E00, 0x1D242];

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
    children: HashMap<(StateId, u32), Option<StateId>>,
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

    /// The state behind one more character.
    pub(crate) fn step(&self, state: StateId, char: u32) -> Option<StateId> {
        let outside = self.negated.then_some(DIVERGED);
        if state == DIVERGED {
            return outside;
        }
        let mut tree = self.tree();
        let known = tree.children.get(&(state, char)).copied();
        known.unwrap_or_else(|| self.find(&mut tree, state, char)).or(outside)
    }

    fn find(&self, tree: &mut Tree, state: StateId, char: u32) -> Option<StateId> {
        let (before, mut text) = tree.read(state);
        let next = if POINTS.contains(&char) {
            let mut next = before.and(&text)?;
            next.n_ascii += 1;
            if let Some(known) = tree.roots.get(&next) {
                return Some(*known);
            }
            is_live(next, &[]).then_some(Node::Root(next))
        } else {
            text.push(char);
            let stands = idna::may_stand(char) || (char as u8).is_ascii_uppercase() && char < 128;
            (stands && is_live(before, &text)).then_some(Node::Char { parent: state, char })
        };
        let next = next?;
        if tree.nodes.len() >= self.max_nodes {
            overflow::note();
            return None;
        }
        let id = tree.nodes.len() as StateId;
        tree.nodes.push(next);
        match next {
            Node::Root(before) => drop(tree.roots.insert(before, id)),
            Node::Char { .. } => drop(tree.children.insert((state, char), Some(id))),
        }
        Some(id)
    }

    /// Whether the name may end here.
    pub(crate) fn is_accepting(&self, state: StateId) -> bool {
        if state == DIVERGED {
            return true;
        }
        let (before, text) = self.tree().read(state);
        before.and(&text).is_some() != self.negated
    }

    /// Whether some completion has at least and at most so many characters.
    pub(crate) fn admits(&self, state: StateId, min: u32, max: u32) -> bool {
        if min > max {
            return false;
        }
        if self.negated {
            // One space more, or several, is no name.
            return max > 0 || self.is_accepting(state);
        }
        if state == DIVERGED {
            return false;
        }
        let (before, text) = self.tree().read(state);
        completions(before, &text).any(|(n_more, after)| {
            // Any number of characters but one can follow, in labels of their own.
            let room = (MAX_NAME - after.n_ascii) as u32;
            let least = min.max(n_more + 2);
            (min..=max).contains(&n_more) || least <= max && least - n_more <= room
        })
    }

    /// Whether one of the characters between two code points leads to a state that is `good`.
    pub(crate) fn any_in(&self, state: StateId, (lo, hi): (u32, u32), good: &dyn Fn(StateId) -> bool) -> bool {
        if self.negated && lo <= hi && good(DIVERGED) {
            return true;
        }
        POINTS
            .into_iter()
            .filter(|point| (lo..=hi).contains(point))
            .chain(idna::standing_in(lo, hi))
            .chain((lo..=hi.min(0x5A)).filter(|char| (0x41..=0x5A).contains(char)))
            .any(|char| self.step(state, char).is_some_and(good))
    }

    pub(crate) fn n_bytes(&self) -> usize {
        let tree = self.tree();
        tree.nodes.len() * size_of::<Node>() + tree.children.len() * 32
    }
}

fn is_live(before: Before, text: &[u32]) -> bool {
    let is_short = text.len() <= MAX_LABEL && before.n_ascii + text.len() <= MAX_NAME;
    is_short && completions(before, text).next().is_some()
}

/// Ways to end the label and the name: characters more, and what the name is then.
fn completions(before: Before, text: &[u32]) -> impl Iterator<Item = (u32, Before)> {
    let start = text.to_vec();
    let encoded = std::iter::once_with(move || encoded_endings(&start)).flatten();
    let too_long = text.len() + before.n_ascii > MAX_NAME || idna::n_ascii(text) > MAX_LABEL + SHRINKING;
    let n_taken = if too_long || idna::is_hopeless(text) { 0 } else { usize::MAX };
    // What is there already costs least.
    let repeated: Vec<u32> = text.iter().rev().take(2).copied().collect();
    let letters: Vec<u32> = LETTERS.into_iter().chain(repeated).collect();
    let none = std::iter::once(Vec::new());
    let one = letters.clone().into_iter().map(|letter| vec![letter]);
    let second = letters.clone();
    let two =
        letters.into_iter().flat_map(move |first| second.clone().into_iter().map(move |second| vec![first, second]));
    let text = text.to_vec();
    none.chain(one).chain(two).chain(encoded).take(n_taken).filter_map(move |more| {
        let whole: Vec<u32> = text.iter().chain(&more).copied().collect();
        Some((more.len() as u32, before.and(&whole)?))
    })
}

/// For what begins as an encoded label: endings that encode one.
fn encoded_endings(text: &[u32]) -> Vec<Vec<u32>> {
    let ascii: Option<Vec<u8>> = text.iter().map(|char| u8::try_from(*char).ok()).collect();
    let lower = ascii.map(|ascii| ascii.to_ascii_lowercase());
    let Some(read) = lower.as_deref().and_then(|ascii| ascii.strip_prefix(b"xn--")) else { return Vec::new() };
    idna::endings(read).into_iter().map(|ending| ending.into_iter().map(u32::from).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
