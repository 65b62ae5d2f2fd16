//! Where may whitespace stand? In the same way everywhere, or by node where the parts of a grammar differ.

use super::builder::Whitespace;
use super::productions::NodeId;

/// Whitespace between the lexemes of a lowered grammar.
#[derive(Debug)]
pub(crate) enum Spacing {
    /// All of the grammar is alike.
    Same(Option<Whitespace>),
    /// Parts of the grammar differ. None of them has whitespace around it: that is a terminal of the grammar.
    ByNode {
        /// All there are.
        kinds: Vec<Option<Whitespace>>,
        /// By node: which of them holds where an item is there.
        of_node: Vec<u32>,
    },
}

impl Spacing {
    /// Whether whitespace may stand before the first lexeme and after the last.
    pub(crate) fn surrounding(&self) -> bool {
        matches!(self, Spacing::Same(Some(Whitespace { surrounding: true, .. })))
    }

    /// How many kinds there are, and which is number `kind`.
    pub(crate) fn kind(&self, kind: u32) -> Option<Whitespace> {
        match self {
            Spacing::Same(whitespace) => *whitespace,
            Spacing::ByNode { kinds, .. } => kinds[kind as usize],
        }
    }

    /// Number of kinds.
    pub(crate) fn n_kinds(&self) -> u32 {
        match self {
            Spacing::Same(_) => 1,
            Spacing::ByNode { kinds, .. } => kinds.len() as u32,
        }
    }

    /// The kind that holds where an item is at `node`.
    pub(crate) fn of(&self, node: NodeId) -> u32 {
        match self {
            Spacing::Same(_) => 0,
            Spacing::ByNode { of_node, .. } => of_node[node as usize],
        }
    }
}

/// Collects the kinds of a grammar while its nodes are made.
#[derive(Debug, Default)]
pub(super) struct SpacingBuilder {
    kinds: Vec<Option<Whitespace>>,
    n_nodes: usize,
    /// The nodes as far as one was added that is not of the first kind; the others are of that.
    of_node: Vec<u32>,
}

impl SpacingBuilder {
    /// The number of a kind.
    pub(super) fn kind(&mut self, whitespace: Option<Whitespace>) -> u32 {
        let found = self.kinds.iter().position(|kind| *kind == whitespace).unwrap_or_else(|| {
            self.kinds.push(whitespace);
            self.kinds.len() - 1
        });
        found as u32
    }

    /// The next node is of this kind.
    pub(super) fn add_node(&mut self, kind: u32) {
        if kind > 0 {
            self.of_node.resize(self.n_nodes, 0);
            self.of_node.push(kind);
        }
        self.n_nodes += 1;
    }

    pub(super) fn build(mut self) -> Spacing {
        match self.kinds[..] {
            [] => Spacing::Same(None),
            [same] => Spacing::Same(same),
            _ => {
                self.of_node.resize(self.n_nodes, 0);
                Spacing::ByNode { kinds: self.kinds, of_node: self.of_node }
            }
        }
    }
}
