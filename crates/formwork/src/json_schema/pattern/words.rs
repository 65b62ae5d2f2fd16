//! Is a pattern a list of words?

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
