//! Which tokens look alike? Tokens grouped by the classes of their characters, runs collapsed.
//!
//! A token's shape is its sequence of character classes (lower case, upper case, digit, each other ASCII character by
//! itself, and beyond ASCII spaces and all the rest), each with the distinction "once" or "twice and more". A few
//! thousand shapes cover a vocabulary of 200,000 tokens, so an automaton that treats classes alike accepts or refuses
//! whole groups of tokens in one step.

use super::TokenTrie;
use super::token_mask::set_bit;

/// Class of characters beyond ASCII that some notion of white space includes.
pub(crate) const WIDE_SPACE: u8 = 3;
/// Class of all other characters beyond ASCII.
pub(crate) const WIDE: u8 = 4;
/// Other ASCII characters, each by itself, from here on.
const FIRST_SINGLE: u8 = 5;

/// Number of shape classes.
pub(crate) const N_SHAPE_CLASSES: usize = FIRST_SINGLE as usize + 128;

/// Spaces beyond ASCII, as any of Unicode's and ECMAScript's definitions has them.
pub(crate) const WIDE_SPACES: [(u32, u32); 9] = [
    (0x85, 0x85),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x180E, 0x180E),
    (0x2000, 0x200B),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x2060),
    (0x3000, 0x3000),
];

/// The byte order mark is a space to ECMAScript.
pub(crate) const BYTE_ORDER_MARK: u32 = 0xFEFF;

/// The class of a character.
pub(crate) fn shape_class(char: u32) -> u8 {
    match char {
        0x61..=0x7A => 0,
        0x41..=0x5A => 1,
        0x30..=0x39 => 2,
        0..=0x7F => FIRST_SINGLE + char as u8,
        BYTE_ORDER_MARK => WIDE_SPACE,
        _ if WIDE_SPACES.iter().any(|(lo, hi)| (*lo..=*hi).contains(&char)) => WIDE_SPACE,
        _ => WIDE,
    }
}

/// The characters of a class, as ranges with both ends inside.
pub(crate) fn class_ranges(class: u8) -> Vec<(u32, u32)> {
    match class {
        0 => vec![(0x61, 0x7A)],
        1 => vec![(0x41, 0x5A)],
        2 => vec![(0x30, 0x39)],
        WIDE_SPACE => WIDE_SPACES.into_iter().chain([(BYTE_ORDER_MARK, BYTE_ORDER_MARK)]).collect(),
        // The gaps between the spaces, without surrogates, which are no characters.
        WIDE => {
            let mut ranges = Vec::new();
            let mut next = 0x80;
            for (lo, hi) in WIDE_SPACES.into_iter().chain([(BYTE_ORDER_MARK, BYTE_ORDER_MARK)]) {
                ranges.push((next, lo - 1));
                next = hi + 1;
            }
            ranges.push((next, 0x10FFFF));
            // Cut the surrogates out.
            ranges
                .into_iter()
                .flat_map(|(lo, hi)| match (lo, hi) {
                    (..0xD800, 0xE000..) => vec![(lo, 0xD7FF), (0xE000, hi)],
                    _ => vec![(lo, hi)],
                })
                .filter(|(lo, hi)| lo <= hi)
                .collect()
        }
        single => vec![(u32::from(single - FIRST_SINGLE), u32::from(single - FIRST_SINGLE))],
    }
}

/// One element of a shape: a class, and whether its run is longer than one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) class: u8,
    pub(crate) repeated: bool,
}

/// Elements are numbered densely when the trie is built, so that they fit into its bytes.
#[derive(Debug, Default)]
pub(crate) struct ShapeTrie {
    trie: TokenTrie,
    runs: Vec<Run>,
    /// By node: the one above it, if there is one.
    parents: Vec<Option<u32>>,
    /// By node: characters of the longest run that leads to it.
    longest: Vec<u16>,
    /// By node: a row for nodes with many tokens.
    rows: Vec<Option<Box<[u32]>>>,
}

/// Nodes with at least this many tokens get a row: OR-ing it costs less than setting the bits.
const MANY: usize = 2_000;

impl ShapeTrie {
    /// Groups tokens; all must be whole characters.
    pub(crate) fn new<'a>(tokens: impl Iterator<Item = (&'a str, u32)>, n_words: usize) -> ShapeTrie {
        let mut runs: Vec<Run> = Vec::new();
        let mut shapes: Vec<(Vec<u8>, u32)> = Vec::new();
        let mut lengths: Vec<u16> = Vec::new();
        for (text, token) in tokens {
            let mut shape: Vec<Run> = Vec::new();
            for char in text.chars() {
                let class = shape_class(char as u32);
                match (shape.last_mut(), lengths.last_mut()) {
                    (Some(last), Some(length)) if last.class == class => {
                        (last.repeated, *length) = (true, length.saturating_add(1));
                    }
                    _ => {
                        shape.push(Run { class, repeated: false });
                        lengths.push(1);
                    }
                }
            }
            let mut number = |run: &Run| {
                let found = runs.iter().position(|other| other == run).unwrap_or_else(|| {
                    runs.push(*run);
                    runs.len() - 1
                });
                found as u8
            };
            shapes.push((shape.iter().map(&mut number).collect(), token));
        }
        debug_assert!(runs.len() <= 256, "about a hundred classes, each in two forms");
        let trie = TokenTrie::new(shapes.iter().map(|(shape, token)| (shape.as_slice(), *token)).collect());
        let mut longest = vec![0; trie.n_nodes()];
        let mut of_runs = lengths.into_iter();
        for (shape, _) in &shapes {
            let mut node = None;
            for (run, length) in shape.iter().zip(&mut of_runs) {
                node = trie.child(node, *run);
                let longest = node.map(|node| &mut longest[node]).expect("the trie holds every shape");
                *longest = length.max(*longest);
            }
        }
        let mut parents = vec![None; trie.n_nodes()];
        for node in 0..trie.n_nodes() {
            trie.children(Some(node)).iter().for_each(|child| parents[child.node as usize] = Some(node as u32));
        }
        let row = |node: usize| {
            let tokens = trie.values(node);
            (tokens.len() >= MANY).then(|| {
                let mut row = vec![0; n_words].into_boxed_slice();
                tokens.iter().for_each(|token| set_bit(&mut row, *token));
                row
            })
        };
        let rows = (0..trie.n_nodes()).map(row).collect();
        ShapeTrie { trie, runs, parents, longest, rows }
    }

    pub(crate) fn n_nodes(&self) -> usize {
        self.trie.n_nodes()
    }

    /// Tokens without any character.
    pub(crate) fn root_tokens(&self) -> &[u32] {
        self.trie.root_values()
    }

    /// The run that leads to a node.
    pub(crate) fn run(&self, node: usize) -> Run {
        self.runs[usize::from(self.trie.byte(node))]
    }

    /// The shape that a node's begins with, if it is of more than one run.
    pub(crate) fn parent(&self, node: usize) -> Option<usize> {
        self.parents[node].map(|parent| parent as usize)
    }

    /// The tokens of this shape.
    pub(crate) fn tokens(&self, node: usize) -> &[u32] {
        self.trie.values(node)
    }

    /// Characters of the longest run that leads to a node.
    pub(crate) fn longest(&self, node: usize) -> u16 {
        self.longest[node]
    }

    /// The index behind the subtree of `node`.
    pub(crate) fn end(&self, node: usize) -> usize {
        self.trie.end(node)
    }

    /// The tokens of a node's subtree.
    pub(crate) fn subtree_tokens(&self, node: usize) -> &[u32] {
        self.trie.subtree_values(node)
    }

    /// Sets the bits of the tokens of this shape.
    pub(crate) fn add_tokens(&self, node: usize, row: &mut [u32]) {
        match &self.rows[node] {
            Some(tokens) => row.iter_mut().zip(tokens.iter()).for_each(|(word, tokens)| *word |= tokens),
            None => self.trie.values(node).iter().for_each(|token| set_bit(row, *token)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_classes_agree() {
        for class in [0, 1, 2, WIDE_SPACE, WIDE, FIRST_SINGLE + b'-'] {
            for (lo, hi) in class_ranges(class) {
                assert!(
                    [lo, hi, (lo + hi) / 2].iter().all(|char| shape_class(*char) == class),
                    "{class} {lo:x} {hi:x}"
                );
            }
        }
    }
}
