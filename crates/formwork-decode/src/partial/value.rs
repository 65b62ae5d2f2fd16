//! What is known of one value of a partial document? Its kind, its parts, and what it is once it is complete.

use serde::Deserialize;

use super::{Node, NodeKind, PartialJson};

/// A value that is shown, see [`PartialJson`]; it may still be in the making.
#[derive(Clone, Copy)]
pub struct PartialValue<'a> {
    document: &'a PartialJson,
    node: usize,
}

/// Which kind of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartialKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'a> PartialValue<'a> {
    pub(super) fn new(document: &'a PartialJson, node: usize) -> PartialValue<'a> {
        PartialValue { document, node }
    }

    fn node(self) -> &'a Node {
        &self.document.nodes[self.node]
    }

    /// Its kind, which is known as soon as it is shown.
    pub fn kind(self) -> PartialKind {
        match &self.node().kind {
            NodeKind::Null => PartialKind::Null,
            NodeKind::Boolean(value) => PartialKind::Boolean(*value),
            NodeKind::Number => PartialKind::Number,
            NodeKind::String(_) => PartialKind::String,
            NodeKind::Array(_) => PartialKind::Array,
            NodeKind::Object(_) => PartialKind::Object,
        }
    }

    /// Whether all of it is there.
    pub fn is_complete(self) -> bool {
        self.node().end.is_some()
    }

    /// Its JSON text, once it is complete.
    pub fn json(self) -> Option<&'a str> {
        let node = self.node();
        node.end.map(|end| &self.document.text[node.start..end])
    }

    /// The text of a string so far; later views only add to it. `None` for other kinds.
    pub fn text(self) -> Option<&'a str> {
        match &self.node().kind {
            NodeKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array that are shown; none for other kinds. The last one may be in the making.
    pub fn elements(self) -> impl ExactSizeIterator<Item = PartialValue<'a>> {
        let elements: &[usize] = match &self.node().kind {
            NodeKind::Array(elements) => elements,
            _ => &[],
        };
        elements.iter().map(move |&node| PartialValue { node, ..self })
    }

    /// The members of an object that are shown, as written; none for other kinds. The last one may be in the making.
    pub fn members(self) -> impl ExactSizeIterator<Item = (&'a str, PartialValue<'a>)> {
        let members: &[(String, usize)] = match &self.node().kind {
            NodeKind::Object(members) => members,
            _ => &[],
        };
        members.iter().map(move |(name, node)| (name.as_str(), PartialValue { node: *node, ..self }))
    }

    /// The first member with a name. O(members).
    pub fn get(self, name: &str) -> Option<PartialValue<'a>> {
        self.members().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The value at a JSON Pointer (RFC 6901) from here; `None` while it is not shown, and where it cannot be.
    pub fn at(self, pointer: &str) -> Option<PartialValue<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, token| match value.kind() {
            PartialKind::Array => value.elements().nth(index(token)?),
            _ => value.get(&token.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// The value as an `F`, once it is complete; `None` before. O(its text).
    ///
    /// # Errors
    /// What `F` has against it.
    pub fn read<F: Deserialize<'a>>(self) -> Result<Option<F>, serde_json::Error> {
        self.json().map(serde_json::from_str).transpose()
    }

    /// What is complete, as an `F`: strings in the making are left out, and containers in the making are closed. `None`
    /// for a string in the making. O(its text).
    ///
    /// A type whose fields are all optional sees its fields appear one by one.
    ///
    /// # Errors
    /// What `F` has against it.
    pub fn read_known<F: serde::de::DeserializeOwned>(self) -> Result<Option<F>, serde_json::Error> {
        let mut known = String::new();
        match self.write_known(&mut known)? {
            true => serde_json::from_str(&known).map(Some),
            false => Ok(None),
        }
    }

    /// Writes what is complete as JSON; whether there is anything. Nesting is bounded.
    fn write_known(self, out: &mut String) -> Result<bool, serde_json::Error> {
        if let Some(json) = self.json() {
            out.push_str(json);
            return Ok(true);
        }
        match self.kind() {
            PartialKind::Array => self.write_parts(out, ['[', ']'], self.elements().map(|element| (None, element)))?,
            PartialKind::Object => {
                self.write_parts(out, ['{', '}'], self.members().map(|(name, value)| (Some(name), value)))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn write_parts(
        self,
        out: &mut String,
        brackets: [char; 2],
        parts: impl Iterator<Item = (Option<&'a str>, PartialValue<'a>)>,
    ) -> Result<(), serde_json::Error> {
        out.push(brackets[0]);
        for (index, (name, value)) in parts.enumerate() {
            let n_before = out.len();
            if index > 0 {
                out.push(',');
            }
            if let Some(name) = name {
                out.push_str(&serde_json::to_string(name)?);
                out.push(':');
            }
            if !value.write_known(out)? {
                out.truncate(n_before);
            }
        }
        out.push(brackets[1]);
        Ok(())
    }
}

/// A pointer's token as an index: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let is_index = token == "0" || token.starts_with(|first: char| ('1'..='9').contains(&first));
    token.parse().ok().filter(|_| is_index)
}

impl std::fmt::Debug for PartialValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("PartialValue");
        out.field("kind", &self.kind()).field("is_complete", &self.is_complete());
        match self.json().or(self.text()) {
            Some(text) => out.field("text", &text).finish(),
            None => out.finish_non_exhaustive(),
        }
    }
}
