//! Which of a record's keys were written? Interned sets, for records whose keys come in any order.

use fixedbitset::FixedBitSet;

use crate::hash::Numbered;

/// Number of a set; 0 is the empty one.
pub(crate) type SeenId = u32;

/// Sets of key indices, numbered.
#[derive(Debug)]
pub(crate) struct SeenSets {
    sets: Numbered<FixedBitSet>,
    n_bytes: usize,
}

impl Default for SeenSets {
    fn default() -> SeenSets {
        SeenSets { sets: Numbered::from_iter([FixedBitSet::new()]), n_bytes: 0 }
    }
}

impl SeenSets {
    /// The set without a key.
    pub(crate) const EMPTY: SeenId = 0;

    pub(crate) fn get(&self, id: SeenId) -> &FixedBitSet {
        &self.sets[id as usize]
    }

    /// The set with one more key.
    pub(crate) fn with(&mut self, id: SeenId, key: u32) -> SeenId {
        let mut set = self.sets[id as usize].clone();
        set.grow(key as usize + 1);
        set.insert(key as usize);
        self.intern(set)
    }

    /// The number of the set of these keys.
    pub(crate) fn of(&mut self, keys: impl Iterator<Item = u32>) -> SeenId {
        let mut set = FixedBitSet::new();
        for key in keys {
            set.grow(key as usize + 1);
            set.insert(key as usize);
        }
        self.intern(set)
    }

    /// The number of a set. Sets are equal only when they have equal capacity: it must be that of the greatest key.
    pub(crate) fn intern(&mut self, set: FixedBitSet) -> SeenId {
        if set.is_empty() {
            return SeenSets::EMPTY;
        }
        let n_bytes = set.len() / 8 + 64;
        let (id, is_new) = self.sets.insert_full(set);
        self.n_bytes += if is_new { n_bytes } else { 0 };
        id as SeenId
    }

    /// Bytes held, about.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_makes_no_difference() {
        let mut sets = SeenSets::default();
        let a = sets.with(0, 3);
        let ab = sets.with(a, 100);
        let b = sets.with(0, 100);
        assert_eq!(sets.with(b, 3), ab);
        assert_ne!(a, b);
        assert!(sets.get(ab).contains(3) && !sets.get(a).contains(100));
    }
}
