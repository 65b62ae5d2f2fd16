//! Decoders without weights, whose logits can be foretold.

use std::path::Path;

use formwork::TokenId;
use formwork_decode::Logits;
use ort::environment::Environment;

use crate::error::LoadError;
use crate::load::{Limits, open_batch};
use crate::model::OrtModel;
use crate::onnx::{Dim, ElementType, Graph};
use crate::provider::{Device, Provider, ProviderReport};
use crate::session::Opener;
use crate::signature::Signature;

pub(super) const WIDTH: usize = 40;
pub(super) const CONTEXT: usize = 200;
/// A token whose logits are NaN, and whose cache is.
pub(super) const NAN: u32 = 13;
/// A token on which a run fails.
pub(super) const FAILING: u32 = WIDTH as u32 - 1;

/// What a toy does about padding.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Padding {
    /// It takes one row, and neither attention mask nor positions.
    #[default]
    Refused,
    /// It takes them and does not look at the mask.
    Counted,
    /// It takes them, and hides what the mask says.
    Hidden,
}

/// How a toy decoder differs from a plain one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Toy {
    pub(super) half: bool,
    pub(super) last_only: bool,
    pub(super) padding: Padding,
    pub(super) without_ids: bool,
    pub(super) extra_input: bool,
    pub(super) without_present: bool,
    pub(super) float_positions: bool,
    /// The cache that comes out is the one that went in.
    pub(super) stale_cache: bool,
    /// The width is not in the file, and is told wrongly.
    pub(super) wrong_width: bool,
}

/// A decoder whose cache holds each token's number plus one. The logits are one hot at the token, with the sum of all
/// that the sequence has cached added to each, and the token's position where that is an input.
fn toy_model(toy: Toy) -> Vec<u8> {
    let ty = if toy.half { ElementType::F16 } else { ElementType::F32 };
    let is_batched = toy.padding != Padding::Refused;
    let batch = if is_batched { Dim::Named("batch") } else { Dim::Fixed(1) };
    let mut graph = Graph::default();
    let ids = if toy.without_ids { "tokens" } else { "input_ids" };
    graph.input(ids, ElementType::I64, &[batch, Dim::Named("length")]);
    if is_batched {
        graph.input("attention_mask", ElementType::I64, &[batch, Dim::Named("total")]);
        let positions = if toy.float_positions { ElementType::F32 } else { ElementType::I64 };
        graph.input("position_ids", positions, &[batch, Dim::Named("length")]);
    }
    if toy.extra_input {
        graph.input("use_cache_branch", ElementType::Bool, &[Dim::Fixed(1)]);
    }
    let cache = |name| [batch, Dim::Fixed(2), Dim::Named(name), Dim::Fixed(1)];
    graph.input("past_key_values.0.key", ty, &cache("past"));
    let width = if toy.wrong_width { Dim::Named("width") } else { Dim::Fixed(WIDTH) };
    graph.output("logits", ty, &[batch, Dim::Named("positions"), width]);
    let present = if toy.without_present { "other" } else { "present.0.key" };
    graph.output(present, ty, &cache("total"));
    add_cache(&mut graph, toy, ids, present, ty);
    add_logits(&mut graph, toy, ids, ty);
    graph.into_model("toy")
}

fn add_cache(graph: &mut Graph, toy: Toy, ids: &str, present: &str, ty: ElementType) {
    graph.numbers("one", &[1]);
    graph.numbers("nan_token", &[i64::from(NAN)]);
    graph.numbers("ends", &[1, 3]);
    graph.numbers("two_heads", &[1, 2, 1, 1]);
    let none: Vec<u8> = 0.0f32.to_le_bytes().to_vec();
    graph.constant("nothing", ElementType::F32, &[1], &none);
    // One entry less than there are tokens: the last one fails.
    graph.constant("table", ElementType::I64, &[WIDTH - 1], &[0; 8 * (WIDTH - 1)]);

    graph.node("Gather", &["table", ids], "zeros", &[]);
    graph.node("Add", &[ids, "zeros"], "checked", &[]);
    graph.node("Sub", &["checked", "nan_token"], "off_nan", &[]);
    graph.node("Cast", &["off_nan"], "off_nan_wide", &[("to", ElementType::F32 as u64)]);
    graph.node("Div", &["nothing", "off_nan_wide"], "zero_or_nan", &[]);
    graph.node("Add", &["checked", "one"], "number", &[]);
    graph.node("Cast", &["number"], "number_wide", &[("to", ElementType::F32 as u64)]);
    graph.node("Add", &["number_wide", "zero_or_nan"], "entry", &[]);
    graph.node("Cast", &["entry"], "entry_narrow", &[("to", ty as u64)]);
    graph.node("Unsqueeze", &["entry_narrow", "ends"], "one_head", &[]);
    graph.node("Expand", &["one_head", "two_heads"], "new", &[]);
    graph.node("Concat", &["past_key_values.0.key", "new"], "whole", &[("axis", 2)]);
    graph.node("Identity", &[if toy.stale_cache { "past_key_values.0.key" } else { "whole" }], present, &[]);
}

fn add_logits(graph: &mut Graph, toy: Toy, ids: &str, ty: ElementType) {
    graph.numbers("zero", &[0]);
    graph.numbers("two", &[2]);
    graph.numbers("minus_one", &[-1]);
    graph.numbers("most", &[i64::MAX]);
    graph.numbers("depth", &[WIDTH as i64]);
    graph.numbers("slots", &[1, 2, 3]);
    let wide: Vec<u8> = [0.0f32, 1.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    graph.constant("off_on", ElementType::F32, &[2], &wide);

    // The sum over the second head's cached tokens, so that a copy that mixes heads or positions shows.
    graph.node("Gather", &["whole", "one"], "second", &[("axis", 1)]);
    graph.node("Cast", &["second"], "second_wide", &[("to", ElementType::F32 as u64)]);
    if toy.padding == Padding::Hidden {
        graph.node("Unsqueeze", &["attention_mask", "ends"], "mask", &[]);
        graph.node("Cast", &["mask"], "mask_wide", &[("to", ElementType::F32 as u64)]);
        graph.node("Mul", &["second_wide", "mask_wide"], "seen", &[]);
    } else {
        graph.node("Identity", &["second_wide"], "seen", &[]);
    }
    graph.node("ReduceSum", &["seen", "slots"], "sum", &[("keepdims", 0)]);
    graph.numbers("behind", &[1, 2]);
    graph.node("Unsqueeze", &["sum", "behind"], "sum_of_row", &[]);
    graph.node("OneHot", &[ids, "depth", "off_on"], "hot", &[]);
    graph.node("Add", &["hot", "sum_of_row"], "summed", &[]);
    if toy.padding == Padding::Refused {
        graph.node("Identity", &["summed"], "all_positions", &[]);
    } else {
        graph.node("Cast", &["position_ids"], "positions_wide", &[("to", ElementType::F32 as u64)]);
        graph.node("Unsqueeze", &["positions_wide", "two"], "position", &[]);
        graph.node("Add", &["summed", "position"], "all_positions", &[]);
    }
    let last = if toy.last_only { "minus_one" } else { "zero" };
    graph.node("Slice", &["all_positions", last, "most", "one"], "wanted", &[]);
    if toy.wrong_width {
        // As wide as it was, which cannot be seen before it runs.
        graph.numbers("both", &[0, 1]);
        graph.node("ReduceSum", &["zeros", "both"], "sum_of_zeros", &[("keepdims", 0)]);
        graph.node("Reshape", &["sum_of_zeros", "one"], "hidden_zero", &[]);
        graph.node("Add", &["depth", "hidden_zero"], "hidden_width", &[]);
        graph.node("Slice", &["wanted", "zero", "hidden_width", "two"], "given", &[]);
    } else {
        graph.node("Identity", &["wanted"], "given", &[]);
    }
    graph.node("Cast", &["given"], "logits", &[("to", ty as u64)]);
}

pub(super) fn toy(environment: &Environment, toy: Toy) -> Result<OrtModel, LoadError> {
    open(environment, &toy_model(toy), toy.wrong_width.then_some(WIDTH + 1))
}

/// The model in `file`, as wide as `width` where the file does not say.
pub(super) fn open(environment: &Environment, file: &[u8], width: Option<usize>) -> Result<OrtModel, LoadError> {
    let opener = Opener { environment: environment.clone(), device: Device::Cpu };
    let session = opener.open(file).unwrap();
    let signature = Signature::of(&session, Path::new("toy.onnx"), width)?;
    let report = ProviderReport { asked: Provider::Cpu, used: Device::Cpu, reason: None };
    let limits = Limits { context_length: CONTEXT, max_mask_rows: 4 };
    Ok(OrtModel::new(open_batch(&opener, session, signature, report, limits).unwrap()))
}

pub(super) fn tokens(ids: &[u32]) -> Vec<TokenId> {
    ids.iter().copied().map(TokenId::new).collect()
}

pub(super) fn row(logits: &mut dyn Logits) -> Vec<f32> {
    let mut row = Vec::new();
    logits.copy_to(&mut row).unwrap();
    row
}

/// The logits that follow `text` in a toy; with positions or without.
pub(super) fn foretold(text: &[TokenId], has_positions: bool) -> Vec<f32> {
    let sum: u32 = text.iter().map(|token| token.get() + 1).sum();
    let position = if has_positions { text.len() as u32 - 1 } else { 0 };
    let last = text.last().map_or(0, |token| token.index());
    (0..WIDTH).map(|id| (sum + position + u32::from(id == last)) as f32).collect()
}
