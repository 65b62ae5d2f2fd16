//! What may be written? The valid documents' texts, sorted: they are the language, and a mask is read off them.

use serde_json::Value;

use super::domain::is_other;
use crate::vocabulary::SmallVocabulary;

/// All texts of a language, sorted.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    sorted: Vec<Vec<u8>>,
}

/// The texts that begin with some prefix: a range of the sorted ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    first: usize,
    last: usize,
    length: usize,
}

impl Texts {
    /// The texts of `documents` without whitespace, with keys as they are listed or in every order. `None` beyond `max` texts.
    pub fn of<'a>(documents: impl IntoIterator<Item = &'a Value>, in_every_order: bool, max: usize) -> Option<Texts> {
        let mut sorted = Vec::new();
        for document in documents {
            sorted.extend(spellings(document, in_every_order, max)?.into_iter().map(String::into_bytes));
            if sorted.len() > max {
                return None;
            }
        }
        sorted.sort();
        sorted.dedup();
        Some(Texts { sorted })
    }

    /// All texts.
    pub fn all(&self) -> &[Vec<u8>] {
        &self.sorted
    }

    /// The empty prefix.
    pub fn start(&self) -> Prefix {
        Prefix { first: 0, last: self.sorted.len(), length: 0 }
    }

    /// The longer prefix; `None` where no text begins with it.
    pub fn after(&self, prefix: Prefix, bytes: &[u8]) -> Option<Prefix> {
        let range = &self.sorted[prefix.first..prefix.last];
        let rest = |text: &[u8]| text[prefix.length..].iter().take(bytes.len()).copied().collect::<Vec<u8>>();
        let first = range.partition_point(|text| rest(text).as_slice() < bytes);
        let last = range.partition_point(|text| rest(text).as_slice() <= bytes);
        let longer =
            Prefix { first: prefix.first + first, last: prefix.first + last, length: prefix.length + bytes.len() };
        (first < last).then_some(longer)
    }

    /// Whether the prefix is a text itself.
    pub fn is_whole(&self, prefix: Prefix) -> bool {
        // The shortest of a sorted range comes first.
        self.sorted[prefix.first..prefix.last].first().is_some_and(|text| text.len() == prefix.length)
    }

    /// For each id, whether it may follow: a token when some text goes on with it, the stop token after a whole text.
    pub fn mask(&self, prefix: Prefix, vocabulary: &SmallVocabulary) -> Vec<bool> {
        let texts = vocabulary.tokens.iter().map(|token| self.after(prefix, token).is_some());
        texts.chain([self.is_whole(prefix)]).collect()
    }
}

/// The ways to write one document.
pub fn spellings(document: &Value, in_every_order: bool, max: usize) -> Option<Vec<String>> {
    match document {
        Value::Array(elements) => {
            let mut texts = vec![String::new()];
            for element in elements {
                texts = joined(&texts, &spellings(element, in_every_order, max)?, max)?;
            }
            Some(texts.into_iter().map(|text| format!("[{text}]")).collect())
        }
        Value::Object(members) => {
            let mut written = Vec::new();
            for (key, value) in members {
                let key = Value::from(key.as_str()).to_string();
                let values = spellings(value, in_every_order, max)?;
                written.push(values.iter().map(|value| format!("{key}:{value}")).collect::<Vec<String>>());
            }
            // Keys that the universe's schema does not list come behind the others, in any order.
            let others: Vec<bool> = members.keys().map(|key| in_every_order || is_other(key)).collect();
            let orders = permutations(others.iter().filter(|is_other| **is_other).count()).into_iter().map(|order| {
                let free: Vec<usize> = (0..others.len()).filter(|index| others[*index]).collect();
                let listed = (0..others.len()).filter(|index| !others[*index]);
                listed.chain(order.into_iter().map(|index| free[index])).collect::<Vec<usize>>()
            });
            let mut all = Vec::new();
            for order in orders {
                let mut texts = vec![String::new()];
                for index in order {
                    texts = joined(&texts, &written[index], max)?;
                }
                all.extend(texts.into_iter().map(|text| format!("{{{text}}}")));
            }
            (all.len() <= max).then_some(all)
        }
        scalar => Some(vec![scalar.to_string()]),
    }
}

fn joined(before: &[String], after: &[String], max: usize) -> Option<Vec<String>> {
    if before.len() * after.len() > max {
        return None;
    }
    let join = |left: &String, right: &String| if left.is_empty() { right.clone() } else { format!("{left},{right}") };
    Some(before.iter().flat_map(|left| after.iter().map(move |right| join(left, right))).collect())
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    match n.checked_sub(1) {
        None => vec![Vec::new()],
        Some(last) => {
            let inserted = |order: Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, last);
                    longer
                })
            };
            permutations(last).into_iter().flat_map(inserted).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_written_in_every_order() {
        let document = json!({"a": 1, "b": [true], "c": {"a": 0.5, "b": "x"}});
        assert_eq!(spellings(&document, true, 100).unwrap().len(), 6 * 2);
        assert_eq!(spellings(&document, false, 100).unwrap(), [r#"{"a":1,"b":[true],"c":{"a":0.5,"b":"x"}}"#]);
        assert_eq!(spellings(&document, true, 11), None);
    }

    #[test]
    fn a_mask_is_read_off_the_texts() {
        let documents = [json!([1]), json!([12]), json!([])];
        let texts = Texts::of(&documents, true, 10).unwrap();
        let vocabulary =
            SmallVocabulary { tokens: ["[", "1", "2", "]", "2]", "1]", "11"].map(Into::into).into(), n_special: 0 };
        let prefix = texts.after(texts.start(), b"[").unwrap();
        assert_eq!(texts.mask(prefix, &vocabulary), [false, true, false, true, false, true, false, false]);
        let prefix = texts.after(prefix, b"1").unwrap();
        assert_eq!(texts.mask(prefix, &vocabulary), [false, false, true, true, true, false, false, false]);
        let prefix = texts.after(prefix, b"]").unwrap();
        assert_eq!(texts.mask(prefix, &vocabulary), [false, false, false, false, false, false, false, true]);
    }
}
