//! Is a pattern a list of words?

use crate::automata::ExpressionNode as Node;

/// Most words that a pattern is unfolded to.
const MAX_WORDS: usize = 4_096;

/// The words of `^word$` and `^(word|word|...)$` (without the anchors where the whole string is matched anyway).
pub(super) fn words(source: &str, whole: bool) -> Option<Vec<String>> {
    let body = match (source.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')), whole) {
        (Some(body), false) => body,
        (None, true) => source,
        _ => return None,
    };
    let grouped = body.strip_prefix("(?:").or_else(|| body.strip_prefix('(')).and_then(|rest| rest.strip_suffix(')'));
    let (listed, several) = match grouped {
        Some(listed) => (listed, true),
        None => (body, whole),
    };
    let mut words = vec![String::new()];
    let mut characters = listed.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            '|' if several => {
                if words.len() == MAX_WORDS {
                    return None;
                }
                words.push(String::new());
                continue;
            }
            '\\' => characters.next().filter(char::is_ascii_punctuation)?,
            '^' | '$' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => return None,
            other => other,
        };
        words.last_mut()?.push(literal);
    }
    // A body that ends in a backslash had its `$` escaped; the loop above has refused it.
    Some(words)
}

/// The words of an expression that is anchored at both ends, sorted, where they are few.
pub(super) fn words_of(node: &Node) -> Option<Vec<String>> {
    let Node::Concat(parts) = node else { return None };
    let (Node::Start, rest) = parts.split_first()? else { return None };
    let mut words = match rest {
        // As conditions have it: the end is in what is grouped.
        [Node::Concat(rest)] => anchored(rest)?,
        _ => anchored(rest)?,
    };
    words.sort_unstable();
    words.dedup();
    Some(words)
}

fn anchored(parts: &[Node]) -> Option<Vec<String>> {
    match parts.split_last()? {
        (Node::End, parts) => spell_all(parts, 0),
        _ => None,
    }
}

/// Deepest nesting that is looked into.
const MAX_DEPTH: usize = 32;

fn spell_all(parts: &[Node], depth: usize) -> Option<Vec<String>> {
    let mut words = vec![String::new()];
    for part in parts {
        let ends = spell(part, depth + 1)?;
        if words.len() * ends.len() > MAX_WORDS {
            return None;
        }
        if let [end] = &*ends {
            words.iter_mut().for_each(|word| word.push_str(end));
            continue;
        }
        words = words.iter().flat_map(|word| ends.iter().map(move |end| format!("{word}{end}"))).collect();
    }
    Some(words)
}

/// The words of what has no anchors.
fn spell(node: &Node, depth: usize) -> Option<Vec<String>> {
    if depth > MAX_DEPTH {
        return None;
    }
    match node {
        Node::Empty => Some(vec![String::new()]),
        Node::Class(ranges) => {
            let n_chars: u64 = ranges.iter().map(|(lo, hi)| u64::from(hi - lo) + 1).sum();
            let chars = || ranges.iter().flat_map(|(lo, hi)| *lo..=*hi).filter_map(char::from_u32);
            (n_chars <= MAX_WORDS as u64).then(|| chars().map(String::from).collect())
        }
        Node::Concat(parts) => spell_all(parts, depth),
        Node::Alternation(parts) => {
            let mut words = Vec::new();
            for part in parts {
                words.append(&mut spell(part, depth + 1)?);
                if words.len() > MAX_WORDS {
                    return None;
                }
            }
            Some(words)
        }
        Node::Repeat { sub, min: 0, max: Some(1) } => {
            let mut words = spell(sub, depth + 1)?;
            words.push(String::new());
            Some(words)
        }
        _ => None,
    }
}
