//! Does the head do what the host's reference does? Heads of odd widths, on rows with NaN and equal logits.

use std::sync::{Arc, Mutex};

use formwork::TokenMask;
use formwork_decode::{Logits, greatest, mask_by_row};
use half::f16;
use ort::environment::Environment;
use ort::value::{DynTensor, Tensor};

use super::{Random, environment};
use crate::head::{Head, head_model, mask_words};
use crate::load::builder;
use crate::logits::OrtLogits;
use crate::onnx::ElementType;
use crate::provider::Device;

fn head(environment: &Environment, ty: ElementType, width: usize) -> Arc<Mutex<Head>> {
    let mut builder = builder(environment, Device::Cpu, Some(1)).unwrap();
    let session = builder.commit_from_memory(&head_model(ty, width)).unwrap();
    Arc::new(Mutex::new(Head::new(session, width).unwrap()))
}

/// Two positions, the first of them noise that must not be looked at.
fn pass(ty: ElementType, row: &[f32]) -> Arc<DynTensor> {
    let values: Vec<f32> = std::iter::repeat_n(99.0, row.len()).chain(row.iter().copied()).collect();
    let shape = [1, 2, row.len()];
    Arc::new(match ty {
        ElementType::F16 => {
            let values: Vec<f16> = values.into_iter().map(f16::from_f32).collect();
            Tensor::from_array((shape, values)).unwrap().upcast()
        }
        _ => Tensor::from_array((shape, values)).unwrap().upcast(),
    })
}

fn bits(row: &[f32]) -> Vec<u32> {
    row.iter().map(|logit| if logit.is_nan() { u32::MAX } else { logit.to_bits() }).collect()
}

fn check_row(head: &Arc<Mutex<Head>>, ty: ElementType, row: &[f32], masks: &[Vec<u32>]) {
    let mut expected = row.to_vec();
    let mut logits = OrtLogits::new(Arc::clone(head), pass(ty, row), 1);
    for mask in masks {
        mask_by_row(&mut expected, mask, f32::NEG_INFINITY);
        logits.apply_mask(&TokenMask::from_words(mask)).unwrap();
    }
    let what = format!("{ty:?}, {} logits, masks {masks:x?}", row.len());
    assert_eq!(logits.argmax().unwrap(), greatest(&expected), "{what}");
    let mut out = vec![1.0];
    logits.copy_to(&mut out).unwrap();
    assert_eq!(bits(&out), bits(&expected), "{what}");
    // The way that rows take from a device that the host cannot read.
    let mask = masks.iter().fold(vec![u32::MAX; mask_words(row.len())], |all, mask| {
        all.iter().enumerate().map(|(i, word)| word & mask.get(i).copied().unwrap_or(0)).collect()
    });
    head.lock().unwrap().masked(&pass(ty, row), 1, &mask, &mut out).unwrap();
    assert_eq!(bits(&out), bits(&expected), "{what}, by the session");
}

#[test]
fn heads_do_what_the_host_does() {
    let Some(environment) = environment() else { return };
    let mut random = Random(1);
    for ty in [ElementType::F32, ElementType::F16] {
        for width in [1, 31, 32, 33, 70, 1000] {
            let head = head(&environment, ty, width);
            let none_left = [vec![f32::NAN; width], vec![f32::NEG_INFINITY; width]];
            for row in none_left {
                check_row(&head, ty, &row, &[]);
            }
            for _ in 0..20 {
                let row: Vec<f32> = (0..width).map(|_| random.logit()).collect();
                // Shorter and longer than the row, full, empty, and one after another.
                let n_words = random.next() as usize % (mask_words(width) + 2);
                let mask: Vec<u32> = (0..n_words).map(|_| random.next()).collect();
                let sparse: Vec<u32> = mask.iter().map(|word| word & random.next() & random.next()).collect();
                check_row(&head, ty, &row, &[]);
                check_row(&head, ty, &row, std::slice::from_ref(&mask));
                check_row(&head, ty, &row, &[sparse, mask]);
                check_row(&head, ty, &row, &[vec![u32::MAX; n_words]]);
                check_row(&head, ty, &row, &[vec![0; n_words]]);
            }
        }
    }
}
