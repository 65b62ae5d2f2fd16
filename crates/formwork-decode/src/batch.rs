//! How are many outputs written at once? A driver whose sequences join and leave while others go on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use formwork::TokenId;

use crate::backend::{Backend, Logits, check_tokens};
use crate::error::{BackendError, DecodeError};
use crate::generate::{Generation, finished, n_to_keep};
use crate::sequence::Sequence;
use crate::stats::timed;

/// What one row of a batched pass gave.
pub type RowResult = Result<Box<dyn Logits>, BackendError>;

/// A runtime with one row, that is one cache, for each sequence of a batch.
pub trait BatchBackend {
    /// How many sequences fit at once.
    fn n_rows(&self) -> usize;

    /// Feeds each row its tokens, with the results in the order of `inputs`, one for each. The rows are all different.
    ///
    /// An error of one row leaves the others as they are.
    fn forward_rows(&mut self, inputs: &[(usize, &[TokenId])]) -> Vec<RowResult>;

    /// The tokens whose positions are cached in a row, first to last; none beyond the last row.
    fn cached(&self, row: usize) -> &[TokenId];

    /// As [`Backend::truncate`], for one row.
    ///
    /// # Errors
    /// As [`Backend::truncate`]; a row that is not there has nothing cached.
    fn truncate(&mut self, row: usize, n_positions: usize) -> Result<(), BackendError>;

    /// As [`Backend::logits_width`].
    fn logits_width(&self) -> usize;

    /// As [`Backend::context_length`], for each row.
    fn context_length(&self) -> usize;

    /// As [`Backend::check_pass`], for one row.
    ///
    /// # Errors
    /// As [`Backend::check_pass`], or a row that is not there.
    fn check_pass(&self, row: usize, tokens: &[TokenId]) -> Result<(), BackendError> {
        match row < self.n_rows() {
            true => check_tokens(tokens, self.cached(row).len(), self.context_length(), self.logits_width()),
            false => Err(BackendError::runtime(format!("the batch has no row {row}"))),
        }
    }
}

/// Backends of one sequence each, as the rows of a batch: one pass per row.
impl<B: Backend> BatchBackend for Vec<B> {
    fn n_rows(&self) -> usize {
        self.len()
    }

    fn forward_rows(&mut self, inputs: &[(usize, &[TokenId])]) -> Vec<RowResult> {
        let feed = |&(row, tokens): &(usize, &[TokenId])| match self.get_mut(row) {
            Some(backend) => backend.forward(tokens),
            None => Err(BackendError::runtime(format!("the batch has no row {row}"))),
        };
        inputs.iter().map(feed).collect()
    }

    fn cached(&self, row: usize) -> &[TokenId] {
        self.get(row).map_or(&[], |backend| backend.cached())
    }

    fn truncate(&mut self, row: usize, n_positions: usize) -> Result<(), BackendError> {
        match self.get_mut(row) {
            Some(backend) => backend.truncate(n_positions),
            None if n_positions == 0 => Ok(()),
            None => Err(BackendError::Truncate { asked: n_positions, cached: 0 }),
        }
    }

    fn logits_width(&self) -> usize {
        self.first().map_or(0, |backend| backend.logits_width())
    }

    fn context_length(&self) -> usize {
        self.iter().map(|backend| backend.context_length()).min().unwrap_or(0)
    }
}

/// Names a sequence of a batch: they are numbered as they join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceId(u64);

/// A sequence that has left the batch, and its output or the error that ended it.
pub type Departure = (SequenceId, Result<Generation, DecodeError>);

/// The sequences that are being written. Each pass feeds all of them; their masks are made while it runs.
pub struct Batch<'a> {
    rows: Vec<Option<(SequenceId, Sequence<'a>)>>,
    n_threads: usize,
    next_id: u64,
}

impl<'a> Batch<'a> {
    /// An empty batch for the rows of `backend`, which makes masks on up to `n_threads` threads beside the one that runs
    /// the model; with 1, on that one after the pass is begun, which a device then does meanwhile.
    pub fn new(backend: &dyn BatchBackend, n_threads: usize) -> Batch<'a> {
        let rows = (0..backend.n_rows()).map(|_| None).collect();
        Batch { rows, n_threads: n_threads.max(1), next_id: 0 }
    }

    /// How many sequences are in the batch.
    pub fn len(&self) -> usize {
        self.rows.iter().flatten().count()
    }

    /// Whether no sequence is in the batch.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether one more sequence fits.
    pub fn has_room(&self) -> bool {
        self.len() < self.rows.len()
    }

    /// Puts a sequence into a free row, from the next pass on; `None` when there is no room.
    ///
    /// # Errors
    /// The prompt does not fit, or what the row's backend reports. The batch is unchanged then.
    pub fn join(
        &mut self,
        backend: &mut dyn BatchBackend,
        mut sequence: Sequence<'a>,
    ) -> Result<Option<SequenceId>, DecodeError> {
        let Some(index) = self.rows.iter().position(Option::is_none) else { return Ok(None) };
        let n_kept = n_to_keep(&mut sequence, backend.cached(index), backend.context_length())?;
        backend.truncate(index, n_kept)?;
        sequence.skip_cached(n_kept);
        let id = SequenceId(self.next_id);
        self.next_id += 1;
        self.rows[index] = Some((id, sequence));
        Ok(Some(id))
    }

    /// Takes a sequence out, with what it has so far; `None` when it is not there.
    pub fn remove(&mut self, id: SequenceId) -> Option<Generation> {
        let row = self.rows.iter_mut().find(|row| row.as_ref().is_some_and(|(own, _)| *own == id))?;
        row.take().map(|(_, mut sequence)| {
            sequence.cancel();
            finished(&sequence)
        })
    }

    /// The sequences in the batch, each as far as it is.
    pub fn sequences(&self) -> impl Iterator<Item = (SequenceId, &Sequence<'a>)> {
        self.rows.iter().flatten().map(|(id, sequence)| (*id, sequence))
    }

    /// One pass for all: each sequence gets a token and what is forced behind it. Those that have come to their end, or
    /// met an error, leave.
    ///
    /// A panic is the error of the sequence that it comes from, [`BackendError::Panicked`]: where it came from a pass of
    /// several rows, they are fed again one by one.
    pub fn step(&mut self, backend: &mut dyn BatchBackend) -> Vec<Departure> {
        for (_, sequence) in self.rows.iter_mut().flatten() {
            if sequence.config().cancel.is_cancelled() {
                sequence.cancel();
            }
        }
        let mut departures = self.take_finished();
        departures.extend(self.pass(backend));
        departures.extend(self.take_finished());
        departures
    }

    /// Writes all sequences to their ends.
    pub fn run(&mut self, backend: &mut dyn BatchBackend) -> Vec<Departure> {
        let mut departures = Vec::new();
        while !self.is_empty() {
            departures.extend(self.step(backend));
        }
        departures
    }

    fn take_finished(&mut self) -> Vec<Departure> {
        let is_finished = |row: &&mut Option<(SequenceId, Sequence<'a>)>| {
            row.as_ref().is_some_and(|(_, sequence)| sequence.finish_reason().is_some())
        };
        let leaving = self.rows.iter_mut().filter(is_finished).filter_map(Option::take);
        leaving.map(|(id, sequence)| (id, Ok(finished(&sequence)))).collect()
    }

    /// Feeds all sequences and makes their masks meanwhile.
    fn forward(&mut self, backend: &mut dyn BatchBackend, inputs: &[(usize, &[TokenId])]) -> Vec<RowResult> {
        let n_per_thread = self.len().div_ceil(self.n_threads).max(1);
        let mut active: Vec<_> = self.rows.iter_mut().flatten().map(|(_, sequence)| sequence).collect();
        if self.n_threads == 1 {
            let results = forward_contained(backend, inputs);
            prepare_masks(&mut active);
            return results;
        }
        std::thread::scope(|scope| {
            active.chunks_mut(n_per_thread).for_each(|chunk| {
                scope.spawn(|| prepare_masks(chunk));
            });
            forward_contained(backend, inputs)
        })
    }

    fn pass(&mut self, backend: &mut dyn BatchBackend) -> Vec<Departure> {
        let rows = self.rows.iter().enumerate();
        let inputs = rows.filter_map(|(row, held)| Some((row, held.as_ref()?.1.input().to_vec())));
        // Copied, because masks are made in the sequences while the model reads its input.
        let inputs: Vec<(usize, Vec<TokenId>)> = inputs.collect();
        let views: Vec<(usize, &[TokenId])> = inputs.iter().map(|(row, tokens)| (*row, &tokens[..])).collect();
        let mut model_time = std::time::Duration::ZERO;
        let mut results = timed(&mut model_time, || self.forward(backend, &views)).into_iter();
        let mut departures = Vec::new();
        for (index, _) in inputs {
            let missing = || Err(too_few_rows());
            let result = results.next().unwrap_or_else(missing);
            let Some((id, sequence)) = &mut self.rows[index] else { continue };
            sequence.stats_mut().forward_passes += 1;
            sequence.stats_mut().model += model_time;
            let outcome = result.map_err(DecodeError::from);
            let advance = |mut logits: Box<dyn Logits>| contained(|| sequence.advance(logits.as_mut()))?;
            if let Err(error) = outcome.and_then(advance) {
                departures.push((*id, Err(error)));
                self.rows[index] = None;
            }
        }
        departures
    }
}

/// Makes masks. What fails here fails again where the mask is used, and is told there.
fn prepare_masks(sequences: &mut [&mut Sequence<'_>]) {
    for sequence in sequences {
        let _ = contained(|| sequence.prepare_mask());
    }
}

/// One pass, or where that panics one for each row.
fn forward_contained(backend: &mut dyn BatchBackend, inputs: &[(usize, &[TokenId])]) -> Vec<RowResult> {
    let n_cached: Vec<usize> = inputs.iter().map(|(row, _)| backend.cached(*row).len()).collect();
    match contained(|| backend.forward_rows(inputs)) {
        Ok(results) => results,
        Err(error) if inputs.len() <= 1 => vec![Err(error)],
        Err(_) => inputs.iter().zip(n_cached).map(|(input, n)| forward_alone(backend, input, n)).collect(),
    }
}

/// The pass of one row that had `n_cached` positions before a pass for all panicked. It may have got its tokens there.
fn forward_alone(backend: &mut dyn BatchBackend, input: &(usize, &[TokenId]), n_cached: usize) -> RowResult {
    let results = contained(|| {
        backend.truncate(input.0, n_cached)?;
        Ok(backend.forward_rows(std::slice::from_ref(input)))
    });
    results??.pop().unwrap_or_else(|| Err(too_few_rows()))
}

fn too_few_rows() -> BackendError {
    BackendError::runtime("the batched pass gave too few rows")
}

/// What `run` gives, or its panic as an error.
///
/// What a panic leaves half done is not looked at again: a sequence leaves the batch, and of a backend's row only as much is
/// believed as [`BatchBackend::cached`] says.
fn contained<T>(run: impl FnOnce() -> T) -> Result<T, BackendError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        BackendError::Panicked(text.unwrap_or_else(|| "no message".to_owned()))
    })
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("rows", &self.rows).field("n_threads", &self.n_threads).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use formwork::{Compiler, Grammar};

    use super::*;
    use crate::config::GenerationConfig;
    use crate::generate::generate;
    use crate::scripted::{ByteTokenizer, ScriptedBackend};
    use crate::tokenizer::TextTokenizer;

    const TEXTS: [&str; 5] = ["<a>12", "<bcd>3", "<ef>456", "<g>7", "<hijk>89"];

    fn reciting(text: &str) -> ScriptedBackend {
        ScriptedBackend::reciting(4, text)
    }

    #[test]
    fn sequences_join_and_leave_and_an_error_is_of_one_alone() {
        let tokenizer = ByteTokenizer::new();
        let compiler = Compiler::new(tokenizer.vocabulary().clone());
        let compiled = compiler.compile(&Grammar::regex("<[a-z]{1,4}>[0-9]{1,3}")).unwrap();
        let config = GenerationConfig::default();
        let prompt = tokenizer.encode("say:");
        let new = || Sequence::constrained(&tokenizer, &prompt, compiled.matcher(), &config).unwrap();
        for n_threads in [1, 3] {
            let mut backend: Vec<_> = TEXTS[..3].iter().map(|text| reciting(text)).collect();
            backend[1].fails_at = Some(2);
            let mut batch = Batch::new(&backend, n_threads);
            let ids: Vec<_> = (0..3).map(|_| batch.join(&mut backend, new()).unwrap().unwrap()).collect();
            assert_eq!((batch.len(), batch.has_room()), (3, false));
            assert_eq!(batch.join(&mut backend, new()).unwrap(), None);
            let mut expected: Vec<_> = ids.iter().copied().zip(TEXTS).collect();
            let mut waiting = TEXTS[3..].iter();
            let mut departures = Vec::new();
            while !batch.is_empty() {
                departures.extend(batch.step(&mut backend));
                while let Some(text) = batch.has_room().then(|| waiting.next()).flatten() {
                    let free = batch.rows.iter().position(Option::is_none).unwrap();
                    backend[free] = reciting(text);
                    expected.push((batch.join(&mut backend, new()).unwrap().unwrap(), text));
                }
            }
            assert_eq!((departures.len(), expected.len()), (5, 5));
            for (id, text) in expected {
                let (_, outcome) = departures.iter().find(|(own, _)| *own == id).unwrap();
                if id == ids[1] {
                    assert!(matches!(outcome, Err(DecodeError::Backend(_))));
                    continue;
                }
                let alone = generate(&mut reciting(text), new()).unwrap();
                let generation = outcome.as_ref().unwrap();
                assert_eq!((generation.text.as_str(), &generation.tokens), (text, &alone.tokens));
                assert_eq!(generation.stats.forward_passes, alone.stats.forward_passes);
            }
        }
    }

    #[test]
    fn a_panic_is_of_one_alone() {
        let tokenizer = ByteTokenizer::new();
        let config = GenerationConfig::default();
        let prompt = tokenizer.encode("say:");
        let texts = ["hello", "sweet", "world"];
        for (n_threads, n_rows) in [(1, 3), (2, 3), (1, 1)] {
            let mut backend: Vec<_> = texts[..n_rows].iter().map(|text| reciting(text)).collect();
            // Rows before it have their tokens when it panics, those behind it have not.
            let faulty = n_rows / 2;
            backend[faulty].panics_at = Some(2);
            let mut batch = Batch::new(&backend, n_threads);
            for _ in 0..n_rows {
                let sequence = Sequence::unconstrained(&tokenizer, &prompt, &config).unwrap();
                batch.join(&mut backend, sequence).unwrap();
            }
            let mut departures = batch.run(&mut backend);
            departures.sort_by_key(|(id, _)| *id);
            assert_eq!(departures.len(), n_rows);
            for (index, (_, outcome)) in departures.into_iter().enumerate() {
                match outcome {
                    Ok(generation) => assert_eq!((generation.text.as_str(), index != faulty), (texts[index], true)),
                    Err(DecodeError::Backend(BackendError::Panicked(text))) => {
                        assert_eq!((text.as_str(), index), ("scripted panic", faulty));
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }

    #[test]
    fn a_sequence_that_is_taken_out_keeps_what_it_has() {
        let tokenizer = ByteTokenizer::new();
        let config = GenerationConfig::default();
        let prompt = tokenizer.encode("say:");
        let mut backend = vec![reciting("hello"), reciting("world")];
        let mut batch = Batch::new(&backend, 2);
        let mut join = || {
            let sequence = Sequence::unconstrained(&tokenizer, &prompt, &config).unwrap();
            batch.join(&mut backend, sequence).unwrap().unwrap()
        };
        let (first, second) = (join(), join());
        assert!(batch.step(&mut backend).is_empty() && batch.step(&mut backend).is_empty());
        assert_eq!(batch.remove(first).unwrap().text, "he");
        assert!(batch.remove(first).is_none());
        let departures = batch.run(&mut backend);
        assert_eq!(departures.len(), 1);
        assert_eq!((departures[0].0, departures[0].1.as_ref().unwrap().text.as_str()), (second, "world"));
    }
}
