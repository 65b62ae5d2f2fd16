//! What must be rewritten for the next mask? A row that remembers which one it holds.

use std::sync::Arc;

use super::TokenMask;
use super::token_mask::{clear_bit, has_bit, set_bit};

/// A row of bits of the vocabulary's full width that remembers which mask it holds.
///
/// A row of 200,000 bits is 25 kB, and copying them is most of what a known mask costs. Masks that follow each other
/// mostly differ in few tokens, so a row that is used again and again changes only there. Bit `id % 32` of word `id / 32`
/// is token `id`.
///
/// ```
/// use formwork::{Compiler, Grammar, MaskRow, TokenId, Vocabulary};
///
/// let vocabulary = Vocabulary::from_tokens(["a", "b", "ab", "</s>"], &[TokenId::new(3)])?;
/// let compiler = Compiler::builder(vocabulary).build();
/// let grammar = compiler.compile(&Grammar::regex("a+b"))?;
/// let mut matcher = grammar.matcher();
/// let mut row = MaskRow::new(compiler.vocabulary().mask_words());
/// matcher.fill_row(&mut row)?;
/// assert_eq!(row.words(), [0b0101]);
/// matcher.accept_token(TokenId::new(0))?;
/// matcher.fill_row(&mut row)?;
/// assert_eq!(row.words(), [0b0111]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MaskRow {
    words: Box<[u32]>,
    /// What the words say; `None` is a row of zeros.
    held: Option<TokenMask>,
}

impl MaskRow {
    /// A row of `n_words` zeros.
    pub fn new(n_words: usize) -> MaskRow {
        MaskRow { words: vec![0; n_words].into(), held: None }
    }

    /// The bits.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Makes the row say what `mask` says. O(tokens in which the masks differ from a row that they share), or O(words).
    ///
    /// # Panics
    /// When the row is shorter than the mask.
    pub fn write(&mut self, mask: &TokenMask) {
        let held = self.held.as_ref();
        if held.is_some_and(|held| held.is_same(mask)) {
            return;
        }
        let base_of = |mask: &TokenMask| mask.base().map(Arc::as_ptr);
        let shares = held.map_or(mask.base().is_none(), |held| base_of(held) == base_of(mask));
        let n_changes = held.map_or(0, TokenMask::n_differences) + mask.n_differences();
        // One bit costs as much as some 16 words in a row.
        if !shares || 16 * n_changes > self.words.len() {
            mask.write_to(&mut self.words);
        } else {
            if let Some(held) = held {
                let base: &[u32] = held.base().map_or(&[], |base| base);
                let extra = held.lists().iter().flat_map(|list| list.iter()).filter(|id| !has_bit(base, **id));
                extra.for_each(|id| clear_bit(&mut self.words, *id));
                let missing = held.removed().iter().filter(|id| has_bit(base, **id));
                missing.for_each(|id| set_bit(&mut self.words, *id));
            }
            mask.write_differences(&mut self.words);
        }
        self.held = Some(mask.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smallvec::SmallVec;

    #[test]
    fn a_row_says_what_the_last_mask_says_whatever_it_held_before() {
        let bases: Vec<Arc<[u32]>> = [0x0f0f_0f0f, u32::MAX].map(|word| vec![word; 300].into()).to_vec();
        let mut masks = Vec::new();
        for (base, added) in [(None, vec![]), (None, vec![5, 9_000]), (Some(0), vec![]), (Some(0), vec![0, 4, 70])] {
            for n_removed in [0, 1, 3, 400] {
                let base: Option<&Arc<[u32]>> = base.map(|base: usize| &bases[base]);
                let removed: Vec<u32> = base.map_or(Vec::new(), |_| (0..n_removed).map(|at| 8 * at + 2).collect());
                let lists = SmallVec::from_iter([added.clone().into()]);
                masks.push(TokenMask::new(300, base.cloned(), lists, removed));
                // What is taken out of a list may be in the row, or not.
                let lists = SmallVec::from_iter([vec![3, 4, 5, 9_000].into()]);
                masks.push(TokenMask::new(300, base.cloned(), lists, vec![4, 5]));
            }
        }
        masks.push(TokenMask::new(300, Some(Arc::clone(&bases[1])), SmallVec::new(), vec![31, 32]));
        let mut row = MaskRow::new(301);
        let mut expected = vec![0; 301];
        for (step, mask) in (0..2_000).map(|step: usize| (step, &masks[(step * step * 7 + step / 3) % masks.len()])) {
            row.write(mask);
            mask.write_to(&mut expected);
            assert_eq!(row.words(), expected, "step {step}");
        }
    }
}
