//! Which tokens do several ways on allow together? One mask of many parts, with rows that are made once.
//!
//! What may come before a value is mostly the same few wide rows: tokens that begin a string, blanks, digits. Their unions
//! are kept, so that a mask of several of them is again one shared row and a short list.

use std::sync::{Arc, Mutex, PoisonError};

use smallvec::SmallVec;

use crate::hash::HashMap;
use crate::vocabulary::TokenMask;

/// Unions kept; beyond it they are made anew.
const MAX_UNIONS: usize = 256;

/// Rows, and their union.
type Union = (SmallVec<[Arc<[u32]>; 3]>, Arc<[u32]>);

/// Unions of rows, by the addresses of the rows, which stay allocated as long as their union.
#[derive(Debug, Default)]
pub(crate) struct Unions(Mutex<HashMap<SmallVec<[usize; 3]>, Union>>);

impl Unions {
    fn of(&self, mut rows: SmallVec<[Arc<[u32]>; 3]>) -> Option<Arc<[u32]>> {
        rows.sort_unstable_by_key(|row| row.as_ptr().addr());
        rows.dedup_by(|a, b| Arc::ptr_eq(a, b));
        if rows.len() <= 1 {
            return rows.pop();
        }
        let key: SmallVec<[usize; 3]> = rows.iter().map(|row| row.as_ptr().addr()).collect();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, union)) = known.get(&key) {
            return Some(Arc::clone(union));
        }
        let mut union = rows[0].to_vec();
        for row in &rows[1..] {
            union.iter_mut().zip(row.iter()).for_each(|(word, other)| *word |= other);
        }
        if known.len() >= MAX_UNIONS {
            known.retain(|_, (_, union)| Arc::strong_count(union) > 1);
        }
        if known.len() >= MAX_UNIONS {
            known.clear();
        }
        let union: Arc<[u32]> = union.into();
        known.insert(key, (rows, Arc::clone(&union)));
        Some(union)
    }

    /// The mask of all tokens of `masks` and `ids`, which are put in order.
    pub(super) fn join(&self, n_words: usize, masks: &[TokenMask], ids: &mut Vec<u32>) -> TokenMask {
        let n_parts = masks.len() + usize::from(!ids.is_empty());
        if let ([mask], 1) = (masks, n_parts) {
            return mask.clone();
        }
        ids.sort_unstable();
        ids.dedup();
        let base = self.of(masks.iter().filter_map(|mask| mask.base().cloned()).collect());
        // What one mask takes out of its row stays out if nothing else brings it in.
        let mut removed = Vec::new();
        for (index, mask) in masks.iter().enumerate() {
            let is_out = |id: &&u32| {
                let mut others = masks.iter().enumerate().filter(|(other, _)| *other != index);
                !others.any(|(_, other)| other.contains_id(**id)) && ids.binary_search(id).is_err()
            };
            removed.extend(mask.removed().iter().filter(is_out));
        }
        removed.sort_unstable();
        removed.dedup();
        let lists = masks.iter().flat_map(|mask| mask.lists().iter().cloned());
        let ids = (!ids.is_empty()).then(|| ids.as_slice().into());
        TokenMask::new(n_words, base, lists.chain(ids).collect(), removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TokenId;

    /// The union of every way to cut three sets into rows and differences is their union, token by token.
    #[test]
    fn joined_masks_allow_what_any_of_them_allows() {
        let rows: Vec<Arc<[u32]>> =
            [0x0000_ffffu32, 0x00ff_ff00, 0xffff_ffff].map(|row| vec![row, row].into()).to_vec();
        let mask = |base: Option<usize>, added: &[u32], removed: &[u32]| {
            let lists = SmallVec::from_iter([added.into()]);
            TokenMask::new(2, base.map(|base| Arc::clone(&rows[base])), lists, removed.to_vec())
        };
        let masks = [
            mask(Some(0), &[40, 60], &[1, 9, 33]),
            mask(Some(0), &[], &[2, 9]),
            mask(None, &[9, 10, 13, 62], &[10, 13]),
            mask(Some(1), &[1], &[9, 10, 12]),
            mask(None, &[3, 12, 63], &[]),
            mask(Some(2), &[], &[5, 9, 31, 63]),
        ];
        let unions = Unions::default();
        for chosen in 1u32..1 << masks.len() {
            let parts: Vec<TokenMask> =
                masks.iter().enumerate().filter(|(i, _)| chosen >> i & 1 == 1).map(|(_, mask)| mask.clone()).collect();
            let joined = unions.join(2, &parts, &mut vec![50, 4]);
            let mut row = [0; 2];
            joined.write_to(&mut row);
            let n_allowed = row.iter().map(|word| word.count_ones() as usize).sum::<usize>();
            assert_eq!(joined.n_allowed(), n_allowed, "{chosen:b}");
            for token in (0..64).map(TokenId::new) {
                let expected = [4, 50].contains(&token.get()) || parts.iter().any(|mask| mask.contains(token));
                assert_eq!(joined.contains(token), expected, "{token} of {chosen:b}");
                assert_eq!(row[token.index() / 32] >> (token.index() % 32) & 1 == 1, expected, "{token} of {chosen:b}");
            }
        }
    }
}
