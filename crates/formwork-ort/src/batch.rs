//! How do many sequences go through one session? Their rows are padded on the left to one pass.

use std::sync::Arc;

use formwork::TokenId;
use formwork_decode::{BackendError, BatchBackend, Logits, RowResult};
use ort::value::DynTensor;

use crate::error::runtime;
use crate::logits::{OrtLogits, SharedHead};
use crate::pack::Packer;
use crate::padding::is_padding_seen_through;
use crate::provider::ProviderReport;
use crate::rows::{Arrangement, Group, Rows};
use crate::runner::{Feed, Runner};
use crate::split::split_by_length;

/// Slots without text in the longest row before the cache is packed anew, beside a quarter of that row.
const MAX_GAPS: usize = 64;

/// Many sequences on one session, in one pass. Made by [`OrtModel::into_batch`](crate::OrtModel::into_batch).
///
/// Rows are padded on the left, in the pass and in the cache; the attention mask hides what is no text, so a row's logits
/// are those it would have alone. The cache stays where it is, on the model's device, while the same rows take part in each
/// pass. When a row joins, leaves or is cut, or when padding becomes more than a quarter of the longest row, the rows are
/// copied into a new cache, on the device as well.
///
/// Rows with many new tokens, such as prompts, go through the model apart from those with few, so that at least half of
/// what each row is fed is text (passes of up to 64 positions are not split). A pass that fails is repeated for each of its rows
/// alone: the error is then of the row whose fault it is.
///
/// Models that cannot be padded get one pass for each row: those without the inputs `attention_mask` and `position_ids`,
/// and those that turn out not to hide the padding. [`OrtBatch::is_padded`] tells.
#[derive(Debug)]
pub struct OrtBatch {
    runner: Runner,
    head: SharedHead,
    rows: Rows,
    provider: ProviderReport,
    context_length: usize,
    is_padded: bool,
}

/// The result of a pass that the rows do not have yet.
pub(crate) struct Outcome<'a> {
    rows: Vec<usize>,
    tokens: Vec<&'a [TokenId]>,
    cache: Group,
    slots: Vec<Vec<usize>>,
    logits: Arc<DynTensor>,
    pub(crate) n_positions: usize,
}

impl OrtBatch {
    /// One row, not padded.
    pub(crate) fn single(
        runner: Runner,
        head: SharedHead,
        packer: Packer,
        provider: ProviderReport,
        context_length: usize,
    ) -> OrtBatch {
        OrtBatch { runner, head, rows: Rows::new(1, packer), provider, context_length, is_padded: false }
    }

    /// `n_rows` empty rows, padded where the model allows that.
    pub(crate) fn with_rows(mut self, n_rows: usize) -> OrtBatch {
        self.is_padded = is_padding_seen_through(&mut self);
        self.rows.reset(n_rows);
        self
    }

    /// Empty rows for a trial.
    pub(crate) fn reset(&mut self, n_rows: usize, is_padded: bool) {
        self.rows.reset(n_rows);
        self.is_padded = is_padded;
    }

    /// Whether the rows go through the model together; otherwise each has a pass of its own.
    pub fn is_padded(&self) -> bool {
        self.is_padded
    }

    /// What the model was to run on, what it runs on, and why.
    pub fn provider(&self) -> &ProviderReport {
        &self.provider
    }

    /// How many caches were made so far: one by each pass, and one each time that rows are packed.
    #[cfg(test)]
    pub(crate) fn n_caches(&self) -> u64 {
        self.rows.n_groups()
    }

    /// Whether the model's file has what padding needs.
    pub(crate) fn has_padding_inputs(&self) -> bool {
        let signature = self.runner.signature();
        signature.has_attention_mask && signature.has_position_ids
    }

    /// Runs rows with their new tokens, all of them checked. The rows are as they were until they [keep](Self::keep) it.
    pub(crate) fn pass<'a>(&mut self, inputs: &[(usize, &'a [TokenId])]) -> Result<Outcome<'a>, BackendError> {
        let mut inputs = inputs.to_vec();
        inputs.sort_by_key(|&(row, _)| self.rows.order(row));
        let (rows, tokens): (Vec<usize>, Vec<&[TokenId]>) = inputs.into_iter().unzip();
        let max_gaps = self.max_gaps(&rows, &tokens);
        let Arrangement { group, mut slots } = self.rows.arrange(&rows, max_gaps).map_err(runtime)?;
        let feed = feed(&tokens, &slots, group.n_slots);
        let pass = self.runner.run(&feed, &group.tensors)?;
        let n_slots = feed.n_past + feed.n_new;
        for (slots, tokens) in slots.iter_mut().zip(&tokens) {
            slots.extend(n_slots - tokens.len()..n_slots);
        }
        let cache = Group { id: self.rows.next_id(), tensors: pass.cache, n_lanes: rows.len(), n_slots };
        Ok(Outcome { rows, tokens, cache, slots, logits: Arc::new(pass.logits), n_positions: pass.n_positions })
    }

    /// How many slots of a cache may be without text in the longest of these rows. With gaps no more positions go in than
    /// the model's context has, as some models cannot take more.
    fn max_gaps(&self, rows: &[usize], tokens: &[&[TokenId]]) -> usize {
        if !self.is_padded {
            return 0;
        }
        let n_cached = rows.iter().map(|&row| self.cached(row).len()).max().unwrap_or(0);
        let n_new = tokens.iter().map(|tokens| tokens.len()).max().unwrap_or(0);
        (MAX_GAPS + n_cached / 4).min(self.context_length.saturating_sub(n_cached + n_new))
    }

    /// Makes a result the rows' own. Gives the logits of the last `n_positions` of each row, row after row.
    pub(crate) fn keep(&mut self, outcome: Outcome<'_>, n_positions: usize) -> Vec<(usize, Vec<Box<dyn Logits>>)> {
        let Outcome { rows, tokens, cache, slots, logits, n_positions: n_given } = outcome;
        self.rows.settle(&rows, cache, slots, &tokens);
        let row_logits = |lane: usize| {
            let positions = (lane + 1) * n_given - n_positions..(lane + 1) * n_given;
            let new = |position| OrtLogits::new(Arc::clone(&self.head), Arc::clone(&logits), position);
            positions.map(|position| Box::new(new(position)) as Box<dyn Logits>).collect()
        };
        rows.iter().enumerate().map(|(lane, &row)| (row, row_logits(lane))).collect()
    }

    /// One pass for several rows; when it fails, one for each.
    fn run_together(&mut self, inputs: &[(usize, &[TokenId])]) -> Vec<(usize, RowResult)> {
        match self.pass(inputs) {
            Ok(outcome) => {
                let last = |(row, logits): (usize, Vec<Box<dyn Logits>>)| {
                    let missing = || BackendError::runtime("the pass gave no logits");
                    (row, logits.into_iter().next_back().ok_or_else(missing))
                };
                self.keep(outcome, 1).into_iter().map(last).collect()
            }
            Err(error) => match inputs {
                [(row, _)] => vec![(*row, Err(error))],
                _ => inputs.iter().flat_map(|input| self.run_together(std::slice::from_ref(input))).collect(),
            },
        }
    }
}

/// The inputs of a pass over rows whose text is in these slots of the cache.
fn feed(tokens: &[&[TokenId]], slots: &[Vec<usize>], n_past: usize) -> Feed {
    let n_lanes = tokens.len();
    let n_new = tokens.iter().map(|tokens| tokens.len()).max().unwrap_or(0);
    let (mut ids, mut positions, mut attention) = (Vec::new(), Vec::new(), Vec::new());
    for (tokens, slots) in tokens.iter().zip(slots) {
        let padding = || std::iter::repeat_n(0, n_new - tokens.len());
        let n_cached = slots.len() as i64;
        ids.extend(padding().chain(tokens.iter().map(|token| i64::from(token.get()))));
        positions.extend(padding().chain((n_cached..).take(tokens.len())));
        let start = attention.len();
        attention.resize(start + n_past, 0);
        slots.iter().for_each(|slot| attention[start + slot] = 1);
        attention.extend(padding().chain(std::iter::repeat_n(1, tokens.len())));
    }
    Feed { n_lanes, n_past, n_new, ids, positions, attention }
}

impl BatchBackend for OrtBatch {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn forward_rows(&mut self, inputs: &[(usize, &[TokenId])]) -> Vec<RowResult> {
        let mut results: Vec<Option<RowResult>> = Vec::new();
        for (index, &(row, tokens)) in inputs.iter().enumerate() {
            let is_twice = inputs[..index].iter().any(|(other, _)| *other == row);
            let twice = || BackendError::runtime(format!("row {row} is in the pass twice"));
            let checked = if is_twice { Err(twice()) } else { self.check_pass(row, tokens) };
            results.push(checked.err().map(Err));
        }
        let sound: Vec<usize> = (0..inputs.len()).filter(|&index| results[index].is_none()).collect();
        let lengths: Vec<usize> = sound.iter().map(|&index| inputs[index].1.len()).collect();
        let passes = if self.is_padded {
            split_by_length(&lengths)
        } else {
            (0..sound.len()).map(|index| vec![index]).collect()
        };
        for pass in passes {
            let of_pass: Vec<_> = pass.iter().map(|&index| inputs[sound[index]]).collect();
            for (row, result) in self.run_together(&of_pass) {
                let index = sound.iter().find(|&&index| inputs[index].0 == row);
                if let Some(&index) = index {
                    results[index] = Some(result);
                }
            }
        }
        self.rows.drop_empty_lanes();
        let missing = || Err(BackendError::runtime("the row was left out of the pass"));
        results.into_iter().map(|result| result.unwrap_or_else(missing)).collect()
    }

    fn cached(&self, row: usize) -> &[TokenId] {
        self.rows.get(row).map_or(&[], |row| row.cached())
    }

    fn truncate(&mut self, row: usize, n_positions: usize) -> Result<(), BackendError> {
        match self.rows.get_mut(row) {
            Some(row) => row.truncate(n_positions),
            None if n_positions == 0 => Ok(()),
            None => Err(BackendError::Truncate { asked: n_positions, cached: 0 }),
        }
    }

    fn logits_width(&self) -> usize {
        self.runner.signature().width
    }

    fn context_length(&self) -> usize {
        self.context_length
    }
}
