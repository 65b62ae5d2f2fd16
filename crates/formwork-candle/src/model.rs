//! Which positions has the model seen? One sequence on a decoder, with a cache that can be cut.

use std::sync::Arc;

use candle_core::Device;
use formwork::TokenId;
use formwork_decode::{Backend, BackendError, Logits};

use crate::decoder::Decoder;
use crate::mask::DeviceMasks;
use crate::rows::{Row, Shared, Wanted, feed};

/// A model on one device with the cache of one sequence.
///
/// The cache grows with the sequence, by doubling, and is kept when it is cut.
pub struct CandleModel {
    shared: Arc<Shared>,
    row: Row,
}

impl CandleModel {
    pub(crate) fn new(decoder: Decoder, width: usize, context_length: usize) -> CandleModel {
        let shared = Arc::new(Shared { decoder, masks: DeviceMasks::new(), width, context_length });
        CandleModel { row: Row::new(&shared), shared }
    }

    /// Another sequence on the same weights, with nothing cached. Costs no memory before its first pass.
    pub fn new_sequence(&self) -> CandleModel {
        CandleModel { shared: self.shared.clone(), row: Row::new(&self.shared) }
    }

    /// The device that it runs on.
    pub fn device(&self) -> &Device {
        self.shared.decoder.device()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn row_mut(&mut self) -> &mut Row {
        &mut self.row
    }

    fn logits(&mut self, tokens: &[TokenId], wanted: Wanted) -> Result<Vec<Box<dyn Logits>>, BackendError> {
        self.check_pass(tokens)?;
        feed(&self.shared, &mut [(&mut self.row, tokens)], wanted)
    }
}

impl Backend for CandleModel {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        let last = self.logits(tokens, Wanted::Last)?.pop();
        last.ok_or_else(|| BackendError::runtime("the pass gave no logits"))
    }

    fn forward_each(&mut self, tokens: &[TokenId]) -> Result<Vec<Box<dyn Logits>>, BackendError> {
        self.logits(tokens, Wanted::Each)
    }

    fn cached(&self) -> &[TokenId] {
        &self.row.tokens
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        let cached = self.row.tokens.len();
        if n_positions > cached {
            return Err(BackendError::Truncate { asked: n_positions, cached });
        }
        self.row.tokens.truncate(n_positions);
        Ok(())
    }

    fn logits_width(&self) -> usize {
        self.shared.width
    }

    fn context_length(&self) -> usize {
        self.shared.context_length
    }
}

impl std::fmt::Debug for CandleModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CandleModel")
            .field("device", self.device())
            .field("width", &self.shared.width)
            .field("context_length", &self.shared.context_length)
            .field("n_cached", &self.row.tokens.len())
            .finish_non_exhaustive()
    }
}
