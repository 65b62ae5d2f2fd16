//! How does a session become the backend of one sequence? It is a batch of one row.

use formwork::TokenId;
use formwork_decode::{Backend, BackendError, BatchBackend, Logits};

use crate::batch::OrtBatch;
use crate::provider::ProviderReport;

/// A decoder run by ONNX Runtime, with its cache.
///
/// The cache stays on the model's device. Cutting it costs nothing until the next pass, before which it is copied there.
#[derive(Debug)]
pub struct OrtModel {
    batch: OrtBatch,
}

impl OrtModel {
    /// `batch` has one row.
    pub(crate) fn new(batch: OrtBatch) -> OrtModel {
        OrtModel { batch }
    }

    /// What it was to run on, what it runs on, and why.
    pub fn provider(&self) -> &ProviderReport {
        self.batch.provider()
    }

    /// The same session for `n_rows` sequences, with nothing cached.
    ///
    /// Whether rows may be padded is tried out first, in a few passes of a few tokens.
    pub fn into_batch(self, n_rows: usize) -> OrtBatch {
        self.batch.with_rows(n_rows)
    }
}

impl Backend for OrtModel {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        self.batch.check_pass(0, tokens)?;
        let outcome = self.batch.pass(&[(0, tokens)])?;
        only(self.batch.keep(outcome, 1))
    }

    fn forward_each(&mut self, tokens: &[TokenId]) -> Result<Vec<Box<dyn Logits>>, BackendError> {
        self.batch.check_pass(0, tokens)?;
        let outcome = self.batch.pass(&[(0, tokens)])?;
        if outcome.n_positions < tokens.len() {
            // The model gives the last position only, so each needs a pass of its own.
            return tokens.iter().map(|token| self.forward(std::slice::from_ref(token))).collect();
        }
        Ok(self.batch.keep(outcome, tokens.len()).into_iter().flat_map(|(_, logits)| logits).collect())
    }

    fn cached(&self) -> &[TokenId] {
        self.batch.cached(0)
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        self.batch.truncate(0, n_positions)
    }

    fn logits_width(&self) -> usize {
        self.batch.logits_width()
    }

    fn context_length(&self) -> usize {
        self.batch.context_length()
    }
}

fn only(rows: Vec<(usize, Vec<Box<dyn Logits>>)>) -> Result<Box<dyn Logits>, BackendError> {
    let logits = rows.into_iter().flat_map(|(_, logits)| logits).next();
    logits.ok_or_else(|| BackendError::runtime("the pass gave no logits"))
}
