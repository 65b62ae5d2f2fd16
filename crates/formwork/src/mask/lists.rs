//! Which long lists of tokens come again, whatever the grammar? One allocation for each, and a row where it pays.
//!
//! What may follow a string is some 900 tokens, and in nearly all grammars it is one of a few lists: a list is known by the
//! few dozen rests that its tokens have behind the closing quote, so it need not be made to be found. Setting so many bits
//! costs more than copying a row. So a row and a long list that are met together a second time become a row of their own.

use std::sync::{Arc, Mutex, PoisonError};

use fixedbitset::FixedBitSet;

use super::Table;
use crate::hash::{HashMap, HashSet};
use crate::vocabulary::TokenMask;
use crate::vocabulary::strings::BodyTable;
use crate::vocabulary::token_mask::set_bit;

/// Shorter lists stay lists.
const LONG: usize = 192;
/// Lists kept; beyond it they are found anew.
const MAX_LISTS: usize = 512;
/// Pairs kept, of which as many rows may be made.
const MAX_PAIRS: usize = 192;

/// Exits of a string table with some rests, by token in rising order.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) tokens: Arc<[u32]>,
    /// Those that begin with the closing quote.
    pub(super) closing: Arc<[u32]>,
    /// The others.
    pub(super) open: Arc<[u32]>,
    /// Number of each token's prefix.
    pub(super) prefixes: Arc<[u32]>,
    /// The tokens that some pasts do not allow.
    pub(super) doubtful: Arc<[u32]>,
}

impl Taken {
    fn new(rests: &[u32], table: &BodyTable) -> Taken {
        let mut taken = FixedBitSet::with_capacity(table.exits.len());
        rests.iter().flat_map(|rest| table.exits_before(*rest)).for_each(|exit| taken.insert(*exit as usize));
        // The exits of a table are in the order of their tokens.
        let exits = || taken.ones().map(|exit| table.exits[exit]);
        let empty = table.prefixes.root_values().first();
        let (closing, open): (Vec<_>, Vec<_>) = exits().partition(|(_, prefix)| Some(prefix) == empty);
        let tokens = |exits: Vec<(u32, u32)>| exits.into_iter().map(|(token, _)| token).collect();
        Taken {
            tokens: exits().map(|(token, _)| token).collect(),
            closing: tokens(closing),
            open: tokens(open),
            prefixes: exits().map(|(_, prefix)| prefix).collect(),
            doubtful: Arc::default(),
        }
    }
}

/// Exits by the rests that they have, long lists by their tokens, and rows that have one in.
#[derive(Debug, Default)]
pub(crate) struct Lists(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    taken: HashMap<(Table, Box<[u32]>), Arc<Taken>>,
    lists: HashSet<Arc<[u32]>>,
    /// By the addresses of row and list, which stay allocated as long as the pair is known.
    pairs: HashMap<(usize, usize), Pair>,
}

#[derive(Debug)]
struct Pair {
    _row: Arc<[u32]>,
    _list: Arc<[u32]>,
    /// Made when the pair is met again.
    both: Option<Arc<[u32]>>,
}

impl Lists {
    /// The exits of a table that have one of some rests, given by their numbers in rising order, each once.
    pub(super) fn taken(&self, table: Table, rests: Vec<u32>, body: &BodyTable) -> Arc<Taken> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (table, rests.into_boxed_slice());
        if let Some(taken) = known.taken.get(&key) {
            return Arc::clone(taken);
        }
        if known.taken.len() >= MAX_LISTS {
            known.taken.clear();
        }
        let mut taken = Taken::new(&key.1, body);
        taken.tokens = known.share(taken.tokens);
        taken.closing = known.share(taken.closing);
        taken.open = known.share(taken.open);
        let taken = Arc::new(taken);
        known.taken.insert(key, Arc::clone(&taken));
        taken
    }

    /// The same mask, with a long list in its row if it is `common`, a row of the vocabulary, and was met with the list
    /// before. Pairs with other rows do not come again so often that making a row of them would pay.
    pub(super) fn in_row(&self, mask: TokenMask, common: &Arc<[u32]>) -> TokenMask {
        // A list that nobody else holds will not be met again.
        let is_shared = |list: &Arc<[u32]>| list.len() >= LONG && Arc::strong_count(list) > 1;
        let Some(at) = mask.lists().iter().position(is_shared) else { return mask };
        if !mask.base().is_some_and(|row| Arc::ptr_eq(row, common)) {
            return mask;
        }
        let Some(row) = self.row(common, &mask.lists()[at]) else { return mask };
        let mut rest = mask.lists().clone();
        rest.remove(at);
        TokenMask::new(mask.n_words(), Some(row), rest, mask.removed())
    }

    /// A row with the bits of `row` and of `list`, if both were met together before.
    fn row(&self, row: &Arc<[u32]>, list: &Arc<[u32]>) -> Option<Arc<[u32]>> {
        let key = (row.as_ptr().addr(), list.as_ptr().addr());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = known.pairs.get_mut(&key) {
            let both = pair.both.get_or_insert_with(|| {
                let mut both = row.to_vec();
                list.iter().for_each(|token| set_bit(&mut both, *token));
                both.into()
            });
            return Some(Arc::clone(both));
        }
        known.make_room();
        known.pairs.insert(key, Pair { _row: Arc::clone(row), _list: Arc::clone(list), both: None });
        None
    }
}

impl Known {
    /// The tokens in the allocation that all who have the same ones share, if they are many.
    fn share(&mut self, tokens: Arc<[u32]>) -> Arc<[u32]> {
        if tokens.len() < LONG {
            return tokens;
        }
        if let Some(shared) = self.lists.get(&tokens) {
            return Arc::clone(shared);
        }
        if self.lists.len() >= MAX_LISTS {
            self.lists.clear();
        }
        self.lists.insert(Arc::clone(&tokens));
        tokens
    }

    fn make_room(&mut self) {
        if self.pairs.len() >= MAX_PAIRS {
            self.pairs.retain(|_, pair| pair.both.as_ref().is_some_and(|both| Arc::strong_count(both) > 1));
        }
        // Where nearly all are in use, new ones must have a chance as well.
        if self.pairs.len() >= MAX_PAIRS / 2 {
            self.pairs.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(first: u32) -> Arc<[u32]> {
        (0..LONG as u32 + 8).map(|at| first + 3 * at).collect()
    }

    fn share(lists: &Lists, tokens: Arc<[u32]>) -> Arc<[u32]> {
        lists.0.lock().unwrap().share(tokens)
    }

    #[test]
    fn a_pair_that_comes_again_is_a_row_of_both() {
        let lists = Lists::default();
        let list = share(&lists, tokens(5));
        assert!(Arc::ptr_eq(&list, &share(&lists, tokens(5))));
        let row: Arc<[u32]> = vec![1; 64].into();
        assert!(lists.row(&row, &list).is_none());
        let both = lists.row(&row, &list).unwrap();
        for id in 0..64 * 32 {
            let expected = id % 32 == 0 || list.binary_search(&id).is_ok();
            assert_eq!(both[id as usize / 32] >> (id % 32) & 1 == 1, expected, "{id}");
        }
        assert!(Arc::ptr_eq(&both, &lists.row(&row, &list).unwrap()));
        let other: Arc<[u32]> = vec![0; 64].into();
        assert!(lists.row(&other, &list).is_none());
        assert_eq!(lists.row(&other, &list).unwrap().iter().map(|word| word.count_ones()).sum::<u32>(), 200);
    }

    #[test]
    fn no_more_is_kept_than_the_bounds() {
        let lists = Lists::default();
        let mut held = Vec::new();
        let row: Arc<[u32]> = vec![0; 90].into();
        for first in 0..3 * MAX_LISTS as u32 {
            let list = share(&lists, tokens(first));
            held.extend(lists.row(&row, &list));
            held.extend(lists.row(&row, &list));
            let known = lists.0.lock().unwrap();
            assert!(known.lists.len() <= MAX_LISTS && known.pairs.len() <= MAX_PAIRS);
        }
        assert_eq!(held.len(), 3 * MAX_LISTS);
    }
}
