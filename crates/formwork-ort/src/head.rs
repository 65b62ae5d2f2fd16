//! How is a token found where the logits are? Small sessions of our own behind the model's, one for each question.
//!
//! They take the logits as they lie on the device and a mask that is there for the most part. Little comes back: one id, or
//! a few of the greatest logits. The model's own file is not touched.

use formwork::{TokenId, TokenMask};
use formwork_decode::TopLogits;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use ort::value::{DynTensor, PrimitiveTensorElementType, Tensor};

use crate::head_graph::{
    BLOCK, BLOCK_LEN, COUNT, FLAGS, ID_FLAGS, IDS, LOGITS, MASKED, PLACE, POSITION, SCALE, TOKEN, TOP, TOP_IDS, TOTAL,
    Task, UNIT, head_model,
};
use crate::mask::{DeviceMask, DeviceRows};
use crate::onnx::ElementType;
use crate::runner::take;
use crate::session::Opener;

/// Sessions that mask a row and answer questions about it. Each is opened when it is first needed.
#[derive(Debug)]
pub(crate) struct Head {
    opener: Opener,
    sessions: [Option<Session>; 4],
    rows: DeviceRows,
    host: MemoryInfo<'static>,
    logits_type: ElementType,
    width: usize,
}

/// A position of a pass, and its mask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaskedRow<'a> {
    pub(crate) pass: &'a DynTensor,
    pub(crate) position: usize,
    pub(crate) mask: &'a DeviceMask,
}

impl Head {
    /// For logits of this type and width, with room for `max_rows` rows of masks on the device.
    pub(crate) fn new(opener: Opener, logits_type: ElementType, width: usize, max_rows: usize) -> ort::Result<Head> {
        let host = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::CPUOutput)?;
        let rows = DeviceRows::new(&opener, width, max_rows)?;
        Ok(Head { opener, sessions: [None, None, None, None], rows, host, logits_type, width })
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The mask, or that of all tokens, on the device; and how many bytes go there for it.
    pub(crate) fn prepare(&mut self, mask: Option<&TokenMask>) -> ort::Result<(DeviceMask, usize)> {
        self.rows.prepare(&self.opener, mask)
    }

    /// The masked row, on the host.
    pub(crate) fn masked(&mut self, row: MaskedRow<'_>, out: &mut Vec<f32>) -> ort::Result<()> {
        let [masked] = self.run(Task::Row, row, &[], [MASKED])?;
        out.clear();
        out.extend_from_slice(masked.try_extract_tensor::<f32>()?.1);
        Ok(())
    }

    /// The id of the greatest logit.
    pub(crate) fn greatest(&mut self, row: MaskedRow<'_>) -> ort::Result<Option<TokenId>> {
        let [token] = self.run(Task::Greatest, row, &[], [TOKEN])?;
        let id = first::<i32>(&token)?;
        Ok(u32::try_from(id).ok().map(TokenId::new).filter(|token| token.index() < self.width))
    }

    /// The `n` greatest logits, at most all, and the weight of all; `None` when something is not a number.
    pub(crate) fn top(&mut self, row: MaskedRow<'_>, n: usize, temperature: f64) -> ort::Result<Option<TopLogits>> {
        let count = Tensor::from_array(([1], vec![n.clamp(1, self.width) as i64]))?.upcast();
        let inputs = [(COUNT, count), (SCALE, number(1.0 / temperature)?)];
        let [top, ids, total] = self.run(Task::Top, row, &inputs, [TOP, TOP_IDS, TOTAL])?;
        let total = first::<f64>(&total)?;
        if !total.is_finite() {
            return Ok(None);
        }
        let logits = top.try_extract_tensor::<f32>()?.1.iter().copied();
        let ids = ids.try_extract_tensor::<i64>()?.1.iter();
        let ids = ids.map(|&id| TokenId::new(u32::try_from(id).unwrap_or(u32::MAX)));
        let mut logits: Vec<(TokenId, f32)> = ids.zip(logits).filter(|(_, logit)| *logit > f32::NEG_INFINITY).collect();
        logits.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        logits.truncate(n);
        Ok(Some(TopLogits { logits, total }))
    }

    /// The token that is at `unit` of all weights; `None` when something is not a number.
    pub(crate) fn draw(&mut self, row: MaskedRow<'_>, temperature: f64, unit: f64) -> ort::Result<Option<TokenId>> {
        let inputs = [(SCALE, number(1.0 / temperature)?), (UNIT, number(unit)?)];
        let [total, block, place] = self.run(Task::Draw, row, &inputs, [TOTAL, BLOCK, PLACE])?;
        let (block, place) = (usize::try_from(first::<i64>(&block)?), usize::try_from(first::<i32>(&place)?));
        let (true, Ok(block), Ok(place)) = (first::<f64>(&total)?.is_finite(), block, place) else { return Ok(None) };
        Ok(u32::try_from(block * BLOCK_LEN + place).ok().map(TokenId::new))
    }

    fn run<const N: usize>(
        &mut self,
        task: Task,
        row: MaskedRow<'_>,
        inputs: &[(&str, DynTensor)],
        outputs: [&str; N],
    ) -> ort::Result<[DynTensor; N]> {
        let position = Tensor::from_array(([1], vec![row.position as i64]))?;
        let ids = Tensor::from_array(([row.mask.ids.len()], row.mask.ids.clone()))?;
        let id_flags = Tensor::from_array(([row.mask.id_flags.len()], row.mask.id_flags.clone()))?;
        let session = match &mut self.sessions[task as usize] {
            Some(session) => session,
            none => none.insert(self.opener.open(&head_model(task, self.logits_type, self.width))?),
        };
        let mut binding = session.create_binding()?;
        binding.bind_input(LOGITS, row.pass)?;
        binding.bind_input(POSITION, &position)?;
        binding.bind_input(FLAGS, &*row.mask.flags)?;
        binding.bind_input(IDS, &ids)?;
        binding.bind_input(ID_FLAGS, &id_flags)?;
        for (name, value) in inputs {
            binding.bind_input(*name, value)?;
        }
        for name in outputs {
            binding.bind_output_to_device(name, &self.host)?;
        }
        let mut given = session.run_binding(&binding)?;
        let taken: Vec<DynTensor> = outputs.iter().map(|name| take(&mut given, name)).collect::<ort::Result<_>>()?;
        taken.try_into().map_err(|_| ort::Error::new("the head gave too little"))
    }
}

fn number(value: f64) -> ort::Result<DynTensor> {
    Ok(Tensor::from_array(([1], vec![value]))?.upcast())
}

fn first<T: PrimitiveTensorElementType + Copy>(tensor: &DynTensor) -> ort::Result<T> {
    let (_, values) = tensor.try_extract_tensor::<T>()?;
    values.first().copied().ok_or_else(|| ort::Error::new("the head gave an empty tensor"))
}
