//! Do the sessions do what the host's reference does? Heads of odd widths, and toy decoders of unusual shapes.

use std::path::Path;
use std::sync::{Arc, Mutex};

use formwork::TokenId;
use formwork::TokenMask;
use formwork_decode::{Backend, BackendError, Logits, greatest, mask_by_row};
use half::f16;
use ort::value::{DynTensor, Tensor};

use crate::error::LoadError;
use crate::head::{Head, head_model, mask_words};
use crate::library::{Library, open_library};
use crate::load::builder;
use crate::logits::OrtLogits;
use crate::model::OrtModel;
use crate::onnx::{Dim, ElementType, Graph};
use crate::provider::{Device, Provider, ProviderReport};
use crate::signature::Signature;

#[path = "../tests/common/library.rs"]
mod installed;

fn library() -> Option<Library> {
    Some(open_library(Some(&installed::library()?)).unwrap())
}

fn head(library: &Library, ty: ElementType, width: usize) -> Arc<Mutex<Head>> {
    let mut builder = builder(library, Device::Cpu, Some(1)).unwrap();
    let session = builder.commit_from_memory(&head_model(ty, width)).unwrap();
    Arc::new(Mutex::new(Head::new(session, width).unwrap()))
}

/// Numbers that do not repeat soon.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// Few values, so that many are equal; NaN and infinities among them.
    fn logit(&mut self) -> f32 {
        match self.next() >> 8 & 63 {
            0 => f32::NAN,
            1 => f32::NEG_INFINITY,
            2 => f32::INFINITY,
            3..=9 => 30.0,
            small => small as f32 * 0.25 - 8.0,
        }
    }
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
    let Some(library) = library() else { return };
    let mut random = Random(1);
    for ty in [ElementType::F32, ElementType::F16] {
        for width in [1, 31, 32, 33, 70, 1000] {
            let head = head(&library, ty, width);
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

const WIDTH: usize = 40;

/// How a toy decoder differs from a plain one.
#[derive(Clone, Copy, Default)]
struct Toy {
    half: bool,
    last_only: bool,
    without_ids: bool,
    extra_input: bool,
    without_present: bool,
}

/// A decoder without weights. Its cache holds the tokens; the logits are one hot at the token itself, with the sum
/// of all tokens added to each.
fn toy_model(toy: Toy) -> Vec<u8> {
    let ty = if toy.half { ElementType::F16 } else { ElementType::F32 };
    let mut graph = Graph::default();
    let ids = if toy.without_ids { "tokens" } else { "input_ids" };
    graph.input(ids, ElementType::I64, &[Dim::Fixed(1), Dim::Named("length")]);
    if toy.extra_input {
        graph.input("use_cache_branch", ElementType::Bool, &[Dim::Fixed(1)]);
    }
    let cache = |name| [Dim::Fixed(1), Dim::Fixed(2), Dim::Named(name), Dim::Fixed(1)];
    graph.input("past_key_values.0.key", ty, &cache("past"));
    graph.output("logits", ty, &[Dim::Fixed(1), Dim::Named("positions"), Dim::Fixed(WIDTH)]);
    let present = if toy.without_present { "other" } else { "present.0.key" };
    graph.output(present, ty, &cache("total"));
    graph.numbers("zero", &[0]);
    graph.numbers("ends", &[1, 3]);
    graph.numbers("two_heads", &[1, 2, 1, 1]);
    graph.numbers("depth", &[WIDTH as i64]);
    graph.numbers("minus_one", &[-1]);
    graph.numbers("most", &[i64::MAX]);
    graph.numbers("one", &[1]);
    let wide: Vec<u8> = [0.0f32, 1.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    graph.constant("off_on", ElementType::F32, &[2], &wide);

    graph.node("Cast", &[ids], "numbers", &[("to", ty as u64)]);
    graph.node("Unsqueeze", &["numbers", "ends"], "one_head", &[]);
    graph.node("Expand", &["one_head", "two_heads"], "new", &[]);
    graph.node("Concat", &["past_key_values.0.key", "new"], present, &[("axis", 2)]);

    graph.node("OneHot", &[ids, "depth", "off_on"], "hot", &[]);
    // The sum over the second head's cached tokens, so that a cut that mixes heads or positions shows.
    graph.node("Gather", &[present, "one"], "second", &[("axis", 1)]);
    graph.node("Cast", &["second"], "second_wide", &[("to", ElementType::F32 as u64)]);
    graph.numbers("axes", &[1, 2, 3]);
    graph.node("ReduceSum", &["second_wide", "axes"], "sum", &[("keepdims", 0)]);
    graph.node("Add", &["hot", "sum"], "all_positions", &[]);
    let last = if toy.last_only { "minus_one" } else { "zero" };
    graph.node("Slice", &["all_positions", last, "most", "one"], "wanted", &[]);
    graph.node("Cast", &["wanted"], "logits", &[("to", ty as u64)]);
    graph.into_model("toy")
}

fn toy(library: &Library, toy: Toy) -> Result<OrtModel, LoadError> {
    let session = builder(library, Device::Cpu, Some(1)).unwrap().commit_from_memory(&toy_model(toy)).unwrap();
    let signature = Signature::of(&session, Path::new("toy.onnx"), None)?;
    let head = head_model(signature.logits_type, signature.width);
    let head = builder(library, Device::Cpu, Some(1)).unwrap().commit_from_memory(&head).unwrap();
    let report = ProviderReport { asked: Provider::Cpu, used: Device::Cpu, reason: None };
    let head = Head::new(head, signature.width).unwrap();
    Ok(OrtModel::new(session, head, signature, report, 16).unwrap())
}

fn tokens(ids: &[u32]) -> Vec<TokenId> {
    ids.iter().copied().map(TokenId::new).collect()
}

/// Whether the logits are those of a sequence that ends with `token` and whose tokens have this sum.
fn check_logits(logits: &mut dyn Logits, token: u32, sum: u32) {
    let mut row = Vec::new();
    logits.copy_to(&mut row).unwrap();
    let expected: Vec<f32> = (0..WIDTH as u32).map(|id| (sum + u32::from(id == token)) as f32).collect();
    assert_eq!(row, expected);
    assert_eq!(logits.argmax().unwrap(), Some(TokenId::new(token)));
}

#[test]
fn decoders_of_other_shapes_run() {
    let Some(library) = library() else { return };
    for (half, last_only) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut model = toy(&library, Toy { half, last_only, ..Toy::default() }).unwrap();
        check_logits(&mut *model.forward(&tokens(&[3, 5, 7])).unwrap(), 7, 15);
        check_logits(&mut *model.forward(&tokens(&[9])).unwrap(), 9, 24);
        model.truncate(2).unwrap();
        check_logits(&mut *model.forward(&tokens(&[11])).unwrap(), 11, 19);
        let mut each = model.forward_each(&tokens(&[1, 2])).unwrap();
        assert_eq!((each.len(), model.cached()), (2, &tokens(&[3, 5, 11, 1, 2])[..]));
        // The toy adds the sum of the whole pass to all its rows; in passes of one token each that is its own.
        check_logits(&mut *each[0], 1, if last_only { 20 } else { 22 });
        check_logits(&mut *each[1], 2, 22);
        assert!(matches!(model.forward(&tokens(&[0; 12])), Err(BackendError::ContextFull { needed: 17, .. })));
    }
}

#[test]
fn models_that_cannot_be_run_are_refused() {
    let Some(library) = library() else { return };
    let refused = |changed| toy(&library, changed).unwrap_err().to_string();
    let message = refused(Toy { extra_input: true, ..Toy::default() });
    assert!(message.contains("toy.onnx: not supported") && message.contains("use_cache_branch"), "{message}");
    let message = refused(Toy { without_ids: true, ..Toy::default() });
    assert!(message.contains("tokens"), "{message}");
    let message = refused(Toy { without_present: true, ..Toy::default() });
    assert!(message.contains("no output present.0.key"), "{message}");
}
