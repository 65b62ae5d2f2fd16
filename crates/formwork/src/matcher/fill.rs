//! Say which tokens may come next.

use std::sync::atomic::Ordering;

use super::Matcher;
use crate::error::MatchError;
use crate::vocabulary::{MaskRow, TokenMask};

impl Matcher {
    /// Writes the mask of the tokens that may come next: bit `id % 32` of word `id / 32`. Words beyond the
    /// vocabulary are set to zero.
    ///
    /// # Errors
    /// [`MatchError::BufferTooShort`], or a limit.
    pub fn fill_mask(&mut self, mask: &mut [u32]) -> Result<(), MatchError> {
        let needed = self.grammar.vocabulary().mask_words();
        if mask.len() < needed {
            return Err(MatchError::BufferTooShort { actual: mask.len(), needed });
        }
        self.mask()?.write_to(mask);
        Ok(())
    }

    /// Writes the mask into a row that remembers what it holds: where masks that follow each other differ in few tokens,
    /// only those bits are written.
    ///
    /// # Errors
    /// As [`fill_mask`](Matcher::fill_mask).
    pub fn fill_row(&mut self, row: &mut MaskRow) -> Result<(), MatchError> {
        let needed = self.grammar.vocabulary().mask_words();
        if row.words().len() < needed {
            return Err(MatchError::BufferTooShort { actual: row.words().len(), needed });
        }
        row.write(&self.mask()?);
        Ok(())
    }

    /// The mask as a compact, shared value: no row is copied.
    ///
    /// # Errors
    /// A limit; [`MatchError::Stopped`] behind a stop token.
    pub fn mask(&mut self) -> Result<TokenMask, MatchError> {
        if self.stopped {
            return Err(MatchError::Stopped);
        }
        if let Some(mask) = self.known_mask() {
            return Ok(mask);
        }
        self.grammar.mask_misses.fetch_add(1, Ordering::Relaxed);
        self.renew()?;
        let mask = self.write().mask(self.handle)?;
        Ok(mask)
    }

    /// The mask if nothing needs to be worked out for it.
    pub(super) fn known_mask(&self) -> Option<TokenMask> {
        if self.stopped {
            return None;
        }
        let mask = self.read().known_mask(self.handle).cloned()?;
        self.grammar.mask_hits.fetch_add(1, Ordering::Relaxed);
        Some(mask)
    }
}
