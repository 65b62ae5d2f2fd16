//! Do rows that are fed together get what each would get alone?
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::random::{RandomModel, random_models};
use common::reference::reference_logits;
use common::{assert_close, tokens};
use formwork::TokenId;
use formwork_candle::{CandleBatch, LoadOptions, LoadedModel};
use formwork_decode::{BackendError, BatchBackend, RowResult};
use serde_json::json;

fn batch(model: &RandomModel, test: &str, n_rows: usize) -> CandleBatch {
    let loaded = LoadedModel::from_folder(model.write(test), &LoadOptions::default()).unwrap();
    CandleBatch::new(&loaded.model, n_rows)
}

fn feed(batch: &mut CandleBatch, inputs: &[(usize, &[u32])]) -> Vec<RowResult> {
    let inputs: Vec<(usize, Vec<TokenId>)> =
        inputs.iter().map(|(row, ids)| (*row, tokens(ids.iter().copied()))).collect();
    let inputs: Vec<(usize, &[TokenId])> = inputs.iter().map(|(row, tokens)| (*row, &tokens[..])).collect();
    batch.forward_rows(&inputs)
}

/// The result is that of the last token of all that the row has cached.
#[track_caller]
fn check(model: &RandomModel, batch: &CandleBatch, row: usize, result: RowResult) {
    let text: Vec<u32> = batch.cached(row).iter().map(|token| token.get()).collect();
    let mut logits = Vec::new();
    result.unwrap().copy_to(&mut logits).unwrap();
    assert_close(&logits, reference_logits(model, &text).last().unwrap(), &format!("{}: row {row}", model.name));
}

#[test]
fn ragged_rows_of_every_family_are_what_their_definitions_say() {
    for model in random_models() {
        let mut batch = batch(&model, "ragged", 3);
        let steps: [&[(usize, &[u32])]; 5] = [
            &[(0, &[1, 2, 3, 4, 5, 6]), (2, &[9])],
            &[(2, &[8, 7, 1000]), (0, &[300]), (1, &[5, 5, 5, 5, 5, 5, 5, 5])],
            &[(0, &[4]), (1, &[6]), (2, &[7])],
            &[(1, &[2000])],
            &[(2, &[3]), (1, &[30, 31]), (0, &[32])],
        ];
        for (step, inputs) in steps.into_iter().enumerate() {
            let results = feed(&mut batch, inputs);
            assert_eq!(results.len(), inputs.len());
            for ((row, _), result) in inputs.iter().zip(results) {
                check(&model, &batch, *row, result);
            }
            if step == 2 {
                batch.truncate(1, 4).unwrap();
            }
        }
        assert_eq!([0, 1, 2].map(|row| batch.cached(row).len()), [9, 7, 6]);
    }
}

#[test]
fn long_rows_are_cut_into_passes_that_others_share() {
    let model = RandomModel::new(200, "llama", &json!({"max_position_embeddings": 1500, "num_hidden_layers": 2}));
    let mut batch = batch(&model, "long-rows", 4);
    let text = |n: u32, seed: u32| (0..n).map(|i| (i * i + seed) % 2011).collect::<Vec<u32>>();
    let texts = [text(700, 1), text(3, 2), text(1100, 3), text(512, 4)];
    let inputs: Vec<(usize, &[u32])> = texts.iter().enumerate().map(|(row, text)| (row, &text[..])).collect();
    for (row, result) in feed(&mut batch, &inputs).into_iter().enumerate() {
        check(&model, &batch, row, result);
    }
    let results = feed(&mut batch, &[(3, &[1]), (2, &[2]), (1, &[3]), (0, &[4])]);
    for (row, result) in [3, 2, 1, 0].into_iter().zip(results) {
        check(&model, &batch, row, result);
    }
}

#[test]
fn what_is_wrong_with_a_row_is_its_error_alone() {
    let model = RandomModel::new(201, "qwen2", &json!({"max_position_embeddings": 4}));
    let mut batch = batch(&model, "wrong-rows", 5);
    let inputs: [(usize, &[u32]); 8] =
        [(4, &[1]), (0, &[]), (9, &[1]), (1, &[2048]), (2, &[1, 2, 3, 4, 5]), (3, &[1, 2, 3]), (3, &[4]), (4, &[])];
    let mut results = feed(&mut batch, &inputs);
    check(&model, &batch, 3, results.remove(5));
    check(&model, &batch, 4, results.remove(0));
    let errors: Vec<BackendError> = results.into_iter().map(|result| result.err().unwrap()).collect();
    assert!(matches!(errors[0], BackendError::NoTokens));
    assert!(matches!(errors[2], BackendError::TokenOutOfRange { width: 2048, .. }));
    assert!(matches!(errors[3], BackendError::ContextFull { needed: 5, context_length: 4 }));
    assert!([1, 4, 5].iter().all(|&idx| matches!(errors[idx], BackendError::Runtime(_))), "{errors:?}");
    assert_eq!([0, 1, 2, 3, 4, 9].map(|row| batch.cached(row).len()), [0, 0, 0, 3, 1, 0]);
    assert!(matches!(batch.truncate(3, 4), Err(BackendError::Truncate { asked: 4, cached: 3 })));
    assert!(batch.truncate(9, 0).is_ok() && batch.truncate(9, 1).is_err());
    assert!(feed(&mut batch, &[]).is_empty());
}
