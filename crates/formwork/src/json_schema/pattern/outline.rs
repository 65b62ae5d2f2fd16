//! What can be said about a pattern at a glance? The shapes that need no automaton, or a smaller one.

use crate::automata::ExpressionNode as Node;

/// What a pattern is, on the face of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outline {
    /// It is found in every string.
    Everything,
    /// `^[class]{min,max}$`; no class is every character.
    Counted { class: Option<Box<[(u32, u32)]>>, min: u32, max: Option<u32> },
    /// Nothing in particular.
    Other,
}

pub(super) fn outline(node: &Node) -> Outline {
    let parts = match node {
        Node::Concat(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    match parts {
        [Node::Empty | Node::Start | Node::End] => Outline::Everything,
        [Node::Repeat { min: 0, .. }] | [Node::Start, Node::Repeat { min: 0, .. }] => Outline::Everything,
        [Node::Start, one, Node::End] => counted(one),
        _ => Outline::Other,
    }
}

fn counted(node: &Node) -> Outline {
    let (class, min, max) = match node {
        Node::Class(class) => (class, 1, Some(1)),
        Node::Repeat { sub, min, max } => match &**sub {
            Node::Class(class) => (class, *min, *max),
            _ => return Outline::Other,
        },
        _ => return Outline::Other,
    };
    match (is_any(class), min, max) {
        (true, 0, None) => Outline::Everything,
        (true, ..) => Outline::Counted { class: None, min, max },
        (false, ..) => Outline::Counted { class: Some(class.clone()), min, max },
    }
}

fn is_any(class: &[(u32, u32)]) -> bool {
    matches!(class, [(0, 0x10FFFF)])
}

/// A condition on the whole string beside the rest of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// What is to be found, or not.
    pub(super) node: Node,
    pub(super) negated: bool,
}

/// Takes `(?=a)(?!b)` off the front of `^(?=a)(?!b)rest`, and `(?<!c)` off the end of `rest(?<!c)$`: each says by itself
/// something of the whole string. Gives them with what is left.
pub(super) fn conditions(node: Node) -> (Vec<Condition>, Node) {
    let Node::Concat(parts) = node else { return (Vec::new(), node) };
    let mut conditions = Vec::new();
    let mut left: std::collections::VecDeque<Node> = parts.into();
    if left.front() == Some(&Node::Start) {
        left.pop_front();
        while matches!(left.front(), Some(Node::Look { ahead: true, .. })) {
            if let Some(Node::Look { negated, sub, .. }) = left.pop_front() {
                conditions.push(Condition { node: Node::Concat(vec![Node::Start, *sub]), negated });
            }
        }
        left.push_front(Node::Start);
    }
    if left.back() == Some(&Node::End) {
        left.pop_back();
        while matches!(left.back(), Some(Node::Look { ahead: false, .. })) {
            if let Some(Node::Look { negated, sub, .. }) = left.pop_back() {
                conditions.push(Condition { node: Node::Concat(vec![*sub, Node::End]), negated });
            }
        }
        left.push_back(Node::End);
    }
    (conditions, Node::Concat(left.into()))
}

/// A guess at the states of an automaton, repetitions unfolded.
pub(super) fn size(node: &Node) -> u64 {
    match node {
        Node::Empty => 0,
        Node::Class(_) | Node::Start | Node::End => 1,
        Node::WordBoundary { .. } => 8,
        Node::Concat(parts) => parts.iter().map(size).fold(0, u64::saturating_add),
        Node::Alternation(parts) => parts.iter().map(size).fold(1, |sum, part| sum.saturating_add(part + 1)),
        Node::Repeat { sub, min, max } => {
            let turns = u64::from(max.unwrap_or(min.saturating_add(1)).max(1));
            (size(sub).saturating_add(1)).saturating_mul(turns)
        }
        Node::Look { sub, .. } => size(sub).saturating_add(2),
    }
}
