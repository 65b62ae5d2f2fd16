//! Where does whitespace between two lexemes lead? To the items whose part of the grammar allows it there.

use smallvec::SmallVec;

use super::item_set::{Item, Parser, SetId};
use crate::grammar::{Spacing, Whitespace};

/// One way to read a byte of whitespace between two lexemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blank {
    /// The items that may come behind it.
    pub(crate) set: SetId,
    /// The count behind it.
    pub(crate) n_blank: u32,
    /// Bytes of whitespace that may stand here, this one included.
    pub(crate) room: u32,
}

impl Blank {
    fn new(set: SetId, whitespace: Whitespace, n_blank: u32) -> Option<Blank> {
        match whitespace.max {
            Some(max) => (n_blank < max).then(|| Blank { set, n_blank: n_blank + 1, room: max - n_blank }),
            // More make no difference.
            None => Some(Blank { set, n_blank: u32::from(!whitespace.surrounding), room: u32::MAX }),
        }
    }
}

impl Parser {
    /// Whether one more byte of whitespace may stand here.
    pub(crate) fn takes_blank(&self, set: SetId, n_blank: u32) -> bool {
        let spacing = &self.productions.spacing;
        match spacing {
            Spacing::Same(None) => false,
            Spacing::Same(Some(whitespace)) => self.blank_in(set, *whitespace, n_blank).is_some(),
            Spacing::ByNode { .. } => self.items(set).iter().any(|item| {
                spacing.kind(spacing.of(item.place.node)).is_some_and(|it| Blank::new(set, it, n_blank).is_some())
            }),
        }
    }

    /// All ways to read one more byte of whitespace: one at most, but where parts of the grammar that differ in it meet.
    pub(crate) fn blanks(&mut self, set: SetId, n_blank: u32) -> SmallVec<[Blank; 1]> {
        match &self.productions.spacing {
            Spacing::Same(None) => SmallVec::new(),
            Spacing::Same(Some(whitespace)) => self.blank_in(set, *whitespace, n_blank).into_iter().collect(),
            Spacing::ByNode { .. } => self.blanks_by_kind(set, n_blank),
        }
    }

    /// In a grammar that is alike everywhere.
    fn blank_in(&self, set: SetId, whitespace: Whitespace, n_blank: u32) -> Option<Blank> {
        let at_an_end = set == self.start() || self.is_last(set);
        if at_an_end && !whitespace.surrounding {
            return None;
        }
        Blank::new(set, whitespace, n_blank)
    }

    fn blanks_by_kind(&mut self, set: SetId, n_blank: u32) -> SmallVec<[Blank; 1]> {
        let mut blanks = SmallVec::new();
        for kind in 0..self.productions.spacing.n_kinds() {
            let Some(whitespace) = self.productions.spacing.kind(kind) else { continue };
            if let Some(blank) = Blank::new(set, whitespace, n_blank)
                && let Some(set) = self.items_of_kind(set, kind)
            {
                blanks.push(Blank { set, ..blank });
            }
        }
        blanks
    }

    /// The items of a set whose part of the grammar has this whitespace. The text cannot end behind it: what follows a part
    /// belongs to another.
    fn items_of_kind(&mut self, set: SetId, kind: u32) -> Option<SetId> {
        if let Some(known) = self.by_kind.get(&(set, kind)) {
            return *known;
        }
        let spacing = &self.productions.spacing;
        let of_kind = |item: &&Item| spacing.of(item.place.node) == kind;
        let items: Vec<Item> = self.items(set).iter().filter(of_kind).copied().collect();
        let found = (!items.is_empty()).then(|| self.intern(&items, false));
        self.by_kind.insert((set, kind), found);
        self.n_bytes += 32;
        found
    }
}
