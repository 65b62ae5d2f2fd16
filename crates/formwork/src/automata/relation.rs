//! How do two languages of strings lie to each other? Their automata, walked side by side.

use super::alphabet::Alphabet;
use super::json_string::StringAutomaton;
use crate::hash::HashSet;

/// Which strings there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    /// Of both languages.
    pub(crate) both: bool,
    /// Of the first alone.
    pub(crate) only_left: bool,
    /// Of the second alone.
    pub(crate) only_right: bool,
}

impl Relation {
    /// Some of each kind.
    pub(crate) const ALL: Relation = Relation { both: true, only_left: true, only_right: true };

    /// The same, seen from the other.
    pub(crate) fn turned(self) -> Relation {
        Relation { only_left: self.only_right, only_right: self.only_left, ..self }
    }
}

impl StringAutomaton {
    /// How this language lies to another, their lengths left aside; `None` where the walk meets more than `max_pairs` pairs of
    /// states, or an automaton without a table.
    pub(crate) fn relation(&self, other: &StringAutomaton, max_pairs: usize) -> Option<Relation> {
        let (left, right) = (self.dfa()?, other.dfa()?);
        let letters = common_letters(left.machine().alphabet(), right.machine().alphabet());
        if left.is_empty() || right.is_empty() {
            return Some(Relation { both: false, only_left: !left.is_empty(), only_right: !right.is_empty() });
        }
        let mut relation = Relation { both: false, only_left: false, only_right: false };
        let mut pending = vec![(0, 0)];
        let mut seen: HashSet<(u32, u32)> = HashSet::from_iter(pending.iter().copied());
        while let Some((at_left, at_right)) = pending.pop() {
            match (left.is_accepting(at_left), right.is_accepting(at_right)) {
                (true, true) => relation.both = true,
                (true, false) => relation.only_left = true,
                (false, true) => relation.only_right = true,
                (false, false) => {}
            }
            for (letter_left, letter_right) in &letters {
                match (left.next(at_left, *letter_left), right.next(at_right, *letter_right)) {
                    // Every state that is offered is live, so some string goes on here.
                    (Some(_), None) => relation.only_left = true,
                    (None, Some(_)) => relation.only_right = true,
                    (Some(next_left), Some(next_right)) if seen.insert((next_left, next_right)) => {
                        pending.push((next_left, next_right));
                    }
                    _ => {}
                }
            }
            if relation == Relation::ALL {
                break;
            }
            if seen.len() > max_pairs {
                return None;
            }
        }
        Some(relation)
    }
}

/// Pairs of classes that share a character.
fn common_letters(left: &Alphabet, right: &Alphabet) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut of_left = left.ranges().peekable();
    let mut of_right = right.ranges().peekable();
    while let (Some((_, end_left, class_left)), Some((_, end_right, class_right))) = (of_left.peek(), of_right.peek()) {
        let end = *end_left.min(end_right);
        pairs.push((*class_left, *class_right));
        let (left_ends, right_ends) = (*end_left == end, *end_right == end);
        if left_ends {
            of_left.next();
        }
        if right_ends {
            of_right.next();
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::{ContentConstraint, ContentLanguage, StringSpec};
    use crate::limits::Limits;

    fn automaton(pattern: &str) -> StringAutomaton {
        let content = vec![ContentConstraint { language: ContentLanguage::Search(pattern.into()), negated: false }];
        let spec = StringSpec { content, ..StringSpec::default() };
        StringAutomaton::new(&spec, &Limits::default()).unwrap()
    }

    #[test]
    fn languages_are_disjoint_within_each_other_or_neither() {
        for (left, right, both, only_left, only_right) in [
            ("^a", "^b", false, true, true),
            ("^a", "^ab", true, true, false),
            ("^[0-9]+$", "^[0-9a-f]+$", true, false, true),
            ("^[a-f]$", "^(?:a|b|c|d|e|f)$", true, false, false),
            ("x", "y", true, true, true),
            ("^\\p{Lu}", "^[a-z]", false, true, true),
            ("^a{3}$", "^(?:aa)*$", false, true, true),
            ("", "é$", true, true, false),
        ] {
            let expected = Relation { both, only_left, only_right };
            assert_eq!(automaton(left).relation(&automaton(right), 1_000), Some(expected), "{left} {right}");
            assert_eq!(automaton(right).relation(&automaton(left), 1_000), Some(expected.turned()), "{right} {left}");
        }
        assert_eq!(automaton("^a{50}$").relation(&automaton("^a{51}$"), 10), None, "the walk is cut off");
    }
}
