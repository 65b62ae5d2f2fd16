//! What must a model runtime offer? The traits that candle, ONNX Runtime and others implement.

use formwork::{TokenId, TokenMask};

use crate::error::BackendError;

/// A causal language model with a cache of the positions it has seen.
///
/// One backend holds one sequence. What several sequences share (weights, a session) is the backend's own business;
/// a batched runtime hands out one of these per row or drives [`Sequence`](crate::Sequence)s itself.
///
/// After an error the cache holds what [`Backend::cached`] says, so a caller may go on.
pub trait Backend: Send {
    /// Feeds `tokens` after the cached ones in one pass and gives the logits that follow the last of them.
    ///
    /// The result may still be in the making on a device: nothing is copied to the host here.
    ///
    /// # Errors
    /// [`BackendError::NoTokens`], [`BackendError::ContextFull`], [`BackendError::TokenOutOfRange`], or what the
    /// runtime reports.
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError>;

    /// Like [`Backend::forward`], with the logits that follow each of the tokens: what checking a draft needs.
    ///
    /// The default makes one pass per token; a backend that can, makes one.
    ///
    /// # Errors
    /// As [`Backend::forward`].
    fn forward_each(&mut self, tokens: &[TokenId]) -> Result<Vec<Box<dyn Logits>>, BackendError> {
        tokens.iter().map(|token| self.forward(std::slice::from_ref(token))).collect()
    }

    /// The tokens whose positions are cached, first to last.
    fn cached(&self) -> &[TokenId];

    /// Forgets all positions from `n_positions` on; 0 starts anew. The next pass continues from there.
    ///
    /// # Errors
    /// [`BackendError::Truncate`] when fewer are cached, or what the runtime reports.
    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError>;

    /// How many logits a position has: the rows of the output matrix, which may be more than the vocabulary has ids.
    fn logits_width(&self) -> usize;

    /// How many positions the model can hold.
    fn context_length(&self) -> usize;

    /// Whether `tokens` can be fed now: what every backend has to know before a pass.
    ///
    /// # Errors
    /// [`BackendError::NoTokens`], [`BackendError::ContextFull`] or [`BackendError::TokenOutOfRange`].
    fn check_pass(&self, tokens: &[TokenId]) -> Result<(), BackendError> {
        check_tokens(tokens, self.cached().len(), self.context_length(), self.logits_width())
    }
}

/// Whether `tokens` can be fed behind `n_cached` positions.
pub(crate) fn check_tokens(
    tokens: &[TokenId],
    n_cached: usize,
    context_length: usize,
    width: usize,
) -> Result<(), BackendError> {
    if tokens.is_empty() {
        return Err(BackendError::NoTokens);
    }
    let needed = n_cached + tokens.len();
    if needed > context_length {
        return Err(BackendError::ContextFull { needed, context_length });
    }
    match tokens.iter().find(|token| token.index() >= width) {
        Some(&token) => Err(BackendError::TokenOutOfRange { token, width }),
        None => Ok(()),
    }
}

/// A borrowed backend, for what takes one by value.
impl<B: Backend + ?Sized> Backend for &mut B {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        (**self).forward(tokens)
    }

    fn forward_each(&mut self, tokens: &[TokenId]) -> Result<Vec<Box<dyn Logits>>, BackendError> {
        (**self).forward_each(tokens)
    }

    fn cached(&self) -> &[TokenId] {
        (**self).cached()
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        (**self).truncate(n_positions)
    }

    fn logits_width(&self) -> usize {
        (**self).logits_width()
    }

    fn context_length(&self) -> usize {
        (**self).context_length()
    }
}

/// The logits of one position, wherever they are.
pub trait Logits: Send {
    /// How many there are.
    fn width(&self) -> usize;

    /// Sets to −∞ every logit that `mask` does not allow, and those beyond its end, on the device where the logits are.
    /// Tokens beyond the width are ignored. The number of bytes of the mask that went to a device; 0 in host memory.
    ///
    /// A backend on a device may keep [`TokenMask::base`] there, which many masks share, and send the rest alone.
    ///
    /// # Errors
    /// What the runtime reports.
    fn apply_mask(&mut self, mask: &TokenMask) -> Result<usize, BackendError>;

    /// The id of the greatest logit, the lowest id where several are equal. NaN and −∞ are never chosen; `None` when
    /// nothing else is there. A backend on a device copies one number to the host, not the row.
    ///
    /// # Errors
    /// What the runtime reports.
    fn argmax(&mut self) -> Result<Option<TokenId>, BackendError>;

    /// Replaces the content of `out` by all logits.
    ///
    /// # Errors
    /// What the runtime reports.
    fn copy_to(&mut self, out: &mut Vec<f32>) -> Result<(), BackendError>;

    /// The `n` greatest logits, found on the device, so that only they are copied. `None` where copying all is no more
    /// work, where the runtime has no such operation, or where a logit is NaN: then the caller copies all.
    ///
    /// # Errors
    /// What the runtime reports.
    fn top(&mut self, _n: usize, _temperature: f64) -> Result<Option<TopLogits>, BackendError> {
        Ok(None)
    }

    /// Draws a token on the device: the first, by rising id, up to which the shares add up to more than `unit`, which is in
    /// [0, 1). The share of a token is the softmax of its logit divided by `temperature`. `None` as for [`Logits::top`].
    ///
    /// # Errors
    /// What the runtime reports.
    fn draw(&mut self, _temperature: f64, _unit: f64) -> Result<Option<TokenId>, BackendError> {
        Ok(None)
    }
}

/// The greatest logits of a position, and the weight of all.
#[derive(Clone, Debug, PartialEq)]
pub struct TopLogits {
    /// Tokens and their logits, greatest first; −∞ is left out. Of equal logits at the end, any may be missing.
    pub logits: Vec<(TokenId, f32)>,
    /// The sum of `exp((logit − greatest) / temperature)` over all logits of the position.
    pub total: f64,
}
