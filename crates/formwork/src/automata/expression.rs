//! What is a regular expression made of? Expressions over characters, with assertions about what stands around.
//!
//! This is the tree that front ends build where the syntax of the `regex` crate cannot say what they mean: look-around
//! and word boundaries anywhere. [`to_hir`](Expression::to_hir) gives those without them to the shared compiler.

use std::hash::{Hash, Hasher};

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, Look, Repetition};

/// A regular expression over Unicode characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// As it was written, for messages.
    pub source: Box<str>,
    /// Whether it must match the string as a whole and not just somewhere.
    pub whole: bool,
    /// What it says.
    pub node: Node,
}

/// A part of an [`Expression`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// The empty text.
    Empty,
    /// One character of these ranges, both ends inside, in rising order.
    Class(Box<[(u32, u32)]>),
    /// All of these, one after the other.
    Concat(Vec<Node>),
    /// One of these.
    Alternation(Vec<Node>),
    /// So many of this.
    Repeat {
        /// What is repeated.
        sub: Box<Node>,
        /// Fewest times.
        min: u32,
        /// Most times.
        max: Option<u32>,
    },
    /// The start of the string.
    Start,
    /// The end of the string.
    End,
    /// A place between a word character of ASCII and none.
    WordBoundary {
        /// Any other place instead.
        negated: bool,
    },
    /// A place before or behind which something stands.
    Look {
        /// Whether it looks at what follows.
        ahead: bool,
        /// Whether it must not stand there.
        negated: bool,
        /// What is looked for.
        sub: Box<Node>,
    },
}

/// A range of code points, both ends inside.
type CodePoints = (u32, u32);

/// ECMA-262's word characters.
pub(crate) const WORD: &[(u32, u32)] = &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)];

/// The source says all that matters to a table, and is short.
impl Hash for Expression {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
        self.whole.hash(state);
    }
}

impl Expression {
    /// The same for the shared compiler; `None` where it looks around.
    pub(crate) fn to_hir(&self) -> Option<Hir> {
        self.node.to_hir()
    }
}

impl Node {
    /// One character.
    pub(crate) fn char(char: char) -> Node {
        Node::Class(Box::new([(char as u32, char as u32)]))
    }

    fn to_hir(&self) -> Option<Hir> {
        Some(match self {
            Node::Empty => Hir::empty(),
            Node::Class(ranges) => Hir::class(Class::Unicode(to_class(ranges))),
            Node::Concat(parts) => Hir::concat(parts.iter().map(Node::to_hir).collect::<Option<_>>()?),
            Node::Alternation(parts) => Hir::alternation(parts.iter().map(Node::to_hir).collect::<Option<_>>()?),
            Node::Repeat { sub, min, max } => {
                Hir::repetition(Repetition { min: *min, max: *max, greedy: true, sub: Box::new(sub.to_hir()?) })
            }
            Node::Start => Hir::look(Look::Start),
            Node::End => Hir::look(Look::End),
            Node::WordBoundary { .. } | Node::Look { .. } => return None,
        })
    }

    /// Whether what stands before or behind a place decides.
    pub(crate) fn looks_around(&self) -> bool {
        match self {
            Node::Empty | Node::Class(_) | Node::Start | Node::End => false,
            Node::WordBoundary { .. } | Node::Look { .. } => true,
            Node::Concat(parts) | Node::Alternation(parts) => parts.iter().any(Node::looks_around),
            Node::Repeat { sub, .. } => sub.looks_around(),
        }
    }

    /// Calls `visit` with every set of characters.
    pub(crate) fn visit_classes(&self, visit: &mut dyn FnMut(&[CodePoints])) {
        match self {
            Node::Class(ranges) => visit(ranges),
            Node::WordBoundary { .. } => visit(WORD),
            Node::Repeat { sub, .. } | Node::Look { sub, .. } => sub.visit_classes(visit),
            Node::Concat(parts) | Node::Alternation(parts) => {
                parts.iter().for_each(|part| part.visit_classes(visit));
            }
            Node::Empty | Node::Start | Node::End => {}
        }
    }
}

/// Surrogates are no characters: a range over them leaves them out.
fn to_class(ranges: &[(u32, u32)]) -> ClassUnicode {
    let pieces = ranges.iter().flat_map(|(lo, hi)| [(*lo, (*hi).min(0xD7FF)), ((*lo).max(0xE000), *hi)]);
    let pieces = pieces.filter(|(lo, hi)| lo <= hi);
    let to_range = |(lo, hi)| Some(ClassUnicodeRange::new(char::from_u32(lo)?, char::from_u32(hi)?));
    ClassUnicode::new(pieces.filter_map(to_range))
}
