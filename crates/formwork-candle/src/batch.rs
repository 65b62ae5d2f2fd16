//! How are many sequences fed at once? Rows on shared weights, all in one pass, without padding.

use std::sync::Arc;

use formwork::TokenId;
use formwork_decode::{Backend, BackendError, BatchBackend, RowResult};

use crate::model::CandleModel;
use crate::rows::{Row, Shared, Wanted, feed};

const TOO_FEW: &str = "the batched pass gave too few rows";

/// Sequences on the weights of one model, each with a cache of its own.
///
/// A pass multiplies the tokens of all rows with each matrix at once, however many each row has; only attention is
/// computed row by row, over what the row has cached. A pass that fails is repeated for each of its rows alone: the error is
/// then of the row whose fault it is.
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
        let mut outputs = feed_rows(&self.shared, &mut fed).into_iter();
        let mut next = || outputs.next().unwrap_or_else(|| Err(BackendError::runtime(TOO_FEW)));
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

/// One pass for all rows, or where that fails one for each: they are as they were then.
fn feed_rows(shared: &Shared, fed: &mut [(&mut Row, &[TokenId])]) -> Vec<RowResult> {
    if fed.is_empty() {
        return Vec::new();
    }
    match feed(shared, fed, Wanted::Last) {
        Ok(outputs) => outputs.into_iter().map(Ok).collect(),
        Err(error) if fed.len() == 1 => vec![Err(error)],
        Err(_) => fed
            .iter_mut()
            .map(|row| {
                feed(shared, std::slice::from_mut(row), Wanted::Last)?
                    .pop()
                    .ok_or_else(|| BackendError::runtime(TOO_FEW))
            })
            .collect(),
    }
}

impl std::fmt::Debug for CandleBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CandleBatch").field("rows", &self.rows).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use candle_core::{DType, Device};
    use safetensors::tensor::{Dtype, TensorView};
    use serde_json::json;

    use super::*;
    use crate::config::ModelConfig;
    use crate::decoder::Decoder;
    use crate::map::FileBytes;
    use crate::weights::Weights;

    fn model() -> CandleModel {
        let config = json!({
            "model_type": "llama", "vocab_size": 8, "hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 2,
            "num_attention_heads": 1, "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
        });
        let mut shapes =
            BTreeMap::from([("model.embed_tokens".to_owned(), vec![8, 4]), ("model.norm".to_owned(), vec![4])]);
        for layer in 0..2 {
            let matrices =
                ["self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "mlp.gate", "mlp.up", "mlp.down"];
            shapes.extend(matrices.map(|name| (format!("model.layers.{layer}.{name}_proj"), vec![4, 4])));
            let norms = ["input", "post_attention"];
            shapes.extend(norms.map(|name| (format!("model.layers.{layer}.{name}_layernorm"), vec![4])));
        }
        let data: Vec<u8> = (0..32u16).flat_map(|i| (f32::from(i * 13 % 32) / 32.0 - 0.4).to_le_bytes()).collect();
        let view = |(name, shape): (String, Vec<usize>)| {
            let n_bytes = 4 * shape.iter().product::<usize>();
            (format!("{name}.weight"), TensorView::new(Dtype::F32, shape, &data[..n_bytes]).unwrap())
        };
        let file = safetensors::serialize(shapes.into_iter().map(view), None).unwrap();
        let mut weights = Weights::new();
        weights.add(Path::new("model.safetensors"), FileBytes::Borrowed(&file)).unwrap();
        let config = ModelConfig::new(Path::new("config.json"), config, None).unwrap();
        CandleModel::new(Decoder::load(&config, &weights, DType::F32, &Device::Cpu).unwrap(), 8, 16)
    }

    fn logits(result: RowResult) -> Vec<f32> {
        let mut out = Vec::new();
        result.unwrap().copy_to(&mut out).unwrap();
        out
    }

    /// The middle row's cache is too small, so that the shared pass fails after the first row has written to its own.
    #[test]
    fn a_pass_that_fails_is_the_error_of_one_row() {
        let model = model();
        let [a, b, c, d] = [1, 5, 2, 7].map(TokenId::new);
        let mut batch = CandleBatch::new(&model, 3);
        *batch.rows[1].row_mut() = Row::with_room(model.shared(), 2);
        assert!(batch.forward_rows(&[(0, &[a, b]), (1, &[b, c]), (2, &[c])]).iter().all(Result::is_ok));

        let results = batch.forward_rows(&[(0, &[d, d, d]), (1, &[a]), (2, &[])]);
        let errors: Vec<Option<String>> = results.into_iter().map(|result| Some(result.err()?.to_string())).collect();
        assert_eq!((&errors[0], &errors[2]), (&None, &Some(BackendError::NoTokens.to_string())));
        assert!(errors[1].as_ref().unwrap().contains("do not fit in a cache of 2"), "{errors:?}");
        assert_eq!([batch.cached(0), batch.cached(1), batch.cached(2)], [&[a, b, d, d, d][..], &[b, c], &[c]]);

        let mut results = batch.forward_rows(&[(2, &[a]), (0, &[c])]);
        for text in [[a, b, d, d, d, c].as_slice(), &[c, a]] {
            let alone = logits(model.new_sequence().forward(text));
            let together = logits(results.pop().unwrap());
            let greatest = alone.iter().zip(&together).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(greatest < 1e-5, "{alone:?} {together:?}");
        }
    }
}
