//! Are a model's logits what its definition says, however the tokens are cut into passes?
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::random::{RandomModel, random_models};
use common::reference::reference_logits;
use common::{assert_close, tokens};
use formwork::TokenId;
use formwork_candle::{CandleModel, DType, LoadOptions, LoadedModel};
use formwork_decode::{Backend, Logits};
use serde_json::json;

const TEXT: [u32; 14] = [1, 4, 300, 17, 301, 302, 44, 5, 2047, 0, 17, 17, 900, 4];
const OTHER_END: [u32; 5] = [77, 4, 1300, 2, 9];

fn load(model: &RandomModel, test: &str) -> CandleModel {
    LoadedModel::from_folder(model.write(test), &LoadOptions::default()).unwrap().model
}

fn values(mut logits: Box<dyn Logits>) -> Vec<f32> {
    let mut out = Vec::new();
    logits.copy_to(&mut out).unwrap();
    out
}

/// Feeds `passes`; the logits behind each token where a pass gives them, behind the last one of each otherwise.
fn feed(model: &mut CandleModel, passes: &[&[TokenId]], each: bool) -> Vec<Vec<f32>> {
    let pass = |pass: &&[TokenId]| match each {
        true => model.forward_each(pass).unwrap(),
        false => vec![model.forward(pass).unwrap()],
    };
    passes.iter().flat_map(pass).map(values).collect()
}

fn assert_rows_close(actual: &[Vec<f32>], expected: &[Vec<f32>], what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (position, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert_close(actual, expected, &format!("{what}, position {position}"));
    }
}

#[test]
fn every_family_is_what_its_definition_says() {
    for model in random_models() {
        let name = &model.name;
        let mut loaded = load(&model, "definition");
        let (expected, text) = (reference_logits(&model, &TEXT), tokens(TEXT));
        assert_rows_close(&feed(&mut loaded, &[&text], true), &expected, &format!("{name}: in one pass"));

        loaded.truncate(0).unwrap();
        let singles: Vec<&[TokenId]> = text.chunks(1).collect();
        assert_rows_close(&feed(&mut loaded, &singles, false), &expected, &format!("{name}: one by one"));

        loaded.truncate(0).unwrap();
        let parts = feed(&mut loaded, &[&text[..6], &text[6..7], &text[7..]], false);
        let ends = [5, 6, 13].map(|position: usize| expected[position].clone());
        assert_rows_close(&parts, &ends, &format!("{name}: in parts"));
    }
}

#[test]
fn a_cut_forgets_what_is_behind_it() {
    for model in random_models() {
        let mut loaded = load(&model, "cut");
        feed(&mut loaded, &[&tokens(TEXT)], false);
        for n_kept in [9, 3, 0] {
            loaded.truncate(n_kept).unwrap();
            assert_eq!(loaded.cached(), tokens(TEXT[..n_kept].iter().copied()));
            let text = [&TEXT[..n_kept], &OTHER_END].concat();
            let expected = reference_logits(&model, &text).split_off(n_kept);
            let end = tokens(OTHER_END);
            let actual = feed(&mut loaded, &[&end[..2], &end[2..]], true);
            assert_rows_close(&actual, &expected, &format!("{}: cut to {n_kept}", model.name));
            loaded.truncate(n_kept).unwrap();
        }
    }
}

#[test]
fn a_text_of_many_passes_is_what_its_definition_says() {
    let changes = json!({"max_position_embeddings": 1500, "num_hidden_layers": 2, "sliding_window": 600});
    let model = RandomModel::new(100, "mistral", &changes);
    let text: Vec<u32> = (0..1300).map(|i| i * i % 2011).collect();
    let expected = reference_logits(&model, &text);
    let mut loaded = load(&model, "long");
    let last = feed(&mut loaded, &[&tokens(text.iter().copied())], false);
    assert_rows_close(&last, &expected[1299..], "last");
    loaded.truncate(3).unwrap();
    let behind = feed(&mut loaded, &[&tokens(text[3..].iter().copied())], true);
    assert_rows_close(&behind, &expected[3..], "each");
}

#[test]
fn sequences_on_shared_weights_do_not_meet() {
    let model = RandomModel::new(101, "llama", &json!({}));
    let mut first = load(&model, "shared");
    feed(&mut first, &[&tokens(TEXT)], false);
    let mut second = first.new_sequence();
    assert!(second.cached().is_empty());
    let other = feed(&mut second, &[&tokens(OTHER_END)], true);
    assert_rows_close(&other, &reference_logits(&model, &OTHER_END), "second");
    let more = feed(&mut first, &[&tokens(OTHER_END)], true);
    assert_rows_close(&more, &reference_logits(&model, &[&TEXT[..], &OTHER_END].concat())[TEXT.len()..], "first");
}

#[test]
fn half_precision_stays_near() {
    for model in random_models() {
        let (expected, text) = (reference_logits(&model, &TEXT).concat(), tokens(TEXT));
        for (dtype, tolerance) in [(DType::F16, 0.03), (DType::BF16, 0.2)] {
            let options = LoadOptions { dtype: Some(dtype), ..LoadOptions::default() };
            let folder = model.write(&format!("half-{dtype:?}"));
            let mut loaded = LoadedModel::from_folder(folder, &options).unwrap().model;
            let actual = feed(&mut loaded, &[&text], true).concat();
            let size = |values: &mut dyn Iterator<Item = f32>| values.map(|value| value * value).sum::<f32>().sqrt();
            let error =
                size(&mut actual.iter().zip(&expected).map(|(a, b)| a - b)) / size(&mut expected.iter().copied());
            assert!(error < tolerance, "{} in {dtype:?}: {error}", model.name);
        }
    }
}
