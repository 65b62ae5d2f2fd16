//! How are many sequences fed at once? Rows on shared weights, all in one pass, without padding.

use std::sync::Arc;

use formwork::TokenId;
use formwork_decode::{Backend, BackendError, BatchBackend, RowResult};

use crate::model::CandleModel;
use crate::rows::{Shared, Wanted, feed};

/// Sequences on the weights of one model, each with a cache of its own.
///
/// A pass multiplies the tokens of all rows with each matrix at once, however many each row has; only attention is
/// computed row by row, over what the row has cached.
pub struct CandleBatch {
    shared: Arc<Shared>,
    rows: Vec<CandleModel>,
}

impl CandleBatch {
    /// `n_rows` empty rows on the weights of `model`. A row costs no memory before its first pass.
    pub fn new(model: &CandleModel, n_rows: usize) -> CandleBatch {
        CandleBatch { shared: model.shared().clone(), rows: (0..n_rows).map(|_| model.new_sequence()).collect() }
    }
}

impl BatchBackend for CandleBatch {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn forward_rows(&mut self, inputs: &[(usize, &[TokenId])]) -> Vec<RowResult> {
        let mut free: Vec<Option<&mut CandleModel>> = self.rows.iter_mut().map(Some).collect();
        let mut fed = Vec::with_capacity(inputs.len());
        // What is wrong with an input is the error of its row alone.
        let checks: Vec<Result<(), BackendError>> = inputs
            .iter()
            .map(|&(row, tokens)| {
                let missing = || BackendError::runtime(format!("the batch has no row {row}, or it is given twice"));
                let model = free.get_mut(row).and_then(Option::take).ok_or_else(missing)?;
                model.check_pass(tokens)?;
                fed.push((model.row_mut(), tokens));
                Ok(())
            })
            .collect();
        let mut outputs = match fed.is_empty() {
            true => Ok(Vec::new()),
            false => feed(&self.shared, &mut fed, Wanted::Last),
        }
        .map(Vec::into_iter);
        let mut next = || match &mut outputs {
            Ok(outputs) => outputs.next().ok_or_else(|| BackendError::runtime("the batched pass gave too few rows")),
            Err(error) => Err(copy(error)),
        };
        checks.into_iter().map(|check| check.and_then(|()| next())).collect()
    }

    fn cached(&self, row: usize) -> &[TokenId] {
        self.rows.get(row).map_or(&[], |model| model.cached())
    }

    fn truncate(&mut self, row: usize, n_positions: usize) -> Result<(), BackendError> {
        match self.rows.get_mut(row) {
            Some(model) => model.truncate(n_positions),
            None if n_positions == 0 => Ok(()),
            None => Err(BackendError::Truncate { asked: n_positions, cached: 0 }),
        }
    }

    fn logits_width(&self) -> usize {
        self.shared.width
    }

    fn context_length(&self) -> usize {
        self.shared.context_length
    }
}

/// The error of a pass for one more of its rows.
fn copy(error: &BackendError) -> BackendError {
    match error {
        BackendError::Runtime(source) => BackendError::runtime(source.to_string()),
        error => BackendError::runtime(error.to_string()),
    }
}

impl std::fmt::Debug for CandleBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CandleBatch").field("rows", &self.rows).finish_non_exhaustive()
    }
}
