//! How is a mask applied where the logits are? A small session of our own behind the model's.
//!
//! Its inputs are the model's logits as they lie on the device, the position whose row is wanted, counted over all lanes, and the packed mask: a
//! row of 32-bit words, one bit per logit. Its outputs are the masked row and the id of the greatest logit. The model's
//! own file is not touched.
//!
//! A word's bits come out by division and remainder: CUDA's provider has no kernels for bit operations, so those would
//! go by way of the host. An id is -1 when nothing may be chosen.

use formwork::TokenId;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use ort::value::{DynTensor, DynTensorValueType, DynValue, Tensor};

use crate::onnx::{Dim, ElementType, Graph};

const LOGITS: &str = "logits";
const POSITION: &str = "position";
const MASK: &str = "mask";
const MASKED: &str = "masked";
const TOKEN: &str = "token";

/// A session that masks a row and finds its greatest logit.
#[derive(Debug)]
pub(crate) struct Head {
    session: Session,
    host: MemoryInfo<'static>,
    width: usize,
}

impl Head {
    /// Wraps a session of [`head_model`] for logits of this width.
    pub(crate) fn new(session: Session, width: usize) -> ort::Result<Head> {
        let host = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::CPUOutput)?;
        Ok(Head { session, host, width })
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The id of the greatest logit that the mask allows. One number comes to the host.
    pub(crate) fn greatest(
        &mut self,
        logits: &DynTensor,
        position: usize,
        mask: &[u32],
    ) -> ort::Result<Option<TokenId>> {
        let output = self.run(logits, position, mask, TOKEN)?;
        let (_, ids) = output.try_extract_tensor::<i64>()?;
        Ok(ids.first().and_then(|&id| u32::try_from(id).ok()).map(TokenId::new))
    }

    /// The masked row, on the host.
    pub(crate) fn masked(
        &mut self,
        logits: &DynTensor,
        position: usize,
        mask: &[u32],
        out: &mut Vec<f32>,
    ) -> ort::Result<()> {
        let output = self.run(logits, position, mask, MASKED)?;
        let (_, row) = output.try_extract_tensor::<f32>()?;
        out.clear();
        out.extend_from_slice(row);
        Ok(())
    }

    fn run(&mut self, logits: &DynTensor, position: usize, mask: &[u32], output: &str) -> ort::Result<DynTensor> {
        let position = Tensor::from_array(([1], vec![position as i64]))?;
        let mask = Tensor::from_array(([mask.len()], mask.to_vec()))?;
        let mut binding = self.session.create_binding()?;
        binding.bind_input(LOGITS, logits)?;
        binding.bind_input(POSITION, &position)?;
        binding.bind_input(MASK, &mask)?;
        binding.bind_output_to_device(output, &self.host)?;
        let mut outputs = self.session.run_binding(&binding)?;
        take(&mut outputs, output)
    }
}

/// An output, which then belongs to the caller.
pub(crate) fn take(outputs: &mut ort::session::SessionOutputs<'_>, name: &str) -> ort::Result<DynTensor> {
    let value: Option<DynValue> = outputs.remove(name);
    value.ok_or_else(|| ort::Error::new(format!("the session gave no {name}")))?.downcast::<DynTensorValueType>()
}

/// How many words a mask of this width has.
pub(crate) fn mask_words(width: usize) -> usize {
    width.div_ceil(32)
}

/// The model file of a head for logits of this type and width.
pub(crate) fn head_model(logits_type: ElementType, width: usize) -> Vec<u8> {
    let n_words = mask_words(width);
    let powers: Vec<u8> = (0..32).flat_map(|bit| (1u32 << bit).to_le_bytes()).collect();
    let mut graph = Graph::default();
    graph.input(LOGITS, logits_type, &[Dim::Named("lanes"), Dim::Named("positions"), Dim::Fixed(width)]);
    graph.input(POSITION, ElementType::I64, &[Dim::Fixed(1)]);
    graph.input(MASK, ElementType::U32, &[Dim::Fixed(n_words)]);
    graph.output(MASKED, ElementType::F32, &[Dim::Fixed(width)]);
    graph.output(TOKEN, ElementType::I64, &[Dim::Fixed(1)]);

    graph.numbers("zero", &[0]);
    graph.numbers("one", &[1]);
    graph.numbers("all", &[-1]);
    graph.numbers("width", &[width as i64]);
    graph.numbers("rows", &[-1, width as i64]);
    graph.constant("powers", ElementType::U32, &[32], &powers);
    graph.constant("two", ElementType::U32, &[], &2u32.to_le_bytes());
    graph.constant("forbidden", ElementType::F32, &[1], &f32::NEG_INFINITY.to_le_bytes());

    // One row of words becomes one flag per logit.
    graph.node("Unsqueeze", &[MASK, "one"], "word_column", &[]);
    graph.node("Div", &["word_column", "powers"], "shifted", &[]);
    graph.node("Mod", &["shifted", "two"], "bits", &[]);
    graph.node("Cast", &["bits"], "flags", &[("to", ElementType::Bool as u64)]);
    graph.node("Reshape", &["flags", "all"], "flag_row", &[]);
    graph.node("Slice", &["flag_row", "zero", "width"], "allowed", &[]);

    graph.node("Reshape", &[LOGITS, "rows"], "all_rows", &[]);
    graph.node("Gather", &["all_rows", POSITION], "at_position", &[("axis", 0)]);
    graph.node("Reshape", &["at_position", "all"], "narrow_row", &[]);
    graph.node("Cast", &["narrow_row"], "row", &[("to", ElementType::F32 as u64)]);
    graph.node("Where", &["allowed", "row", "forbidden"], MASKED, &[]);

    // False for NaN, so what is left to compare has no NaN.
    graph.node("Greater", &[MASKED, "forbidden"], "may_be_chosen", &[]);
    graph.node("Where", &["may_be_chosen", MASKED, "forbidden"], "candidates", &[]);
    graph.node("ArgMax", &["candidates"], "greatest", &[("axis", 0), ("keepdims", 1)]);
    graph.node("Gather", &["candidates", "greatest"], "greatest_logit", &[]);
    graph.node("Greater", &["greatest_logit", "forbidden"], "is_there", &[]);
    graph.node("Where", &["is_there", "greatest", "all"], TOKEN, &[]);
    graph.into_model("formwork-head")
}
