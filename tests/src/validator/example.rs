//! Which texts does a pattern probably match? Random ones, one operator after the other.

use super::pattern::{Class, Member, Node, Pattern};

/// Rounds that a repetition without a bound adds at most.
const MAX_ROUNDS: usize = 3;

impl Pattern {
    /// A text that matches, unless the pattern looks around. `below(n)` is a random number below `n`.
    pub(crate) fn example(&self, below: &mut dyn FnMut(usize) -> usize) -> String {
        let mut text = String::new();
        self.root.write(&mut text, below);
        text
    }
}

impl Node {
    fn write(&self, text: &mut String, below: &mut dyn FnMut(usize) -> usize) {
        match self {
            Node::Class(class) => text.extend(class.example(below)),
            Node::Sequence(parts) => parts.iter().for_each(|part| part.write(text, below)),
            Node::Choice(parts) => parts[below(parts.len())].write(text, below),
            Node::Repeat { inner, min, max } => {
                let more = max.map_or(MAX_ROUNDS, |max| (max.saturating_sub(*min) as usize).min(MAX_ROUNDS));
                for _ in 0..(*min).min(1_000) as usize + below(more + 1) {
                    inner.write(text, below);
                }
            }
            Node::Start | Node::End | Node::Boundary { .. } | Node::Look { .. } => {}
        }
    }
}

impl Class {
    fn example(&self, below: &mut dyn FnMut(usize) -> usize) -> Option<char> {
        if !self.is_negated
            && !self.members.is_empty()
            && let Member::Range(first, last) = self.members[below(self.members.len())]
        {
            let width = u32::from(last) - u32::from(first) + 1;
            return char::from_u32(u32::from(first) + below(width as usize) as u32);
        }
        let plain: Vec<char> = (' '..='~').filter(|character| self.contains(*character)).collect();
        if plain.is_empty() { None } else { Some(plain[below(plain.len())]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_match() {
        for pattern in ["^[A-Z]{3}-\\d{4}$", "^(a|bc)+[^a-z]?$", "x.y", "^\\w+@\\w+\\.(com|org)$"] {
            let pattern = Pattern::parse(pattern).unwrap();
            let mut seed = 0;
            for _ in 0..20 {
                let text = pattern.example(&mut |n| {
                    seed += 7;
                    seed % n
                });
                assert!(pattern.is_found(&text), "{text}");
            }
        }
    }
}
