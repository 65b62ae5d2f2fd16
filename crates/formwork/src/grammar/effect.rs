//! What does a lexeme do to what must not be written twice? It opens a record, ends a key, closes the record.

use super::productions::{Node, Place, Productions, RecordBody};
use super::seen::SeenSets;
use super::steps::Steps;
use crate::error::LimitError;

/// What a lexeme does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Effect {
    #[default]
    None,
    /// A record begins.
    Open,
    /// It ends.
    Close,
    /// A key that has no name: it must differ from those before it.
    OtherKey,
    /// A list begins whose elements must differ.
    OpenUnique,
    /// One more element of such a list must come.
    NextElement,
    /// A key must come next, and all that may come are of classes with few keys: one must be left in this record.
    MoreKeys(u32),
}

/// Whether any record may have two keys without a name.
pub(super) fn may_repeat_keys<'a>(mut records: impl Iterator<Item = &'a RecordBody>) -> bool {
    records.any(|record| !record.others.is_empty() && record.max != Some(1))
}

impl Productions {
    /// Whether the elements of some list must differ.
    pub(crate) fn has_unique_lists(&self) -> bool {
        self.lists.iter().any(|list| list.unique)
    }

    /// Whether an element of a list ends at a place whose elements must differ.
    pub(crate) fn is_behind_unique(&self, place: Place) -> bool {
        matches!(self.nodes[place.node as usize], Node::ListAfter(id) if self.lists[id as usize].unique)
    }

    /// What a terminal does that leads from one place to another.
    ///
    /// # Errors
    /// When it takes too long to find out how a record can be completed.
    pub(crate) fn effect(&self, from: Place, to: Place, seen: &SeenSets) -> Result<Effect, LimitError> {
        if !self.remembers {
            return Ok(Effect::None);
        }
        Ok(match (&self.nodes[from.node as usize], &self.nodes[to.node as usize]) {
            (_, Node::ListFirst(id)) if self.lists[*id as usize].unique => Effect::OpenUnique,
            (Node::ListAfter(id), Node::ListItem(_)) if self.lists[*id as usize].unique => Effect::NextElement,
            (_, Node::RecordFirst(_)) => Effect::Open,
            (_, Node::OtherAssign(..)) => Effect::OtherKey,
            (Node::RecordFirst(id) | Node::RecordAfter(id), _) if to.node == self.records[*id as usize].exit => {
                Effect::Close
            }
            (Node::RecordAfter(id), Node::RecordKey(_)) => {
                let body = &self.records[*id as usize];
                let is_short = body.n_words.is_some();
                match is_short && body.keys_to_come(from.register, seen, &mut Steps::new(self.max_steps))?.is_none() {
                    true => Effect::MoreKeys(*id),
                    false => Effect::None,
                }
            }
            _ => Effect::None,
        })
    }
}
