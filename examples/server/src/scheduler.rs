//! When is which sequence written? One thread owns the model: sequences join its batch and leave between passes.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use formwork::{CompiledGrammar, TokenId};
use formwork_decode::{
    Batch, BatchBackend, DecodeError, FinishReason, Generation, GenerationConfig, RunStats, Sequence, SequenceId,
    TokenRecord,
};
use formwork_tokenizers::Tokenizer;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;

use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::pulse::Pulse;

/// One sequence to write.
pub(crate) struct Job {
    pub(crate) prompt: Vec<TokenId>,
    pub(crate) grammar: Option<Arc<CompiledGrammar>>,
    pub(crate) config: GenerationConfig,
    pub(crate) deadline: Instant,
    /// Bounded by the tokens of the answer, so a slow reader holds up nobody.
    pub(crate) events: UnboundedSender<Event>,
    /// Its place in the queue, given back when it is done.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// What becomes of a job.
#[derive(Debug)]
pub(crate) enum Event {
    /// More text.
    Delta(Delta),
    /// The end. Nothing comes behind it.
    End(Result<End, Failure>),
}

/// Text that became certain, and the tokens that were added.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    pub(crate) text: String,
    /// Empty unless the job asks for records.
    pub(crate) records: Vec<TokenRecord>,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) finish: FinishReason,
    pub(crate) stats: RunStats,
}

/// The thread that owns the model.
pub(crate) struct Scheduler {
    pub(crate) backend: Box<dyn BatchBackend + Send>,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) n_mask_threads: usize,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) pulse: Arc<Pulse>,
}

impl Scheduler {
    /// Writes jobs until no sender of jobs is left.
    pub(crate) fn run(self, jobs: &Receiver<Job>) {
        let Scheduler { mut backend, tokenizer, n_mask_threads, metrics, pulse } = self;
        let mut batch = Batch::new(backend.as_ref(), n_mask_threads);
        let mut running: HashMap<SequenceId, Running> = HashMap::new();
        loop {
            while batch.has_room() {
                let job = match batch.is_empty() {
                    true => jobs.recv().map_err(|_| TryRecvError::Disconnected),
                    false => jobs.try_recv(),
                };
                let job = match job {
                    Ok(job) => job,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) if batch.is_empty() => return,
                    Err(TryRecvError::Disconnected) => break,
                };
                metrics.queued.dec();
                if let Some(refusal) = job.refusal() {
                    job.end(Err(refusal));
                    continue;
                }
                match pulse.during(|| begin(&mut batch, backend.as_mut(), &tokenizer, &job)) {
                    Ok(id) => {
                        metrics.running.inc();
                        running.insert(id, Running { job, n_text: 0, n_records: 0 });
                    }
                    Err(failure) => job.end(Err(failure)),
                }
            }
            let departures = pulse.during(|| batch.step(backend.as_mut()));
            for (id, sequence) in batch.sequences() {
                if let Some(running) = running.get_mut(&id) {
                    running.send(sequence.text(), sequence.records());
                    running.cancel_where_due();
                }
            }
            for (id, outcome) in departures {
                metrics.running.dec();
                if let Some(running) = running.remove(&id) {
                    running.finish(outcome, &metrics);
                }
            }
        }
    }
}

/// Puts a job into the batch, which has room. A panic is the job's own failure, as it is within the batch.
fn begin<'a>(
    batch: &mut Batch<'a>,
    backend: &mut dyn BatchBackend,
    tokenizer: &'a Tokenizer,
    job: &Job,
) -> Result<SequenceId, Failure> {
    let join = || {
        let sequence = match &job.grammar {
            Some(grammar) => Sequence::constrained(tokenizer, &job.prompt, grammar.matcher(), &job.config),
            None => Sequence::unconstrained(tokenizer, &job.prompt, &job.config),
        };
        batch.join(backend, sequence?)
    };
    match catch_unwind(AssertUnwindSafe(join)) {
        // There was room a moment ago, and this thread alone fills it.
        Ok(joined) => joined?.ok_or_else(Failure::unavailable),
        Err(_told_by_the_hook) => Err(Failure::internal()),
    }
}

impl Job {
    /// Why it need not be begun.
    fn refusal(&self) -> Option<Failure> {
        if Instant::now() >= self.deadline {
            return Some(Failure::too_slow());
        }
        self.config.cancel.is_cancelled().then(Failure::unavailable)
    }

    /// A receiver that is gone wants to know nothing.
    fn end(self, outcome: Result<End, Failure>) {
        let Job { events, permit, .. } = self;
        drop(permit);
        let _ = events.send(Event::End(outcome));
    }
}

/// A job that is being written, and what was handed out of it.
struct Running {
    job: Job,
    n_text: usize,
    n_records: usize,
}

impl Running {
    fn send(&mut self, text: &str, records: &[TokenRecord]) {
        let delta = Delta { text: text[self.n_text..].to_owned(), records: records[self.n_records..].to_vec() };
        if delta.text.is_empty() && delta.records.is_empty() {
            return;
        }
        (self.n_text, self.n_records) = (text.len(), records.len());
        if self.job.events.send(Event::Delta(delta)).is_err() {
            self.job.config.cancel.cancel();
        }
    }

    fn cancel_where_due(&self) {
        if self.job.events.is_closed() || Instant::now() >= self.job.deadline {
            self.job.config.cancel.cancel();
        }
    }

    fn finish(mut self, outcome: Result<Generation, DecodeError>, metrics: &Metrics) {
        let outcome = match outcome {
            Ok(generation) => {
                self.send(&generation.text, &generation.records);
                metrics.count_run(&generation.stats);
                match generation.finish {
                    FinishReason::Cancelled if Instant::now() >= self.job.deadline => Err(Failure::too_slow()),
                    FinishReason::Cancelled => Err(Failure::unavailable()),
                    finish => Ok(End { finish, stats: generation.stats }),
                }
            }
            Err(error) => Err(error.into()),
        };
        self.job.end(outcome);
    }
}
