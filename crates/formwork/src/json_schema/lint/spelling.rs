//! Which unknown keyword looks like a known one?

use serde_json::{Map, Value};

use super::{LintKind, Linter};
use crate::json_schema::document::NodeId;
use crate::json_schema::keyword::Keyword;

/// Keywords that constrain nothing, and words that other specifications add.
const OTHERS: [&str; 34] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$vocabulary",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "discriminator",
    "enumDescriptions",
    "enumNames",
    "example",
    "examples",
    "extends",
    "externalDocs",
    "id",
    "label",
    "links",
    "media",
    "name",
    "nullable",
    "options",
    "order",
    "readOnly",
    "title",
    "unit",
    "units",
    "writeOnly",
    "xml",
];

/// Longer names are not compared.
const MAX_LENGTH: usize = 32;

impl Linter<'_> {
    pub(super) fn spelling(&mut self, node: NodeId, map: &Map<String, Value>) {
        for name in map.keys() {
            if let Some(meant) = misspelt(name) {
                self.add(node, Some(name), LintKind::Misspelt, format!("not a keyword; {meant:?} is one"));
            }
        }
    }
}

/// The keyword that an unknown one probably stands for.
fn misspelt(name: &str) -> Option<&'static str> {
    let known = || Keyword::ALL.into_iter().map(Keyword::name).chain(OTHERS);
    if name.len() < 4 || name.len() > MAX_LENGTH || name.starts_with("x-") || known().any(|keyword| keyword == name) {
        return None;
    }
    let bare = name.trim_start_matches('$');
    let as_written = known().find(|keyword| keyword.trim_start_matches('$').eq_ignore_ascii_case(bare));
    let near = || {
        let nearest = known().filter(|keyword| keyword.len() >= 4).map(|keyword| (distance(name, keyword), keyword));
        let n_slips = if name.len() < 7 { 1 } else { 2 };
        nearest.filter(|(slips, _)| *slips <= n_slips).min().map(|(_, keyword)| keyword)
    };
    as_written.or_else(near)
}

/// Letters left out, added, replaced or swapped with their neighbour to make one text of the other.
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            rows[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
                    let swapped = if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                        rows[i - 2][j - 2] + 1
                    } else {
                        usize::MAX
                    };
                    replaced.min(swapped).min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1)
                }
            };
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_and_other_words_are_not() {
        for (name, meant) in [
            ("requried", "required"),
            ("minLenght", "minLength"),
            ("additionalproperties", "additionalProperties"),
            ("propertie", "properties"),
            ("ref", "$ref"),
            ("typ", "type"),
            ("allof", "allOf"),
            ("anyof", "anyOf"),
        ] {
            let expected = if name.len() < 4 { None } else { Some(meant) };
            assert_eq!(misspelt(name), expected, "{name}");
        }
        for name in ["required", "example", "x-requried", "colour", "name", "kind", "items", "form", "units"] {
            assert_eq!(misspelt(name), None, "{name}");
        }
    }
}
