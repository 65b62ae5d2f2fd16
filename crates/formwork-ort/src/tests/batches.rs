//! Does each row of a batch get the logits it gets alone? Toy decoders, whose padding would show in every logit.

use formwork::{TokenId, TokenMask};
use formwork_decode::{BackendError, BatchBackend, RowResult};

use super::toys::{CONTEXT, FAILING, NAN, Padding, Toy, foretold, row, tokens, toy};
use super::{Random, environment};
use crate::batch::OrtBatch;

fn feed(batch: &mut OrtBatch, inputs: &[(usize, &[u32])]) -> Vec<RowResult> {
    let inputs: Vec<(usize, Vec<TokenId>)> = inputs.iter().map(|&(row, ids)| (row, tokens(ids))).collect();
    let views: Vec<(usize, &[TokenId])> = inputs.iter().map(|(row, tokens)| (*row, &tokens[..])).collect();
    batch.forward_rows(&views)
}

/// Whether the row's logits are those of its own text.
fn check(batch: &OrtBatch, row_index: usize, result: RowResult, has_positions: bool) {
    let actual = row(&mut *result.unwrap());
    assert_eq!(actual, foretold(batch.cached(row_index), has_positions), "row {row_index}");
}

#[test]
fn padding_is_used_where_the_model_hides_it() {
    let Some(environment) = environment() else { return };
    for (padding, expected) in [(Padding::Refused, false), (Padding::Counted, false), (Padding::Hidden, true)] {
        for last_only in [false, true] {
            let batch = toy(&environment, Toy { padding, last_only, ..Toy::default() }).unwrap().into_batch(3);
            assert_eq!((batch.is_padded(), batch.n_rows()), (expected, 3), "{padding:?}");
        }
    }
}

/// Rows join with prompts of all lengths, go on by a few tokens, are cut and emptied, in any mixture.
#[test]
fn rows_of_any_history_are_as_alone() {
    const N_ROWS: usize = 5;
    let Some(environment) = environment() else { return };
    let mut random = Random(3);
    for padding in [Padding::Refused, Padding::Counted, Padding::Hidden] {
        let has_positions = padding != Padding::Refused;
        let toy = toy(&environment, Toy { padding, last_only: padding == Padding::Counted, ..Toy::default() }).unwrap();
        let mut batch = toy.into_batch(N_ROWS);
        let mut texts: Vec<Vec<TokenId>> = vec![Vec::new(); N_ROWS];
        for _ in 0..150 {
            let mut inputs = Vec::new();
            for (row, text) in texts.iter_mut().enumerate().rev() {
                let kept = match random.below(12) {
                    0 => 0,
                    1 => random.below(text.len() as u32 + 1) as usize,
                    _ if text.len() > 150 => 0,
                    _ => text.len(),
                };
                text.truncate(kept);
                batch.truncate(row, kept).unwrap();
                if random.below(10) > 0 {
                    let n_new = [1, 1, 1, 1, 3, 40][random.below(6) as usize];
                    let new = (0..n_new).map(|_| TokenId::new(random.below(12))).collect::<Vec<_>>();
                    text.extend(&new);
                    inputs.push((row, new));
                }
            }
            let views: Vec<(usize, &[TokenId])> = inputs.iter().map(|(row, new)| (*row, &new[..])).collect();
            let results = batch.forward_rows(&views);
            assert_eq!(results.len(), inputs.len());
            for ((row, _), result) in inputs.iter().zip(results) {
                check(&batch, *row, result, has_positions);
            }
            for (row, text) in texts.iter().enumerate() {
                assert_eq!(batch.cached(row), text);
            }
        }
    }
}

#[test]
fn the_cache_stays_while_the_same_rows_take_part() {
    let Some(environment) = environment() else { return };
    let mut batch = toy(&environment, Toy { padding: Padding::Hidden, ..Toy::default() }).unwrap().into_batch(3);
    feed(&mut batch, &[(0, &[1, 2, 3]), (1, &[4]), (2, &[5, 6])]);
    let mut n_before = batch.n_caches();
    // One for each pass, of rows in any order, and with gaps inside the text of two of them.
    for new in [[1, 1, 1], [2, 1, 1], [1, 3, 1]] {
        let ids = new.map(|n| vec![7; n]);
        let results = feed(&mut batch, &[(2, &ids[2]), (0, &ids[0]), (1, &ids[1])]);
        results.into_iter().zip([2, 0, 1]).for_each(|(result, row)| check(&batch, row, result, true));
        assert_eq!(batch.n_caches(), n_before + 1);
        n_before += 1;
    }
    // A row that waits: two are packed for the pass, and the third for itself after it.
    feed(&mut batch, &[(0, &[1]), (1, &[1])]);
    assert_eq!(batch.n_caches(), n_before + 3);
    feed(&mut batch, &[(0, &[1]), (1, &[1])]);
    assert_eq!(batch.n_caches(), n_before + 4);
    let results = feed(&mut batch, &[(0, &[1]), (1, &[1]), (2, &[1])]);
    assert_eq!(batch.n_caches(), n_before + 6);
    results.into_iter().enumerate().for_each(|(row, result)| check(&batch, row, result, true));
}

#[test]
fn an_error_is_of_one_row_alone() {
    let Some(environment) = environment() else { return };
    let long = vec![1; CONTEXT];
    for padding in [Padding::Refused, Padding::Hidden] {
        let has_positions = padding != Padding::Refused;
        let mut batch = toy(&environment, Toy { padding, ..Toy::default() }).unwrap().into_batch(6);
        for result in feed(&mut batch, &[(0, &[1, 2]), (1, &[3]), (2, &[4, 5, 6]), (3, &[7]), (4, &[8])]) {
            result.unwrap();
        }
        let inputs: [(usize, &[u32]); 8] =
            [(9, &[1]), (0, &[]), (1, &[9]), (2, &[40]), (3, &[1, FAILING]), (4, &long), (5, &[1]), (1, &[1])];
        let mut results: Vec<Option<RowResult>> = feed(&mut batch, &inputs).into_iter().map(Some).collect();
        let mut error = |index: usize| results[index].take().unwrap().err().unwrap();
        assert!(error(0).to_string().contains("no row 9"));
        assert!(matches!(error(1), BackendError::NoTokens));
        assert!(matches!(error(3), BackendError::TokenOutOfRange { width: 40, .. }));
        assert!(matches!(error(4), BackendError::Runtime(_)));
        assert!(matches!(error(5), BackendError::ContextFull { needed, .. } if needed == CONTEXT + 1));
        assert!(error(7).to_string().contains("twice"));
        check(&batch, 1, results[2].take().unwrap(), has_positions);
        check(&batch, 5, results[6].take().unwrap(), has_positions);
        let cached: [&[u32]; 7] = [&[1, 2], &[3, 9], &[4, 5, 6], &[7], &[8], &[1], &[]];
        cached.into_iter().enumerate().for_each(|(row, ids)| assert_eq!(batch.cached(row), tokens(ids)));
        assert!(matches!(batch.truncate(0, 3), Err(BackendError::Truncate { asked: 3, cached: 2 })));
        assert!(batch.truncate(6, 0).is_ok() && batch.truncate(6, 1).is_err());
        // All go on.
        let inputs: Vec<(usize, &[u32])> = (0..6).map(|row| (row, &[2, 3][..])).collect();
        let results = feed(&mut batch, &inputs);
        results.into_iter().enumerate().for_each(|(row, result)| check(&batch, row, result, has_positions));
    }
}

#[test]
fn nan_and_empty_masks_do_not_reach_other_rows() {
    let Some(environment) = environment() else { return };
    let mut batch = toy(&environment, Toy { padding: Padding::Hidden, ..Toy::default() }).unwrap().into_batch(3);
    // The longest row has NaN in its cache, so the others are padded when they are packed beside it.
    for (index, ids) in [(0, &[NAN, 1, 2, 3][..]), (1, &[4]), (2, &[5, 6])] {
        feed(&mut batch, &[(index, ids)]);
    }
    for round in 0..2 {
        let mut results = feed(&mut batch, &[(0, &[1]), (1, &[2]), (2, &[3])]);
        assert_eq!(results[0].as_mut().unwrap().argmax().unwrap(), None);
        let nothing = TokenMask::from_words(&[0, 0]);
        results[1].as_mut().unwrap().apply_mask(&nothing).unwrap();
        assert_eq!(results[1].as_mut().unwrap().argmax().unwrap(), None);
        check(&batch, 2, results.pop().unwrap(), true);
        let masked = row(&mut **results[1].as_mut().unwrap());
        assert!(masked.iter().all(|logit| *logit == f32::NEG_INFINITY), "round {round}");
    }
    // Without the token that brought it, the NaN is gone: from a row that is emptied, and from one that is cut.
    batch.truncate(0, 0).unwrap();
    for new in [[7, 2, 3], [1, 2, NAN], [8, 9, 10]] {
        let inputs: Vec<(usize, &[u32])> = new.iter().map(std::slice::from_ref).enumerate().collect();
        let mut results = feed(&mut batch, &inputs);
        if new[2] == NAN {
            assert_eq!(results.pop().unwrap().unwrap().argmax().unwrap(), None);
            batch.truncate(2, batch.cached(2).len() - 1).unwrap();
        }
        results.into_iter().enumerate().for_each(|(row, result)| check(&batch, row, result, true));
    }
}
