//! What does this JSON text say? One canonical text for all texts of a value.

use crate::automata::Decimal;

/// Deepest nesting.
const MAX_DEPTH: usize = 64;

/// The canonical text of a JSON value: numbers by their value, members in the order of their keys, no whitespace; `None` for
/// what is no JSON.
pub(super) fn canonical(text: &[u8]) -> Option<String> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.skip_blanks();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(crate::vocabulary::is_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.skip_blanks();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Members or elements up to the closing bracket.
    fn items(&mut self, close: u8, item: &mut dyn FnMut(&mut Self) -> Option<String>) -> Option<Vec<String>> {
        let mut items = Vec::new();
        self.at += 1;
        if self.take(close).is_some() {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.take(close).is_some() {
                return Some(items);
            }
            self.take(b',')?;
        }
    }

    fn value(&mut self, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_blanks();
        match self.peek()? {
            b'[' => {
                let items = self.items(b']', &mut |reader| reader.value(depth + 1))?;
                Some(format!("[{}]", items.join(",")))
            }
            b'{' => {
                let mut members = self.items(b'}', &mut |reader| {
                    reader.skip_blanks();
                    let key = reader.string()?;
                    reader.take(b':')?;
                    Some(format!("{key}:{}", reader.value(depth + 1)?))
                })?;
                members.sort_unstable();
                Some(format!("{{{}}}", members.join(",")))
            }
            b'"' => self.string(),
            _ => {
                let start = self.at;
                while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
                    self.at += 1;
                }
                let word = std::str::from_utf8(&self.text[start..self.at]).ok()?;
                match word {
                    "true" | "false" | "null" => Some(word.into()),
                    _ => Some(Decimal::parse(word)?.to_string()),
                }
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let content: String = serde_json::from_slice(self.text.get(start..self.at)?).ok()?;
        serde_json::to_string(&content).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_one_value_are_one_text() {
        let same = [
            (r#"{"b": [1.0, true], "a": "\u0061"}"#, r#"{"a":"a","b":[10e-1,true]}"#),
            ("-0", "0.0"),
            ("[ ]", "[]"),
            (r#""\/""#, r#""/""#),
        ];
        for (a, b) in same {
            assert_eq!(canonical(a.as_bytes()), canonical(b.as_bytes()), "{a} {b}");
            assert!(canonical(a.as_bytes()).is_some(), "{a}");
        }
        for text in ["", "[1", "{\"a\"}", "tru", "1 2", "\"a", "[1,]"] {
            assert_eq!(canonical(text.as_bytes()), None, "{text}");
        }
    }
}
