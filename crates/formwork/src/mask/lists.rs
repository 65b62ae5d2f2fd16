//! Which long lists of tokens come again, whatever the grammar? One allocation for each, and a row where it pays.
//!
//! What may follow a string is some 900 tokens, and in nearly all grammars it is one of a few lists: a list is known by the
//! few dozen rests that its tokens have behind the closing quote, so it need not be made to be found. Setting so many bits
//! costs more than copying a row. So a row and a long list that are met together often become a row of their own.

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
/// A pair that is met for so many times becomes a row.
const OFTEN: u32 = 3;

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
    /// Halved whenever there is no room for another pair.
    n_met: u32,
    /// Made when the pair is met often.
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

    /// The same mask, with those long lists in its row that are often met with it.
    pub(super) fn in_row(&self, mask: TokenMask) -> TokenMask {
        // A list that nobody else holds will not be met again.
        let is_shared = |list: &Arc<[u32]>| list.len() >= LONG && Arc::strong_count(list) > 1;
        let Some(base) = mask.base().filter(|_| mask.lists().iter().any(is_shared)) else { return mask };
        let mut row = Arc::clone(base);
        let mut lists = mask.lists().clone();
        lists.retain(|list| {
            let Some(both) = is_shared(list).then(|| self.row(&row, list)).flatten() else { return true };
            row = both;
            false
        });
        match Arc::ptr_eq(&row, base) {
            true => mask,
            false => TokenMask::new(mask.n_words(), Some(row), lists, mask.removed()),
        }
    }

    /// A row with the bits of `row` and of `list`, if both were often met together.
    fn row(&self, row: &Arc<[u32]>, list: &Arc<[u32]>) -> Option<Arc<[u32]>> {
        let key = (row.as_ptr().addr(), list.as_ptr().addr());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.pairs.contains_key(&key) {
            known.make_room();
        }
        let new = || Pair { _row: Arc::clone(row), _list: Arc::clone(list), n_met: 0, both: None };
        let pair = known.pairs.entry(key).or_insert_with(new);
        pair.n_met = pair.n_met.saturating_add(1);
        if pair.n_met < OFTEN {
            return pair.both.clone();
        }
        let both = pair.both.get_or_insert_with(|| {
            let mut both = row.to_vec();
            list.iter().for_each(|token| set_bit(&mut both, *token));
            both.into()
        });
        Some(Arc::clone(both))
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

    /// Most rows are of one grammar and not met again when it is gone: the pairs that are met most stay.
    fn make_room(&mut self) {
        while self.pairs.len() >= MAX_PAIRS {
            self.pairs.retain(|_, pair| {
                pair.n_met /= 2;
                pair.n_met > 0
            });
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

    fn row(lists: &Lists, row: &Arc<[u32]>, list: &Arc<[u32]>) -> Arc<[u32]> {
        (1..OFTEN).for_each(|_| assert!(lists.row(row, list).is_none()));
        lists.row(row, list).unwrap()
    }

    #[test]
    fn a_pair_that_comes_often_is_a_row_of_both() {
        let lists = Lists::default();
        let list = share(&lists, tokens(5));
        assert!(Arc::ptr_eq(&list, &share(&lists, tokens(5))));
        let ones: Arc<[u32]> = vec![1; 64].into();
        let both = row(&lists, &ones, &list);
        for id in 0..64 * 32 {
            let expected = id % 32 == 0 || list.binary_search(&id).is_ok();
            assert_eq!(both[id as usize / 32] >> (id % 32) & 1 == 1, expected, "{id}");
        }
        assert!(Arc::ptr_eq(&both, &lists.row(&ones, &list).unwrap()));
        let other: Arc<[u32]> = vec![0; 64].into();
        assert_eq!(row(&lists, &other, &list).iter().map(|word| word.count_ones()).sum::<u32>(), 200);
    }

    /// All long lists of a mask go into its row, in whichever of them it is met first.
    #[test]
    fn a_mask_says_the_same_with_its_lists_in_the_row() {
        let lists = Lists::default();
        let base: Arc<[u32]> = vec![0x8000_0000; 64].into();
        let long = [share(&lists, tokens(1)), share(&lists, tokens(6))];
        let short: Arc<[u32]> = vec![2, 4].into();
        let of = [Arc::clone(&long[0]), Arc::clone(&short), Arc::clone(&long[1])];
        let mask = TokenMask::new(64, Some(Arc::clone(&base)), of.into_iter().collect(), vec![4, 31, 63]);
        // The second long list meets the row of the first one for the first time when that is made.
        for n_lists in [3, 3, 2, 2, 1, 1] {
            let in_row = lists.in_row(mask.clone());
            assert_eq!((in_row.lists().len(), &in_row), (n_lists, &mask));
        }
    }

    #[test]
    fn no_more_is_kept_than_the_bounds() {
        let lists = Lists::default();
        let often = [share(&lists, tokens(0)), vec![7; 90].into()];
        let both = row(&lists, &often[1], &often[0]);
        let mut held = Vec::new();
        let zeros: Arc<[u32]> = vec![0; 90].into();
        for first in 1..3 * MAX_LISTS as u32 {
            let list = share(&lists, tokens(first));
            held.push(row(&lists, &zeros, &list));
            // What is met with every list is not lost among them.
            assert!(Arc::ptr_eq(&both, &lists.row(&often[1], &often[0]).unwrap()));
            let known = lists.0.lock().unwrap();
            assert!(known.lists.len() <= MAX_LISTS && known.pairs.len() <= MAX_PAIRS);
        }
    }
}
