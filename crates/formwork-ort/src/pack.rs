//! How do rows of several caches get into one? A small session of our own copies their positions on the device.
//!
//! A cache is a set of tensors of shape (lanes, heads, slots, head size). Seen as a list of vectors of the head size, the
//! one of lane `l`, head `h` and slot `s` is at `(l · heads + h) · slots + s`. The session makes these numbers for the slots
//! that it is told, gathers their vectors, and puts the new lanes behind those that it has packed before. A vector of
//! zeros stands at the end of the list, at −1: padding is taken from there and never from another row.

use ort::memory::{Allocator, MemoryInfo};
use ort::session::{IoBinding, Session};
use ort::value::{DynTensor, Tensor};

use crate::onnx::{Dim, ElementType, Graph};
use crate::runner::{device_memory, take};
use crate::session::Opener;
use crate::signature::{CacheSlot, Signature};

const LANE: &str = "lane";
const STRIDE: &str = "stride";
const SLOT: &str = "slot";

/// A session that gathers the positions of rows.
#[derive(Debug)]
pub(crate) struct Packer {
    session: Session,
    binding: IoBinding,
    memory: MemoryInfo<'static>,
    slots: Vec<CacheSlot>,
}

/// A row of a cache: its lane, and the slots of its positions, in their order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane<'a> {
    pub(crate) index: usize,
    pub(crate) slots: &'a [usize],
}

impl Packer {
    /// For caches of this signature.
    pub(crate) fn new(opener: &Opener, signature: &Signature) -> ort::Result<Packer> {
        let session = opener.open(&pack_model(signature))?;
        let binding = session.create_binding()?;
        Ok(Packer { session, binding, memory: device_memory(opener.device)?, slots: signature.cache.clone() })
    }

    /// A cache in host memory in which nothing is: one of the two sizes must be 0.
    pub(crate) fn empty(&self, n_lanes: usize, n_slots: usize) -> ort::Result<Vec<DynTensor>> {
        let host = Allocator::default();
        self.slots.iter().map(|slot| DynTensor::new(&host, slot.ty, slot.shape(n_lanes, n_slots))).collect()
    }

    /// The lanes of `packed`, which has `n_slots` slots, and behind them those that are named of `source`, a cache of
    /// `n_source_slots`. Each has its positions in its last slots and zeros before them.
    pub(crate) fn append(
        &mut self,
        packed: &[DynTensor],
        n_slots: usize,
        source: &[DynTensor],
        n_source_slots: usize,
        lanes: &[Lane<'_>],
    ) -> ort::Result<Vec<DynTensor>> {
        let result = self
            .bind(packed, source, lanes)
            .and_then(|()| self.bind_places(n_slots, n_source_slots, lanes))
            .and_then(|()| self.run());
        self.binding.clear();
        result
    }

    fn bind(&mut self, packed: &[DynTensor], source: &[DynTensor], lanes: &[Lane<'_>]) -> ort::Result<()> {
        self.binding.clear();
        for (index, (packed, source)) in packed.iter().zip(source).enumerate() {
            self.binding.bind_input(packed_name(index), packed)?;
            self.binding.bind_input(source_name(index), source)?;
            self.binding.bind_output_to_device(joined_name(index), &self.memory)?;
        }
        let indices: Vec<i64> = lanes.iter().map(|lane| lane.index as i64).collect();
        self.binding.bind_input(LANE, &Tensor::from_array(([lanes.len(), 1, 1], indices))?)
    }

    fn bind_places(&mut self, n_slots: usize, n_source_slots: usize, lanes: &[Lane<'_>]) -> ort::Result<()> {
        let (mut strides, mut slots) = (Vec::new(), Vec::new());
        for lane in lanes {
            let n_padding = n_slots - lane.slots.len();
            strides.extend(std::iter::repeat_n(0, n_padding));
            slots.extend(std::iter::repeat_n(-1, n_padding));
            strides.extend(std::iter::repeat_n(n_source_slots as i64, lane.slots.len()));
            slots.extend(lane.slots.iter().map(|&slot| slot as i64));
        }
        let shape = [lanes.len(), 1, n_slots];
        self.binding.bind_input(STRIDE, &Tensor::from_array((shape, strides))?)?;
        self.binding.bind_input(SLOT, &Tensor::from_array((shape, slots))?)
    }

    fn run(&mut self) -> ort::Result<Vec<DynTensor>> {
        let mut outputs = self.session.run_binding(&self.binding)?;
        (0..self.slots.len()).map(|index| take(&mut outputs, &joined_name(index))).collect()
    }
}

fn packed_name(index: usize) -> String {
    format!("packed.{index}")
}

fn source_name(index: usize) -> String {
    format!("source.{index}")
}

fn joined_name(index: usize) -> String {
    format!("joined.{index}")
}

/// The model file of a packer for caches of this signature.
fn pack_model(signature: &Signature) -> Vec<u8> {
    let mut graph = Graph::default();
    graph.input(LANE, ElementType::I64, &[Dim::Named("added"), Dim::Fixed(1), Dim::Fixed(1)]);
    for name in [STRIDE, SLOT] {
        graph.input(name, ElementType::I64, &[Dim::Named("added"), Dim::Fixed(1), Dim::Named("slots")]);
    }
    for (index, slot) in signature.cache.iter().enumerate() {
        let named = |what: &str| format!("{what}.{index}");
        let (heads, size) = (Dim::Fixed(slot.n_heads), Dim::Fixed(slot.head_dim));
        let ty = slot.element_type();
        graph.input(&packed_name(index), ty, &[Dim::Named("lanes"), heads, Dim::Named("slots"), size]);
        graph.input(&source_name(index), ty, &[Dim::Named("from"), heads, Dim::Named("past"), size]);
        graph.output(&joined_name(index), ty, &[Dim::Named("joined"), heads, Dim::Named("slots"), size]);

        graph.numbers(&named("n_heads"), &[slot.n_heads as i64]);
        let heads: Vec<u8> = (0..slot.n_heads as i64).flat_map(i64::to_le_bytes).collect();
        graph.constant(&named("heads"), ElementType::I64, &[1, slot.n_heads, 1], &heads);
        graph.node("Mul", &[LANE, &named("n_heads")], &named("first_head"), &[]);
        graph.node("Add", &[&named("first_head"), &named("heads")], &named("head"), &[]);
        graph.node("Mul", &[&named("head"), STRIDE], &named("first_slot"), &[]);
        graph.node("Add", &[&named("first_slot"), SLOT], &named("place"), &[]);

        let zeros = vec![0; slot.head_dim * ty.n_bytes()];
        graph.constant(&named("zeros"), ty, &[1, slot.head_dim], &zeros);
        graph.numbers(&named("list"), &[-1, slot.head_dim as i64]);
        graph.node("Reshape", &[&source_name(index), &named("list")], &named("vectors"), &[]);
        graph.node("Concat", &[&named("vectors"), &named("zeros")], &named("vectors_and_zeros"), &[("axis", 0)]);
        graph.node("Gather", &[&named("vectors_and_zeros"), &named("place")], &named("gathered"), &[("axis", 0)]);
        graph.node("Concat", &[&packed_name(index), &named("gathered")], &joined_name(index), &[("axis", 0)]);
    }
    graph.into_model("formwork-pack")
}
