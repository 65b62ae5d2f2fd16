//! Is a pattern a list of words, or does it begin with conditions that can be taken apart?

use super::PatternFault;

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

/// A condition on what follows the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition<'a> {
    pub(super) source: &'a str,
    pub(super) negated: bool,
}

/// Takes the look-aheads off the front of `^(?=a)(?!b)rest`, and gives what is left (`^rest`).
pub(super) fn leading_conditions(source: &str) -> Result<(Vec<Condition<'_>>, String), PatternFault> {
    let mut conditions = Vec::new();
    let Some(mut rest) = source.strip_prefix('^') else { return Ok((conditions, source.to_owned())) };
    while let Some(inside) = rest.strip_prefix("(?=").or_else(|| rest.strip_prefix("(?!")) {
        let negated = rest.as_bytes()[2] == b'!';
        let Some(end) = closing(inside) else { return Err(PatternFault::Malformed("a group is not closed")) };
        conditions.push(Condition { source: &inside[..end], negated });
        rest = &inside[end + 1..];
    }
    if conditions.is_empty() {
        return Ok((conditions, source.to_owned()));
    }
    if rest.starts_with(['*', '+', '?', '{']) {
        return Err(PatternFault::Unsupported("a repeated look-ahead cannot be enforced yet"));
    }
    if has_alternatives(rest) {
        return Err(PatternFault::Unsupported("look-ahead in one of several alternatives cannot be enforced yet"));
    }
    Ok((conditions, format!("^{rest}")))
}

/// Where the group ends whose inside `text` begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    scan(text, |at, byte| match byte {
        b'(' => {
            depth += 1;
            None
        }
        b')' if depth == 0 => Some(at),
        b')' => {
            depth -= 1;
            None
        }
        _ => None,
    })
}

/// Whether there is a `|` outside all groups.
fn has_alternatives(text: &str) -> bool {
    let mut depth = 0usize;
    let found = scan(text, |at, byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'|' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    });
    found.is_some()
}

/// Visits the bytes that are neither escaped nor inside a class.
fn scan(text: &str, mut visit: impl FnMut(usize, u8) -> Option<usize>) -> Option<usize> {
    let (mut escaped, mut in_class) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b']' if in_class => in_class = false,
            _ if in_class => {}
            b'[' => in_class = true,
            _ => {
                if let Some(found) = visit(at, byte) {
                    return Some(found);
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_end_at_their_own_parenthesis() {
        let (conditions, rest) = leading_conditions(r"^(?!a(b|[)])\))(?=c)d").unwrap();
        assert_eq!(conditions[0], Condition { source: r"a(b|[)])\)", negated: true });
        assert_eq!(conditions[1], Condition { source: "c", negated: false });
        assert_eq!(rest, "^d");
        assert!(leading_conditions("^(?!a)b|c").is_err());
    }
}
