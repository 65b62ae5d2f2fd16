//! Which tokens begin with these characters? A prefix trie of whole characters instead of bytes.
//!
//! An automaton over characters runs along it without decoding anything: a node is a character's number, and which class of
//! an automaton's alphabet a number is in is looked up. Laid out flat as [`TokenTrie`](super::TokenTrie) is.

use std::ops::Range;
use std::sync::Arc;

use super::shapes::shape_class;

/// All characters that tokens hold, numbered: ASCII by itself, the others behind it in rising order.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    wide: Box<[u32]>,
}

impl Letters {
    /// Those of some texts, as far as they are UTF-8.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Letters {
        let mut wide: Vec<u32> = Vec::new();
        for text in texts.filter(|text| !text.is_ascii()) {
            let chars = text.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
            wide.extend(chars.filter(|char| !char.is_ascii()).map(u32::from));
        }
        wide.sort_unstable();
        wide.dedup();
        Letters { wide: wide.into() }
    }

    /// The characters beyond ASCII, in the order of their numbers.
    pub(crate) fn wide(&self) -> &[u32] {
        &self.wide
    }

    /// The character of a number.
    pub(crate) fn char(&self, number: u32) -> u32 {
        match (number as usize).checked_sub(N_ASCII) {
            Some(index) => self.wide[index],
            None => number,
        }
    }

    fn number(&self, char: u32) -> u32 {
        match self.wide.binary_search(&char) {
            Ok(index) => (N_ASCII + index) as u32,
            Err(_) => char,
        }
    }
}

/// Characters that are their own numbers.
pub(crate) const N_ASCII: usize = 128;

#[derive(Clone, Copy, Debug)]
struct Node {
    letter: u32,
    /// Index behind the last node of the subtree.
    end: u32,
    /// First value of the subtree; the node's own values come first.
    first_value: u32,
}

/// A set of texts, each with one or more numbers.
#[derive(Debug)]
pub(crate) struct LetterTrie {
    letters: Arc<Letters>,
    nodes: Box<[Node]>,
    /// Values in the order of their texts; those of the empty text come first.
    values: Box<[u32]>,
    /// Subtrees that stand side by side and whose texts begin with characters of one shape class, with that class.
    by_class: Box<[(u8, Range<u32>)]>,
}

impl LetterTrie {
    /// Sorts the texts and lays them out.
    pub(super) fn new(letters: Arc<Letters>, mut texts: Vec<(&str, u32)>) -> LetterTrie {
        // Their order is that of their characters.
        texts.sort_unstable();
        let mut nodes: Vec<Node> = Vec::new();
        let mut values = Vec::with_capacity(texts.len());
        let mut path: Vec<usize> = Vec::new();
        let close = |nodes: &mut [Node], path: &mut Vec<usize>, depth: usize| {
            let end = nodes.len() as u32;
            path.drain(depth..).for_each(|node| nodes[node].end = end);
        };
        let mut previous = "";
        for (text, value) in texts {
            let n_common = previous.chars().zip(text.chars()).take_while(|(a, b)| a == b).count();
            close(&mut nodes, &mut path, n_common);
            for char in text.chars().skip(n_common) {
                path.push(nodes.len());
                nodes.push(Node { letter: letters.number(char.into()), end: 0, first_value: values.len() as u32 });
            }
            values.push(value);
            previous = text;
        }
        close(&mut nodes, &mut path, 0);
        let mut by_class: Vec<(u8, Range<u32>)> = Vec::new();
        let mut root = 0;
        while let Some(Node { letter, end, .. }) = nodes.get(root as usize) {
            let class = shape_class(letters.char(*letter));
            match by_class.last_mut() {
                Some((last, subtrees)) if *last == class => subtrees.end = *end,
                _ => by_class.push((class, root..*end)),
            }
            root = *end;
        }
        LetterTrie { letters, nodes: nodes.into(), values: values.into(), by_class: by_class.into() }
    }

    pub(crate) fn letters(&self) -> &Letters {
        &self.letters
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> Range<usize> {
        0..self.nodes.len()
    }

    /// All subtrees, those side by side whose texts begin with characters of one shape class together, with that class.
    pub(crate) fn subtrees(&self) -> impl Iterator<Item = (u8, Range<usize>)> {
        self.by_class.iter().map(|(class, nodes)| (*class, nodes.start as usize..nodes.end as usize))
    }

    /// The subtrees of texts whose first character is of a shape class.
    pub(crate) fn subtrees_of(&self, class: u8) -> impl Iterator<Item = Range<usize>> {
        self.subtrees().filter(move |(other, _)| *other == class).map(|(_, nodes)| nodes)
    }

    /// Values of the empty text.
    pub(crate) fn root_values(&self) -> &[u32] {
        &self.values[..self.first_value(0)]
    }

    /// Values of the text that ends at a node.
    pub(crate) fn values(&self, node: usize) -> &[u32] {
        &self.values[self.first_value(node)..self.first_value(node + 1)]
    }

    /// Values of all texts that begin with the one that ends at `node`.
    pub(crate) fn subtree_values(&self, node: usize) -> &[u32] {
        &self.values[self.first_value(node)..self.first_value(self.nodes[node].end as usize)]
    }

    fn first_value(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(self.values.len(), |node| node.first_value as usize)
    }

    /// Walks nodes depth first. `step` gets the state above a node, the number of its character, and the node; and gives the
    /// state to go on with below it, or `None` to leave its subtree out. Returns how many nodes were looked at.
    pub(crate) fn walk<S>(
        &self,
        nodes: Range<usize>,
        start: S,
        mut step: impl FnMut(&S, u32, usize) -> Option<S>,
    ) -> usize {
        let mut above: Vec<(usize, S)> = Vec::new();
        let (mut state, mut end) = (start, nodes.end);
        let mut index = nodes.start;
        let mut n_visited = 0;
        loop {
            while index >= end {
                match above.pop() {
                    Some((end_above, state_above)) => (end, state) = (end_above, state_above),
                    None => return n_visited,
                }
            }
            n_visited += 1;
            let node = self.nodes[index];
            let next = step(&state, node.letter, index);
            index += 1;
            // Most nodes have no other below.
            if node.end as usize > index {
                match next {
                    Some(next) => {
                        above.push((end, std::mem::replace(&mut state, next)));
                        end = node.end as usize;
                    }
                    None => index = node.end as usize,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::shapes::WIDE;

    fn trie(texts: &[(&'static str, u32)]) -> LetterTrie {
        let letters = Letters::new(texts.iter().map(|(text, _)| text.as_bytes()));
        LetterTrie::new(Arc::new(letters), texts.to_vec())
    }

    #[test]
    fn a_walk_meets_every_text_once_with_its_characters() {
        let texts = [("ab", 1), ("", 9), ("a", 0), ("aé", 2), ("日本", 3), ("日", 4), ("ab", 5), ("x日é", 6)];
        let trie = trie(&texts);
        let mut found: Vec<(String, u32)> = trie.root_values().iter().map(|value| (String::new(), *value)).collect();
        // The state is how many characters stand above.
        let mut path = Vec::new();
        let n_visited = trie.walk(trie.nodes(), 0usize, |depth, letter, node| {
            path.truncate(*depth);
            path.push(char::from_u32(trie.letters().char(letter)).unwrap());
            found.extend(trie.values(node).iter().map(|value| (path.iter().collect(), *value)));
            Some(depth + 1)
        });
        assert_eq!(n_visited, trie.nodes().len());
        let mut expected: Vec<(String, u32)> = texts.map(|(text, value)| (text.to_owned(), value)).to_vec();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_left_out_is_a_subtree() {
        let trie = trie(&[("abc", 0), ("abd", 1), ("ac", 2), ("b", 3), ("日a", 4)]);
        let mut met = Vec::new();
        trie.walk(trie.nodes(), (), |_, letter, node| {
            met.extend_from_slice(trie.values(node));
            (letter != u32::from('b')).then_some(())
        });
        assert_eq!(met, [2, 3, 4]);
        let classes: Vec<_> = trie.subtrees_of(0).collect();
        assert_eq!(classes, vec![std::ops::Range { start: 0, end: 6 }]);
        assert_eq!(trie.subtree_values(0), [0, 1, 2]);
        assert_eq!(trie.subtrees_of(WIDE).collect::<Vec<_>>(), vec![std::ops::Range { start: 6, end: 8 }]);
    }
}
