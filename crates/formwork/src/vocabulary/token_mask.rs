//! How is a set of tokens kept small? A shared row of bits and the few ids by which it differs.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use crate::ids::TokenId;

/// Lists of tokens, each in rising order.
pub(crate) type Lists = SmallVec<[Arc<[u32]>; 2]>;

/// Lists of one mask; more are merged.
const MAX_LISTS: usize = 6;

/// The tokens allowed at one point, in compact form: shared, immutable, cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenMask(Arc<Body>);

#[derive(Debug)]
struct Body {
    n_words: usize,
    base: Option<Arc<[u32]>>,
    /// Allowed but for `removed`, in the base or not; lists that many masks share.
    lists: Lists,
    /// Not allowed, though the base or a list may have them; in rising order.
    removed: Arc<[u32]>,
    /// Allowed and not in the base, in rising order; made when first asked for.
    added: OnceLock<Box<[u32]>>,
}

/// Masks of the same tokens are equal, whatever rows they are kept as differences to. O(words).
impl PartialEq for TokenMask {
    fn eq(&self, other: &TokenMask) -> bool {
        let words = |mask: &TokenMask| {
            let mut words = vec![0; mask.n_words()];
            mask.write_to(&mut words);
            words
        };
        self.n_words() == other.n_words() && (self.is_same(other) || words(self) == words(other))
    }
}

impl Eq for TokenMask {}

impl TokenMask {
    /// A mask of `n_words` words: the base, or no token, and what differs from it. What is `removed`, in rising order, is
    /// taken out of base and lists.
    pub(crate) fn new(
        n_words: usize,
        base: Option<Arc<[u32]>>,
        mut lists: Lists,
        removed: impl Into<Arc<[u32]>>,
    ) -> TokenMask {
        let removed = removed.into();
        debug_assert!(lists.iter().all(|list| list.is_sorted()) && removed.is_sorted());
        lists.retain(|list| !list.is_empty());
        if lists.len() > MAX_LISTS {
            lists = SmallVec::from_iter([merge(&lists).into()]);
        }
        TokenMask(Arc::new(Body { n_words, base, lists, removed, added: OnceLock::new() }))
    }

    /// The tokens whose bits are set: bit `id % 32` of word `id / 32`. For constraints other than a matcher.
    pub fn from_words(words: &[u32]) -> TokenMask {
        TokenMask::from_row(words, None)
    }

    /// Exactly these tokens, in rising order.
    pub(crate) fn from_sorted(n_words: usize, tokens: Arc<[u32]>) -> TokenMask {
        TokenMask::new(n_words, None, SmallVec::from_iter([tokens]), Vec::new())
    }

    /// The smallest of: a list of ids, a difference to `reference`, the row itself.
    pub(crate) fn from_row(row: &[u32], reference: Option<&Arc<[u32]>>) -> TokenMask {
        /// A list of ids pays up to this many: setting them costs less than copying a row.
        const FEW: usize = 256;
        let nothing = [0; CHUNK];
        if let Some(ids) = few_ones(row.chunks(CHUNK).map(|words| (words, &nothing[..words.len()])), FEW) {
            return TokenMask::from_sorted(row.len(), ids.into());
        }
        if let Some(reference) = reference {
            let pairs = row.chunks(CHUNK).zip(reference.chunks(CHUNK));
            if let Some(added) = few_ones(pairs.clone(), FEW)
                && let Some(removed) = few_ones(pairs.map(|(row, base)| (base, row)), FEW - added.len())
            {
                let lists = SmallVec::from_iter([added.into()]);
                return TokenMask::new(row.len(), Some(Arc::clone(reference)), lists, removed);
            }
        }
        TokenMask::new(row.len(), Some(row.into()), Lists::new(), Vec::new())
    }

    /// The mask less these tokens, of which some may be no tokens of it. O(words).
    pub fn without(&self, tokens: impl IntoIterator<Item = TokenId>) -> TokenMask {
        let mut row = vec![0; self.0.n_words];
        self.write_to(&mut row);
        let inside = tokens.into_iter().filter(|token| token.index() / 32 < self.0.n_words);
        inside.for_each(|token| clear_bit(&mut row, token.get()));
        TokenMask::from_row(&row, self.0.base.as_ref())
    }

    /// Whether a token is allowed.
    pub fn contains(&self, token: TokenId) -> bool {
        self.contains_id(token.get())
    }

    pub(crate) fn contains_id(&self, id: u32) -> bool {
        let in_list = || self.0.lists.iter().any(|list| list.binary_search(&id).is_ok());
        self.0.removed.binary_search(&id).is_err() && (self.is_in_base(id) || in_list())
    }

    /// A row with the tokens of any of these, of which there is one at least. O(masks * words).
    pub(crate) fn row_of_all(masks: &[TokenMask]) -> Vec<u32> {
        let mut all = vec![0; masks.iter().map(TokenMask::n_words).max().unwrap_or(0)];
        let mut row = all.clone();
        for mask in masks {
            mask.write_to(&mut row);
            all.iter_mut().zip(&row).for_each(|(all, word)| *all |= word);
        }
        all
    }

    fn is_in_base(&self, id: u32) -> bool {
        self.0.base.as_ref().is_some_and(|base| has_bit(base, id))
    }

    /// How many words of 32 bits its row has.
    pub fn n_words(&self) -> usize {
        self.0.n_words
    }

    /// How many tokens are allowed. O(words).
    pub fn n_allowed(&self) -> usize {
        let base = self.0.base.as_ref().map_or(0, |base| base.iter().map(|word| word.count_ones() as usize).sum());
        let n_removed = self.removed().iter().filter(|id| self.is_in_base(**id)).count();
        base + self.added().len() - n_removed
    }

    /// The allowed tokens in rising order. O(words).
    pub fn iter(&self) -> impl Iterator<Item = TokenId> {
        let mut words = vec![0; self.0.n_words];
        self.write_to(&mut words);
        (0..words.len() as u32 * 32).filter(move |id| has_bit(&words, *id)).map(TokenId::new)
    }

    /// Writes the mask as packed bits into `words`, zero beyond its end.
    ///
    /// # Panics
    /// When `words` is shorter than the vocabulary's `mask_words`.
    pub fn write_to(&self, words: &mut [u32]) {
        let (row, rest) = words.split_at_mut(self.0.n_words);
        match &self.0.base {
            Some(base) => row.copy_from_slice(base),
            None => row.fill(0),
        }
        rest.fill(0);
        self.write_differences(row);
    }

    /// Changes a row that is the base, or zeros, to the mask.
    pub(super) fn write_differences(&self, row: &mut [u32]) {
        self.0.lists.iter().flat_map(|list| list.iter()).for_each(|id| set_bit(row, *id));
        self.0.removed.iter().for_each(|id| clear_bit(row, *id));
    }

    /// Bits that [`write_differences`](TokenMask::write_differences) writes.
    pub(super) fn n_differences(&self) -> usize {
        self.0.lists.iter().map(|list| list.len()).sum::<usize>() + self.0.removed.len()
    }

    /// Whether both are clones of one mask.
    pub(super) fn is_same(&self, other: &TokenMask) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The row that the mask is a difference to. Masks that share a row share its allocation, so a caller can keep rows on
    /// a device and send only [`TokenMask::added`] and [`TokenMask::removed`].
    pub fn base(&self) -> Option<&Arc<[u32]>> {
        self.0.base.as_ref()
    }

    /// Allowed tokens that are not in the base, in rising order. Put together when first asked for.
    pub fn added(&self) -> &[u32] {
        self.0.added.get_or_init(|| {
            let mut added = merge(&self.0.lists);
            added.retain(|id| !self.is_in_base(*id) && self.0.removed.binary_search(id).is_err());
            added.into()
        })
    }

    /// All allowed tokens but for those of the base, of which some may be in the lists as well; and some of
    /// [`removed`](TokenMask::removed).
    pub(crate) fn lists(&self) -> &Lists {
        &self.0.lists
    }

    /// Tokens of the base that are not allowed, in rising order; and maybe others that are not in it either.
    pub fn removed(&self) -> &[u32] {
        &self.0.removed
    }

    /// Bytes held, a base that may be shared counted in full.
    pub(crate) fn n_bytes_with_base(&self) -> usize {
        self.n_bytes() + self.0.base.as_ref().map_or(0, |base| 4 * base.len())
    }

    /// Bytes held, a shared base not counted.
    pub(crate) fn n_bytes(&self) -> usize {
        let lists: usize = self.0.lists.iter().map(|list| list.len()).sum();
        size_of::<Body>() + 4 * (lists + self.0.removed.len())
    }
}

/// The tokens of all lists, once each.
fn merge(lists: &[Arc<[u32]>]) -> Vec<u32> {
    let mut tokens: Vec<u32> = lists.iter().flat_map(|list| list.iter().copied()).collect();
    // Of a few lists in rising order this sort is a merge.
    tokens.sort();
    tokens.dedup();
    tokens
}

/// Whether bit `id` is set; bits beyond the end are not.
pub(crate) fn has_bit(words: &[u32], id: u32) -> bool {
    words.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)
}

/// Clears bit `id`, which must be inside.
pub(crate) fn clear_bit(words: &mut [u32], id: u32) {
    words[id as usize / 32] &= !(1 << (id % 32));
}

/// Sets bit `id`, which must be inside.
pub(crate) fn set_bit(words: &mut [u32], id: u32) {
    words[id as usize / 32] |= 1 << (id % 32);
}

/// Words looked at in one go: most chunks have nothing in them.
const CHUNK: usize = 16;

/// The bits of the first words of each pair that the second ones lack, if they are not more than `max`.
fn few_ones<'a>(pairs: impl Iterator<Item = (&'a [u32], &'a [u32])>, max: usize) -> Option<Vec<u32>> {
    let mut ids = Vec::new();
    for (index, (words, without)) in pairs.enumerate() {
        let any = words.iter().zip(without).fold(0, |any, (word, without)| any | word & !without);
        if any == 0 {
            continue;
        }
        let first = (index * CHUNK * 32) as u32;
        for (index, (word, without)) in words.iter().zip(without).enumerate() {
            let mut word = word & !without;
            while word != 0 {
                ids.push(first + 32 * index as u32 + word.trailing_zeros());
                word &= word - 1;
            }
        }
        if ids.len() > max {
            return None;
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_says_the_same() {
        let reference: Arc<[u32]> = vec![u32::MAX; 100].into();
        let mut row = reference.to_vec();
        row[3] = 0;
        row[99] = 1;
        for mask in [TokenMask::from_row(&row, None), TokenMask::from_row(&row, Some(&reference))] {
            let mut words = vec![7; 102];
            mask.write_to(&mut words);
            assert_eq!(words[..100], row);
            assert_eq!(words[100..], [0, 0]);
            assert_eq!(mask.n_allowed(), 98 * 32 + 1);
            assert_eq!(mask.iter().count(), mask.n_allowed());
            assert!(mask.iter().all(|token| mask.contains(token)));
            assert!(!mask.contains(TokenId::new(96)) && !mask.contains(TokenId::new(1 << 30)));
        }
        assert_eq!(TokenMask::from_row(&row, Some(&reference)).removed().len(), 63);
    }
}
