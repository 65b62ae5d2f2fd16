//! Does the head do what the host does? Its sessions on the CPU, on rows of odd widths with NaN and equal logits.

use std::sync::{Arc, Mutex};

use formwork::{Compiler, Grammar, TokenId, TokenMask, Vocabulary};
use formwork_decode::{BackendError, HostLogits, Logits, Sampler, Sampling, TopLogits};
use half::f16;
use ort::environment::Environment;
use ort::value::{DynTensor, Tensor};

use super::{Random, environment};
use crate::head::Head;
use crate::logits::{OrtLogits, SharedHead};
use crate::onnx::ElementType;
use crate::provider::Device;
use crate::session::Opener;

const TYPES: [ElementType; 2] = [ElementType::F32, ElementType::F16];
/// Around the lengths of words and blocks.
const WIDTHS: [usize; 8] = [1, 31, 32, 33, 70, 512, 1000, 1537];

fn head(environment: &Environment, ty: ElementType, width: usize, max_rows: usize) -> SharedHead {
    let opener = Opener { environment: environment.clone(), device: Device::Cpu };
    Arc::new(Mutex::new(Head::new(opener, ty, width, max_rows).unwrap()))
}

/// Two lanes of two positions; all but the first of the second lane are noise that must not be looked at.
fn pass(ty: ElementType, row: &[f32]) -> Arc<DynTensor> {
    let noise = || std::iter::repeat_n(99.0, row.len());
    let values = noise().chain(noise()).chain(row.iter().copied()).chain(noise());
    let shape = [2, 2, row.len()];
    Arc::new(match ty {
        ElementType::F16 => {
            let values: Vec<f16> = values.map(f16::from_f32).collect();
            Tensor::from_array((shape, values)).unwrap().upcast()
        }
        _ => Tensor::from_array((shape, values.collect::<Vec<f32>>())).unwrap().upcast(),
    })
}

/// The row by way of the head, and in host memory as the head gets it.
fn rows(head: &SharedHead, ty: ElementType, row: &[f32]) -> (OrtLogits, HostLogits) {
    let mut on_host = OrtLogits::new(Arc::clone(head), pass(ty, row), 2);
    let mut values = Vec::new();
    on_host.copy_to(&mut values).unwrap();
    (OrtLogits::on_device(Arc::clone(head), pass(ty, row), 2), HostLogits(values))
}

fn bits(row: &[f32]) -> Vec<u32> {
    row.iter().map(|logit| if logit.is_nan() { u32::MAX } else { logit.to_bits() }).collect()
}

fn check_row(head: &SharedHead, ty: ElementType, row: &[f32], masks: &[TokenMask]) {
    let (mut logits, mut expected) = rows(head, ty, row);
    for mask in masks {
        assert!(logits.apply_mask(mask).unwrap() > 0);
        assert_eq!(expected.apply_mask(mask).unwrap(), 0);
    }
    let what = format!("{ty:?}, {} logits, {masks:?}", row.len());
    assert_eq!(logits.argmax().unwrap(), expected.argmax().unwrap(), "{what}");
    let mut out = vec![1.0];
    logits.copy_to(&mut out).unwrap();
    assert_eq!(bits(&out), bits(&expected.0), "{what}");
}

/// Masks of a vocabulary of 3,000 ids: lists, shared rows, and differences to those.
fn grammar_masks() -> Vec<TokenMask> {
    let tokens: Vec<String> = (0..3000)
        .map(|id| match id % 50 {
            7 => format!("\"{id}"),
            8 => format!("a long one {id}"),
            _ => format!("{}{id}", ["a", "b1"][id % 2]),
        })
        .collect();
    let compiler = Compiler::new(Arc::new(Vocabulary::from_tokens(&tokens, &[TokenId::new(0)]).unwrap()));
    let patterns = ["a1?.*", "(a|b1)[0-9]{2}", "a1[0-4]+|b17", "[a-z0-9]{1,3}a?"].map(Grammar::regex);
    let lengths = [4, 12, 50].map(|n| Grammar::json_schema_text(format!(r#"{{"type": "string", "maxLength": {n}}}"#)));
    let mask = |grammar: &Grammar| {
        let mut matcher = compiler.compile(grammar).unwrap().matcher();
        if matcher.count_acceptable(&[TokenId::new(7)]) == Ok(1) {
            matcher.accept_token(TokenId::new(7)).unwrap();
        }
        matcher.mask().unwrap()
    };
    patterns.iter().chain(&lengths).map(mask).collect()
}

#[test]
fn heads_mask_as_the_host_does() {
    let Some(environment) = environment() else { return };
    let mut random = Random(1);
    let grammar_masks = grammar_masks();
    assert!(grammar_masks.iter().any(|mask| mask.base().is_some() && !mask.removed().is_empty()));
    for ty in TYPES {
        for width in WIDTHS {
            let head = head(&environment, ty, width, 3);
            for none_left in [vec![f32::NAN; width], vec![f32::NEG_INFINITY; width]] {
                check_row(&head, ty, &none_left, &[]);
            }
            for _ in 0..10 {
                let row: Vec<f32> = (0..width).map(|_| random.logit()).collect();
                // Shorter and longer than the row, full, empty, and one after another.
                let n_words = random.next() as usize % (width.div_ceil(32) + 2);
                let words: Vec<u32> = (0..n_words).map(|_| random.next()).collect();
                let sparse: Vec<u32> = words.iter().map(|word| word & random.next() & random.next()).collect();
                let [mask, sparse, full, none] = [words, sparse, vec![u32::MAX; n_words], vec![0; n_words]]
                    .map(|words| TokenMask::from_words(&words));
                check_row(&head, ty, &row, &[]);
                check_row(&head, ty, &row, &[sparse, mask.clone()]);
                [mask, full, none].iter().for_each(|mask| check_row(&head, ty, &row, std::slice::from_ref(mask)));
            }
            let row: Vec<f32> = (0..width).map(|_| random.logit()).collect();
            grammar_masks.iter().for_each(|mask| check_row(&head, ty, &row, std::slice::from_ref(mask)));
        }
    }
}

#[test]
fn a_shared_row_is_sent_once() {
    let Some(environment) = environment() else { return };
    let width = 3000;
    let masks: Vec<TokenMask> = grammar_masks().into_iter().filter(|mask| mask.base().is_some()).collect();
    let logits =
        |head: &SharedHead| OrtLogits::on_device(Arc::clone(head), pass(ElementType::F32, &vec![0.0; width]), 2);
    let n_ids = |mask: &TokenMask| (mask.added().len() + mask.removed().len()).next_power_of_two();
    let address = |mask: &TokenMask| mask.base().unwrap().as_ptr();
    let mut addresses: Vec<_> = masks.iter().map(address).collect();
    addresses.sort();
    addresses.dedup();
    assert!(addresses.len() > 1 && addresses.len() < masks.len(), "{} rows, {} masks", addresses.len(), masks.len());
    for max_rows in [1, addresses.len()] {
        let head = head(&environment, ElementType::F32, width, max_rows);
        // Those used last are on the device, the latest at the end.
        let mut on_device = Vec::new();
        for mask in masks.iter().chain(&masks) {
            let expected = if on_device.contains(&address(mask)) { 0 } else { 4 * width.div_ceil(32) };
            on_device.retain(|other| *other != address(mask));
            on_device.push(address(mask));
            on_device.drain(..on_device.len().saturating_sub(max_rows));
            assert_eq!(logits(&head).apply_mask(mask).unwrap(), expected + 5 * n_ids(mask));
        }
    }
}

/// Logits of which only what the head finds is seen.
struct Remote(OrtLogits);

impl Logits for Remote {
    fn width(&self) -> usize {
        self.0.width()
    }

    fn apply_mask(&mut self, mask: &TokenMask) -> Result<usize, BackendError> {
        self.0.apply_mask(mask)
    }

    fn argmax(&mut self) -> Result<Option<TokenId>, BackendError> {
        self.0.argmax()
    }

    fn copy_to(&mut self, _out: &mut Vec<f32>) -> Result<(), BackendError> {
        Err(BackendError::runtime("too far away"))
    }

    fn top(&mut self, n: usize, temperature: f64) -> Result<Option<TopLogits>, BackendError> {
        self.0.top(n, temperature)
    }

    fn draw(&mut self, temperature: f64, unit: f64) -> Result<Option<TokenId>, BackendError> {
        self.0.draw(temperature, unit)
    }
}

#[test]
fn tokens_are_drawn_as_on_the_host() {
    let Some(environment) = environment() else { return };
    let mut random = Random(2);
    let with = |seed| Sampling::with_temperature(0.9, seed);
    for ty in TYPES {
        for width in [33, 512, 1537, 5000] {
            let head = head(&environment, ty, width, 3);
            for seed in 0..30 {
                let row: Vec<f32> = (0..width).map(|_| random.below(10_000) as f32 / 700.0).collect();
                let words: Vec<u32> = (0..width.div_ceil(32)).map(|_| random.next()).collect();
                let mask = TokenMask::from_words(&words);
                for sampling in [
                    with(seed),
                    Sampling { temperature: 0.0, ..with(seed) },
                    Sampling { top_k: Some(5), ..with(seed) },
                    Sampling { top_k: Some(8), top_p: Some(0.5), min_p: Some(0.01), ..with(seed) },
                ] {
                    let (logits, mut expected) = rows(&head, ty, &row);
                    let mut logits = Remote(logits);
                    logits.apply_mask(&mask).unwrap();
                    expected.apply_mask(&mask).unwrap();
                    let mut sampler = Sampler::new(sampling.clone()).unwrap();
                    let expected = sampler.clone().sample(&mut expected).unwrap();
                    let drawn = sampler.sample(&mut logits).unwrap();
                    assert_eq!(drawn, expected, "{ty:?}, {width} logits, {sampling:?}");
                }
            }
        }
    }
}

#[test]
fn the_greatest_are_found_and_all_are_weighed() {
    let Some(environment) = environment() else { return };
    let mut random = Random(3);
    for (width, n) in [(3, 1), (33, 9), (1537, 100), (5000, 1)] {
        let head = head(&environment, ElementType::F32, width, 3);
        // Few values, so that some of the greatest are equal, and −∞ among them.
        let value = |random: &mut Random| match random.below(40) {
            39 => f32::NEG_INFINITY,
            value => value as f32 / 4.0,
        };
        let row: Vec<f32> = (0..width).map(|_| value(&mut random)).collect();
        let (mut logits, HostLogits(row)) = rows(&head, ElementType::F32, &row);
        let TopLogits { logits: found, total } = logits.top(n, 0.7).unwrap().unwrap();
        let mut expected: Vec<(TokenId, f32)> = (0..).map(TokenId::new).zip(row.iter().copied()).collect();
        expected.retain(|(_, logit)| logit.is_finite());
        expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let weight = |logit: f32| (f64::from(logit - expected[0].1) / 0.7).exp();
        let expected_total: f64 = expected.iter().map(|(_, logit)| weight(*logit)).sum();
        assert!((total / expected_total - 1.0).abs() < 1e-12, "{total} {expected_total}");
        expected.truncate(n);
        assert_eq!(found.len(), expected.len());
        for ((id, logit), (_, expected)) in found.iter().zip(&expected) {
            assert_eq!(logit, expected);
            assert_eq!(row[id.index()], *logit);
        }
    }
    // More than a third of the row is not worth it.
    let head = head(&environment, ElementType::F32, 33, 3);
    assert_eq!(rows(&head, ElementType::F32, &[1.0; 33]).0.top(12, 1.0).unwrap(), None);
}

#[test]
fn draws_follow_the_weights() {
    let Some(environment) = environment() else { return };
    let width = 1200;
    let head = head(&environment, ElementType::F32, width, 3);
    let mut row = vec![f32::NEG_INFINITY; width];
    [3, 700, 1100].into_iter().for_each(|id| row[id] = 2.0);
    let (mut logits, _) = rows(&head, ElementType::F32, &row);
    for (unit, token) in [(0.0, 3), (0.33, 3), (0.34, 700), (0.66, 700), (0.67, 1100), (0.999_999, 1100)] {
        assert_eq!(logits.draw(0.5, unit).unwrap(), Some(TokenId::new(token)), "{unit}");
    }
}

#[test]
fn what_is_not_a_number_is_left_to_the_host() {
    let Some(environment) = environment() else { return };
    for special in [f32::NAN, f32::INFINITY] {
        let head = head(&environment, ElementType::F32, 600, 3);
        let mut row = vec![1.0; 600];
        row[590] = special;
        let (mut logits, _) = rows(&head, ElementType::F32, &row);
        assert_eq!(logits.top(2, 1.0).unwrap(), None, "{special}");
        assert_eq!(logits.draw(1.0, 0.1).unwrap(), None, "{special}");
        // Not allowed, it does not count.
        logits.apply_mask(&TokenMask::from_words(&[u32::MAX; 10])).unwrap();
        assert!(logits.top(2, 1.0).unwrap().is_some());
        assert_eq!(logits.draw(1.0, 0.0).unwrap(), Some(TokenId::new(0)));
        logits.apply_mask(&TokenMask::from_words(&[])).unwrap();
        assert_eq!((logits.argmax().unwrap(), logits.top(2, 1.0).unwrap()), (None, None));
        assert_eq!(logits.draw(1.0, 0.5).unwrap(), None);
    }
}
