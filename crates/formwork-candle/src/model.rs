//! Which positions has the model seen? A candle model as a backend, with a cache that can be cut.
//!
//! candle's models can only forget everything. So the tokens are kept here, and after a cut the kept ones are fed again
//! together with the next pass: one pass more in width, none more in number.

use candle_core::{Device, Tensor};
use formwork::TokenId;
use formwork_decode::{Backend, BackendError, Logits};

use crate::error::runtime;
use crate::families::Decoder;
use crate::logits::CandleLogits;
use crate::mask::DeviceMasks;

/// Tokens fed at once at most: bounds the attention mask, which is as long as the context for each of them.
const MAX_PASS: usize = 512;

/// A model on one device with the cache of one sequence.
pub struct CandleModel {
    decoder: Box<dyn Decoder>,
    device: Device,
    masks: DeviceMasks,
    width: usize,
    context_length: usize,
    cached: Vec<TokenId>,
    /// How many of `cached` the decoder holds: all, or none after a cut or an error.
    n_in_decoder: usize,
}

impl CandleModel {
    pub(crate) fn new(decoder: Box<dyn Decoder>, device: Device, width: usize, context_length: usize) -> CandleModel {
        CandleModel {
            decoder,
            device,
            masks: DeviceMasks::new(),
            width,
            context_length,
            cached: Vec::new(),
            n_in_decoder: 0,
        }
    }

    /// The device that it runs on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Feeds tokens after those in the decoder, in as few passes as the family allows.
    fn feed(&mut self, tokens: &[u32]) -> candle_core::Result<Tensor> {
        let mut offset = self.n_in_decoder;
        let mut rest = tokens;
        loop {
            let n_pass = match (offset, self.decoder.extends_by_many()) {
                // A family that can only start with many takes all at once.
                (0, false) => rest.len(),
                (_, false) => 1,
                (_, true) => rest.len().min(MAX_PASS),
            };
            let (pass, after) = rest.split_at(n_pass);
            let output = self.decoder.forward(&Tensor::new(pass, &self.device)?.unsqueeze(0)?, offset)?;
            if after.is_empty() {
                return Ok(output);
            }
            (offset, rest) = (offset + n_pass, after);
        }
    }

    fn clear_decoder(&mut self) {
        self.decoder.clear();
        self.n_in_decoder = 0;
    }
}

impl Backend for CandleModel {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        self.check_pass(tokens)?;
        let pending = self.cached[self.n_in_decoder..].iter().chain(tokens);
        let pending: Vec<u32> = pending.map(|token| token.get()).collect();
        let output = self.feed(&pending).map_err(runtime);
        match output.and_then(|output| CandleLogits::new(&output, self.width, &self.masks)) {
            Ok(logits) => {
                self.cached.extend_from_slice(tokens);
                self.n_in_decoder = self.cached.len();
                Ok(Box::new(logits))
            }
            Err(error) => {
                // Some layers may have taken the tokens and others not.
                self.clear_decoder();
                Err(error)
            }
        }
    }

    fn cached(&self) -> &[TokenId] {
        &self.cached
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        if n_positions > self.cached.len() {
            return Err(BackendError::Truncate { asked: n_positions, cached: self.cached.len() });
        }
        self.cached.truncate(n_positions);
        if n_positions < self.n_in_decoder {
            self.clear_decoder();
        }
        Ok(())
    }

    fn logits_width(&self) -> usize {
        self.width
    }

    fn context_length(&self) -> usize {
        self.context_length
    }
}

impl std::fmt::Debug for CandleModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CandleModel")
            .field("device", &self.device)
            .field("width", &self.width)
            .field("context_length", &self.context_length)
            .field("n_cached", &self.cached.len())
            .finish_non_exhaustive()
    }
}
