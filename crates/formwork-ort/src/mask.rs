//! How does a mask get to the device? The rows that masks share stay there; a step sends the ids by which it differs.

use std::sync::Arc;

use formwork::TokenMask;
use formwork_decode::ResidentRows;
use ort::memory::MemoryInfo;
use ort::session::Session;
use ort::value::{DynTensor, Tensor};

use crate::head_graph::{FLAGS, WORDS, mask_words, unpack_model};
use crate::runner::{device_memory, take};
use crate::session::Opener;

/// A mask as the head takes it.
#[derive(Clone, Debug)]
pub(crate) struct DeviceMask {
    /// One flag per logit, on the device.
    pub(crate) flags: Arc<DynTensor>,
    /// Ids whose flags are other than those, at least one.
    pub(crate) ids: Vec<i32>,
    pub(crate) id_flags: Vec<bool>,
}

/// The rows of masks that the device has.
#[derive(Debug)]
pub(crate) struct DeviceRows {
    rows: ResidentRows<Arc<DynTensor>>,
    /// Makes flags of a packed row. Opened when the first row is sent.
    unpack: Option<Session>,
    memory: MemoryInfo<'static>,
    width: usize,
    /// The row of masks that have none of their own.
    nothing: Arc<[u32]>,
    /// The row of no mask at all.
    everything: Arc<[u32]>,
}

impl DeviceRows {
    /// Room for `max_rows` rows of this width.
    pub(crate) fn new(opener: &Opener, width: usize, max_rows: usize) -> ort::Result<DeviceRows> {
        let row = |word| Arc::from(vec![word; mask_words(width)]);
        Ok(DeviceRows {
            rows: ResidentRows::new(max_rows),
            unpack: None,
            memory: device_memory(opener.device)?,
            width,
            nothing: row(0),
            everything: row(u32::MAX),
        })
    }

    /// The mask, or that of all tokens; and how many bytes go to the device for it.
    pub(crate) fn prepare(&mut self, opener: &Opener, mask: Option<&TokenMask>) -> ort::Result<(DeviceMask, usize)> {
        let words = match mask {
            Some(mask) => mask.base().unwrap_or(&self.nothing),
            None => &self.everything,
        };
        let words = Arc::clone(words);
        let (unpack, memory, width) = (&mut self.unpack, &self.memory, self.width);
        let mut n_sent = 0;
        let send = |words: &[u32]| {
            let mut words = words.to_vec();
            words.resize(mask_words(width), 0);
            n_sent = 4 * words.len();
            let session = match unpack {
                Some(session) => session,
                None => unpack.insert(opener.open(&unpack_model(width))?),
            };
            unpacked(session, memory, words).map(Arc::new)
        };
        let flags = Arc::clone(self.rows.get(&words, send)?.0);
        let (ids, id_flags) = differences(mask, &words, self.width);
        let n_bytes = n_sent + size_of_val(&ids[..]) + size_of_val(&id_flags[..]);
        Ok((DeviceMask { flags, ids, id_flags }, n_bytes))
    }
}

fn unpacked(session: &mut Session, memory: &MemoryInfo<'_>, words: Vec<u32>) -> ort::Result<DynTensor> {
    let mut binding = session.create_binding()?;
    binding.bind_input(WORDS, &Tensor::from_array(([words.len()], words))?)?;
    binding.bind_output_to_device(FLAGS, memory)?;
    take(&mut session.run_binding(&binding)?, FLAGS)
}

/// The ids within the width that are added and removed, and their flags. As many as a power of two, so that few shapes
/// occur: one of them is there several times, or the first id with the flag that it has anyway.
fn differences(mask: Option<&TokenMask>, words: &[u32], width: usize) -> (Vec<i32>, Vec<bool>) {
    let (added, removed) = mask.map_or((&[][..], &[][..]), |mask| (mask.added(), mask.removed()));
    let inside = |ids: &[u32]| ids.partition_point(|id| (*id as usize) < width);
    let (added, removed) = (&added[..inside(added)], &removed[..inside(removed)]);
    let mut ids: Vec<i32> = added.iter().chain(removed).map(|id| *id as i32).collect();
    let mut flags = vec![true; added.len()];
    flags.resize(ids.len(), false);
    let has_first = words.first().is_some_and(|word| word & 1 == 1);
    let (id, flag) = (ids.last().copied().unwrap_or(0), flags.last().copied().unwrap_or(has_first));
    let n_ids = ids.len().next_power_of_two();
    ids.resize(n_ids, id);
    flags.resize(n_ids, flag);
    (ids, flags)
}
