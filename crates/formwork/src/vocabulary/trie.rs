//! Which tokens begin with these bytes? A prefix trie laid out flat in depth-first order.
//!
//! A node's subtree is the contiguous range of nodes behind it, and the tokens of a subtree are a contiguous range
//! of tokens: skipping a subtree, or taking all of it, is one addition.

/// A set of byte strings, each with one or more numbers (token ids in most uses).
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenTrie {
    nodes: Vec<Node>,
    /// Values in the order of their strings.
    values: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Index behind the last node of the subtree.
    end: u32,
    /// First value of the subtree; the node's own values come first.
    first_value: u32,
    byte: u8,
}

impl TokenTrie {
    /// Sorts the strings and lays them out. Empty strings are kept as values before the first node.
    pub(crate) fn new(mut strings: Vec<(&[u8], u32)>) -> TokenTrie {
        strings.sort_unstable();
        let mut nodes: Vec<Node> = Vec::new();
        let mut values = Vec::with_capacity(strings.len());
        let mut path: Vec<u32> = Vec::new();
        let mut previous: &[u8] = &[];
        for (bytes, value) in strings {
            let common = previous.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            close(&mut nodes, &mut path, common);
            for byte in &bytes[common..] {
                path.push(nodes.len() as u32);
                nodes.push(Node { end: 0, first_value: values.len() as u32, byte: *byte });
            }
            values.push(value);
            previous = bytes;
        }
        close(&mut nodes, &mut path, 0);
        TokenTrie { nodes, values }
    }

    /// Number of nodes; node ids are below it and rise in depth-first order.
    pub(crate) fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The byte that leads to a node.
    pub(crate) fn byte(&self, node: usize) -> u8 {
        self.nodes[node].byte
    }

    /// The index behind the subtree of `node`.
    pub(crate) fn end(&self, node: usize) -> usize {
        self.nodes[node].end as usize
    }

    /// Bytes held.
    pub(crate) fn n_bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.values)
    }

    /// Values of the empty string.
    pub(crate) fn root_values(&self) -> &[u32] {
        &self.values[..self.first_value(0)]
    }

    /// Values of the string that ends at `node`.
    pub(crate) fn values(&self, node: usize) -> &[u32] {
        &self.values[self.first_value(node)..self.first_value(node + 1)]
    }

    /// Values of all strings that begin with the one that ends at `node`.
    pub(crate) fn subtree_values(&self, node: usize) -> &[u32] {
        &self.values[self.first_value(node)..self.first_value(self.end(node))]
    }

    /// All values, in the order of their strings.
    pub(crate) fn all_values(&self) -> &[u32] {
        &self.values
    }

    /// The child of `parent` (`None` is the root) with this byte.
    pub(crate) fn child(&self, parent: Option<usize>, byte: u8) -> Option<usize> {
        let (mut node, end) = match parent {
            Some(parent) => (parent + 1, self.end(parent)),
            None => (0, self.n_nodes()),
        };
        while node < end {
            if self.byte(node) == byte {
                return Some(node);
            }
            node = self.end(node);
        }
        None
    }

    /// The longest string in the trie that `text` begins with: its first value and length.
    pub(crate) fn longest_prefix(&self, text: &[u8]) -> Option<(u32, usize)> {
        let mut longest = None;
        let mut node = None;
        for (index, byte) in text.iter().enumerate() {
            let Some(child) = self.child(node, *byte) else { break };
            if let Some(value) = self.values(child).first() {
                longest = Some((*value, index + 1));
            }
            node = Some(child);
        }
        longest
    }

    fn first_value(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(self.values.len(), |node| node.first_value as usize)
    }
}

/// Sets the end of all nodes on the path below `depth`.
fn close(nodes: &mut [Node], path: &mut Vec<u32>, depth: usize) {
    let end = nodes.len() as u32;
    for node in path.drain(depth..) {
        nodes[node as usize].end = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtrees_are_ranges_and_values_follow_their_strings() {
        let trie = TokenTrie::new(vec![(b"ab", 1), (b"a", 0), (b"abc", 2), (b"b", 3), (b"ab", 4), (b"", 9)]);
        assert_eq!(trie.n_nodes(), 4);
        assert_eq!(trie.root_values(), [9]);
        let a = trie.child(None, b'a').unwrap();
        let ab = trie.child(Some(a), b'b').unwrap();
        assert_eq!(trie.values(ab), [1, 4]);
        assert_eq!(trie.end(a), 3);
        assert_eq!(trie.longest_prefix(b"abx"), Some((1, 2)));
        assert_eq!(trie.longest_prefix(b"x"), None);
    }
}
