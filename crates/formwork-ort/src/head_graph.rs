//! Which graphs does the head run? Each takes logits as they lie on the device and a mask, and gives what a caller asks for.
//!
//! A mask is a row of flags, which stays on the device, and the few ids whose flags differ from it. A row gets there packed,
//! one bit per logit, and its bits come out by division and remainder: CUDA's provider has no kernels for bit operations,
//! so those would go by way of the host.

use crate::onnx::{Dim, ElementType, Graph};

/// Logits of all positions of a pass: shape (lanes, positions, width).
pub(crate) const LOGITS: &str = "logits";
/// The position whose row is wanted, counted over all lanes.
pub(crate) const POSITION: &str = "position";
/// One flag per logit.
pub(crate) const FLAGS: &str = "flags";
/// Ids whose flags are other than those.
pub(crate) const IDS: &str = "ids";
/// Their flags.
pub(crate) const ID_FLAGS: &str = "id_flags";
/// A mask's row, one bit per flag.
pub(crate) const WORDS: &str = "words";
/// The masked row.
pub(crate) const MASKED: &str = "masked";
/// The id of the greatest logit; the width when there is none.
pub(crate) const TOKEN: &str = "token";
/// How many of the greatest are wanted.
pub(crate) const COUNT: &str = "count";
/// One by the temperature.
pub(crate) const SCALE: &str = "scale";
/// The greatest logits, and their ids.
pub(crate) const TOP: &str = "top";
pub(crate) const TOP_IDS: &str = "top_ids";
/// The sum of all weights; no finite number when a logit is NaN or none is allowed.
pub(crate) const TOTAL: &str = "total";
/// Where in the total the draw is.
pub(crate) const UNIT: &str = "unit";
/// The block of logits that the draw is in, and the place there; −1 when that block weighs nothing.
pub(crate) const BLOCK: &str = "block";
pub(crate) const PLACE: &str = "place";

/// Logits of a block. CUDA's cumulative sum takes time that grows with the square of the length, so a sum over all is made
/// of sums over blocks.
pub(crate) const BLOCK_LEN: usize = 512;

/// What is wanted of a masked row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    Row,
    Greatest,
    Top,
    Draw,
}

/// How many words a mask of this width has.
pub(crate) fn mask_words(width: usize) -> usize {
    width.div_ceil(32)
}

/// The model file that makes flags of packed words.
pub(crate) fn unpack_model(width: usize) -> Vec<u8> {
    let powers: Vec<u8> = (0..32).flat_map(|bit| (1u32 << bit).to_le_bytes()).collect();
    let mut graph = Graph::default();
    graph.input(WORDS, ElementType::U32, &[Dim::Fixed(mask_words(width))]);
    graph.output(FLAGS, ElementType::Bool, &[Dim::Fixed(width)]);
    graph.numbers("zero", &[0]);
    graph.numbers("one", &[1]);
    graph.numbers("all", &[-1]);
    graph.numbers("width", &[width as i64]);
    graph.constant("powers", ElementType::U32, &[32], &powers);
    graph.constant("two", ElementType::U32, &[], &2u32.to_le_bytes());

    graph.node("Unsqueeze", &[WORDS, "one"], "word_column", &[]);
    graph.node("Div", &["word_column", "powers"], "shifted", &[]);
    graph.node("Mod", &["shifted", "two"], "bits", &[]);
    graph.node("Cast", &["bits"], "bit_flags", &[("to", ElementType::Bool as u64)]);
    graph.node("Reshape", &["bit_flags", "all"], "flag_row", &[]);
    graph.node("Slice", &["flag_row", "zero", "width"], FLAGS, &[]);
    graph.into_model("formwork-unpack")
}

/// The model file for a task on logits of this type and width.
pub(crate) fn head_model(task: Task, logits_type: ElementType, width: usize) -> Vec<u8> {
    let mut graph = Graph::default();
    add_masked_row(&mut graph, logits_type, width);
    match task {
        Task::Row => graph.output(MASKED, ElementType::F32, &[Dim::Fixed(width)]),
        Task::Greatest => add_greatest(&mut graph, width),
        Task::Top => add_top(&mut graph),
        Task::Draw => add_draw(&mut graph, width),
    }
    graph.into_model("formwork-head")
}

fn add_masked_row(graph: &mut Graph, logits_type: ElementType, width: usize) {
    graph.input(LOGITS, logits_type, &[Dim::Named("lanes"), Dim::Named("positions"), Dim::Fixed(width)]);
    graph.input(POSITION, ElementType::I64, &[Dim::Fixed(1)]);
    graph.input(FLAGS, ElementType::Bool, &[Dim::Fixed(width)]);
    graph.input(IDS, ElementType::I32, &[Dim::Named("n_ids")]);
    graph.input(ID_FLAGS, ElementType::Bool, &[Dim::Named("n_ids")]);
    graph.numbers("first_axis", &[0]);
    graph.numbers("all", &[-1]);
    graph.numbers("rows", &[-1, width as i64]);
    graph.constant("forbidden", ElementType::F32, &[1], &f32::NEG_INFINITY.to_le_bytes());

    graph.node("ScatterElements", &[FLAGS, IDS, ID_FLAGS], "allowed", &[("axis", 0)]);
    graph.node("Reshape", &[LOGITS, "rows"], "all_rows", &[]);
    graph.node("Gather", &["all_rows", POSITION], "at_position", &[("axis", 0)]);
    graph.node("Reshape", &["at_position", "all"], "narrow_row", &[]);
    graph.node("Cast", &["narrow_row"], "row", &[("to", ElementType::F32 as u64)]);
    graph.node("Where", &["allowed", "row", "forbidden"], MASKED, &[]);
}

/// The least of the ids of the greatest logit: which of several equals an arg-max gives differs between providers.
fn add_greatest(graph: &mut Graph, width: usize) {
    graph.output(TOKEN, ElementType::I32, &[Dim::Fixed(1)]);
    add_ids(graph, "every_id", width);
    graph.constant("no_id", ElementType::I32, &[1], &(width as i32).to_le_bytes());

    // False for NaN, so what is left to compare has no NaN.
    graph.node("Greater", &[MASKED, "forbidden"], "may_be_chosen", &[]);
    graph.node("Where", &["may_be_chosen", MASKED, "forbidden"], "candidates", &[]);
    graph.node("ReduceMax", &["candidates", "first_axis"], "greatest", &[("keepdims", 1)]);
    graph.node("Equal", &["candidates", "greatest"], "is_greatest", &[]);
    graph.node("And", &["is_greatest", "may_be_chosen"], "is_chosen", &[]);
    graph.node("Where", &["is_chosen", "every_id", "no_id"], "chosen_ids", &[]);
    graph.node("ReduceMin", &["chosen_ids", "first_axis"], TOKEN, &[("keepdims", 1)]);
}

fn add_top(graph: &mut Graph) {
    graph.input(COUNT, ElementType::I64, &[Dim::Fixed(1)]);
    graph.output(TOP, ElementType::F32, &[Dim::Named("n_top")]);
    graph.output(TOP_IDS, ElementType::I64, &[Dim::Named("n_top")]);
    graph.output(TOTAL, ElementType::F64, &[Dim::Fixed(1)]);
    graph.node_with_outputs("TopK", &[MASKED, COUNT], &[TOP, TOP_IDS], &[]);
    add_weights(graph);
    graph.node("ReduceSum", &["weights", "first_axis"], TOTAL, &[("keepdims", 1)]);
}

/// `weights`: of each logit, the power of e by which it is less than the greatest, over the temperature. Any NaN, and a row
/// without an allowed logit, make at least one of them NaN.
fn add_weights(graph: &mut Graph) {
    graph.input(SCALE, ElementType::F64, &[Dim::Fixed(1)]);
    graph.node("ReduceMax", &[MASKED, "first_axis"], "greatest", &[("keepdims", 1)]);
    graph.node("Cast", &[MASKED], "masked_wide", &[("to", ElementType::F64 as u64)]);
    graph.node("Cast", &["greatest"], "greatest_wide", &[("to", ElementType::F64 as u64)]);
    graph.node("Sub", &["masked_wide", "greatest_wide"], "below", &[]);
    graph.node("Mul", &["below", SCALE], "exponent", &[]);
    graph.node("Exp", &["exponent"], "weights", &[]);
}

/// The first block at whose end the weights add up to more than the share, and the first logit in it.
fn add_draw(graph: &mut Graph, width: usize) {
    let n_blocks = width.div_ceil(BLOCK_LEN);
    graph.input(UNIT, ElementType::F64, &[Dim::Fixed(1)]);
    graph.output(TOTAL, ElementType::F64, &[Dim::Fixed(1)]);
    graph.output(BLOCK, ElementType::I64, &[Dim::Fixed(1)]);
    graph.output(PLACE, ElementType::I32, &[Dim::Fixed(1)]);
    graph.numbers("last_block", &[n_blocks as i64 - 1]);
    graph.numbers("second_axis", &[1]);
    graph.numbers("block_shape", &[n_blocks as i64, BLOCK_LEN as i64]);
    graph.constant("axis", ElementType::I64, &[], &0i64.to_le_bytes());
    add_ids(graph, "every_place", BLOCK_LEN);
    graph.constant("behind_block", ElementType::I32, &[1], &(BLOCK_LEN as i32).to_le_bytes());
    graph.constant("no_place", ElementType::I32, &[1], &(-1i32).to_le_bytes());
    graph.constant("no_weight", ElementType::F64, &[1], &0f64.to_le_bytes());
    add_weights(graph);

    let n_missing = n_blocks * BLOCK_LEN - width;
    graph.constant("missing", ElementType::F64, &[n_missing], &vec![0; 8 * n_missing]);
    graph.node("Concat", &["weights", "missing"], "whole_blocks", &[("axis", 0)]);
    graph.node("Reshape", &["whole_blocks", "block_shape"], "blocks", &[]);
    graph.node("ReduceSum", &["blocks", "second_axis"], "sums", &[("keepdims", 0)]);
    graph.node("CumSum", &["sums", "axis"], "before_each", &[("exclusive", 1)]);
    graph.node("Add", &["before_each", "sums"], "reached", &[]);
    graph.node("Gather", &["reached", "last_block"], TOTAL, &[("axis", 0)]);
    graph.node("Mul", &[TOTAL, UNIT], "share", &[]);
    graph.node("LessOrEqual", &["reached", "share"], "is_passed", &[]);
    graph.node("Cast", &["is_passed"], "one_if_passed", &[("to", ElementType::I64 as u64)]);
    graph.node("ReduceSum", &["one_if_passed", "first_axis"], "n_passed", &[("keepdims", 1)]);
    graph.node("Min", &["n_passed", "last_block"], BLOCK, &[]);

    graph.node("Gather", &["blocks", BLOCK], "block_row", &[("axis", 0)]);
    graph.node("Reshape", &["block_row", "all"], "in_block", &[]);
    graph.node("Gather", &["before_each", BLOCK], "before", &[("axis", 0)]);
    graph.node("CumSum", &["in_block", "axis"], "sums_in_block", &[]);
    graph.node("Add", &["sums_in_block", "before"], "reached_in_block", &[]);
    graph.node("Greater", &["reached_in_block", "share"], "is_beyond", &[]);
    graph.node("Greater", &["in_block", "no_weight"], "has_weight", &[]);
    graph.node("And", &["is_beyond", "has_weight"], "may_be_drawn", &[]);
    graph.node("Where", &["may_be_drawn", "every_place", "behind_block"], "drawn_places", &[]);
    graph.node("ReduceMin", &["drawn_places", "first_axis"], "first_drawn", &[("keepdims", 1)]);
    // By rounding the block's own sum can end short of the share: then it is the last logit there.
    graph.node("Where", &["has_weight", "every_place", "no_place"], "weighty_places", &[]);
    graph.node("ReduceMax", &["weighty_places", "first_axis"], "last_weighty", &[("keepdims", 1)]);
    graph.node("Less", &["first_drawn", "behind_block"], "is_drawn", &[]);
    graph.node("Where", &["is_drawn", "first_drawn", "last_weighty"], PLACE, &[]);
}

/// The numbers from 0 on.
fn add_ids(graph: &mut Graph, name: &str, n_ids: usize) {
    let ids: Vec<u8> = (0..n_ids as i32).flat_map(i32::to_le_bytes).collect();
    graph.constant(name, ElementType::I32, &[n_ids], &ids);
}
