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
    /// The children of the root, then those of each node: side by side, so that one is found without a look at the others'
    /// subtrees.
    children: Vec<Child>,
    /// `children[first_child[i]..first_child[i + 1]]` are those of node `i - 1`, of the root for 0.
    first_child: Vec<u32>,
}

/// A child of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(crate) byte: u8,
    pub(crate) node: u32,
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
        let (children, first_child) = index_children(&nodes);
        TokenTrie { nodes, values, children, first_child }
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
        let children = size_of_val(&*self.children) + size_of_val(&*self.first_child);
        size_of_val(&*self.nodes) + size_of_val(&*self.values) + children
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

    /// The child of `parent` (`None` is the root) with this byte.
    pub(crate) fn child(&self, parent: Option<usize>, byte: u8) -> Option<usize> {
        find_child(self.children(parent), byte).map(|child| child.node as usize)
    }

    /// The children of `parent` (`None` is the root), by rising byte.
    pub(crate) fn children(&self, parent: Option<usize>) -> &[Child] {
        let index = parent.map_or(0, |parent| parent + 1);
        match self.first_child.get(index..index + 2) {
            Some(bounds) => &self.children[bounds[0] as usize..bounds[1] as usize],
            None => &[],
        }
    }

    /// Walks nodes depth first. `step` gets the state above a node, and the node, and gives the state to go on with below
    /// it, or `None` to leave its subtree out. Returns how many nodes were looked at.
    pub(crate) fn walk<S>(
        &self,
        nodes: std::ops::Range<usize>,
        start: S,
        mut step: impl FnMut(&S, usize) -> Option<S>,
    ) -> usize {
        let mut levels = vec![(nodes.end, start)];
        let mut node = nodes.start;
        let mut n_visited = 0;
        while let Some((end, state)) = levels.last() {
            if node >= *end {
                levels.pop();
                continue;
            }
            n_visited += 1;
            match step(state, node) {
                Some(next) => {
                    levels.push((self.end(node), next));
                    node += 1;
                }
                None => node = self.end(node),
            }
        }
        n_visited
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

/// That of some children, by rising byte, which has this byte.
pub(crate) fn find_child(children: &[Child], byte: u8) -> Option<Child> {
    children.binary_search_by_key(&byte, |child| child.byte).ok().map(|at| children[at])
}

fn index_children(nodes: &[Node]) -> (Vec<Child>, Vec<u32>) {
    let mut first_child = vec![0u32; nodes.len() + 2];
    // First the number of children of each node, by a walk that keeps the path.
    let mut path: Vec<usize> = Vec::new();
    let mut parents: Vec<u32> = Vec::with_capacity(nodes.len());
    for index in 0..nodes.len() {
        while path.last().is_some_and(|parent| nodes[*parent].end as usize <= index) {
            path.pop();
        }
        let parent = path.last().map_or(0, |parent| parent + 1);
        parents.push(parent as u32);
        first_child[parent + 1] += 1;
        path.push(index);
    }
    for index in 1..first_child.len() {
        first_child[index] += first_child[index - 1];
    }
    let mut next = first_child.clone();
    let mut children = vec![Child { byte: 0, node: 0 }; nodes.len()];
    for (index, parent) in parents.into_iter().enumerate() {
        let at = &mut next[parent as usize];
        children[*at as usize] = Child { byte: nodes[index].byte, node: index as u32 };
        *at += 1;
    }
    (children, first_child)
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
        let bytes = |parent| trie.children(parent).iter().map(|child| child.byte).collect::<Vec<_>>();
        assert_eq!((bytes(None), bytes(Some(a)), bytes(Some(3))), (vec![b'a', b'b'], vec![b'b'], vec![]));
        assert_eq!(TokenTrie::default().child(None, b'a'), None);
    }
}
