//! What do all routes share? The way from a prompt and a grammar to text that comes as it is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use formwork::json_schema::Profile;
use formwork::{CompileError, CompiledGrammar, Compiler, Grammar, TokenId};
use formwork_decode::{CancelToken, DecodeError, GenerationConfig};
use formwork_tokenizers::Tokenizer;
use moka::future::Cache;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout_at;

use crate::failure::{Dialect, Failure};
use crate::metrics::Metrics;
use crate::model::{PromptTemplate, ServedModel};
use crate::options::Options;
use crate::pulse::Pulse;
use crate::scheduler::{Delta, End, Event, Job, Scheduler};
use crate::thinking::Thinking;
use crate::tools::{Choice, Family, ToolPlan, ToolSpec, tool_plan};

/// Answers that one request may ask for.
pub(crate) const MAX_ANSWERS: usize = 128;

/// The model and everything that keeps requests apart.
pub struct Service {
    pub(crate) options: Options,
    pub(crate) model_name: String,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) started: u64,
    template: Option<Box<dyn PromptTemplate>>,
    template_source: String,
    family: Family,
    context_length: usize,
    compiler: Arc<Compiler>,
    grammars: Cache<String, Arc<CompiledGrammar>>,
    /// Grammars that are compiled at once.
    compilations: Arc<Semaphore>,
    /// One permit for each sequence that waits or is being written.
    room: Arc<Semaphore>,
    jobs: Sender<Job>,
    /// Set when no requests are taken any more: the server is told to end, or the model's thread has ended by a panic.
    is_ending: Arc<AtomicBool>,
    pulse: Arc<Pulse>,
}

impl Service {
    /// Starts the thread that owns the model. It ends when the service is dropped.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(options: Options, model: ServedModel) -> std::io::Result<(Service, std::thread::JoinHandle<()>)> {
        let ServedModel { name, backend, tokenizer, template } = model;
        let (metrics, pulse) = (Arc::new(Metrics::new()), Arc::new(Pulse::default()));
        let (jobs, receiver) = std::sync::mpsc::channel();
        let n_compilations = std::thread::available_parallelism().map_or(1, usize::from);
        let template_source = template.as_ref().map(|template| template.source()).unwrap_or_default();
        let compiler = Compiler::builder(Arc::clone(tokenizer.vocabulary()));
        let service = Service {
            model_name: name,
            metrics: Arc::clone(&metrics),
            tokenizer: tokenizer.clone(),
            started: crate::ids::now(),
            family: Family::of_template(&template_source),
            template_source,
            template,
            context_length: backend.context_length(),
            compiler: Arc::new(compiler.limits(options.limits.clone()).cached_grammars(0).build()),
            grammars: Cache::builder()
                .max_capacity(options.grammar_cache_bytes)
                .weigher(|key: &String, grammar: &Arc<CompiledGrammar>| weight(key, grammar))
                .build(),
            compilations: Arc::new(Semaphore::new(n_compilations)),
            room: Arc::new(Semaphore::new(usize::from(options.max_batch) + usize::from(options.max_queue))),
            jobs,
            is_ending: Arc::new(AtomicBool::new(false)),
            pulse: Arc::clone(&pulse),
            options,
        };
        let n_mask_threads = service.options.mask_threads;
        let scheduler = Scheduler { backend, tokenizer, n_mask_threads, metrics, pulse };
        let ended = SetOnDrop(Arc::clone(&service.is_ending));
        let run = move || {
            let _ended = ended;
            scheduler.run(&receiver);
        };
        Ok((service, std::thread::Builder::new().name("model".to_owned()).spawn(run)?))
    }

    /// Whether requests are taken: not where the model has been in one pass for longer than any request may take.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_ending.load(Ordering::Relaxed) && !self.pulse.is_stuck(self.options.request_timeout())
    }

    /// Whose errors the routes under `/v1` answer with.
    pub(crate) fn v1_dialect(&self) -> Dialect {
        if self.options.lmdeploy_errors { Dialect::LmDeploy } else { Dialect::OpenAi }
    }

    /// Takes no requests from now on.
    pub(crate) fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    /// Places for `n` answers, held until they are written.
    pub(crate) fn admit(&self, n: usize) -> Result<Vec<OwnedSemaphorePermit>, Failure> {
        if !self.is_ready() {
            return Err(Failure::unavailable());
        }
        let permit = || Arc::clone(&self.room).try_acquire_owned().map_err(|_| Failure::overloaded());
        (0..n).map(|_| permit()).collect()
    }

    /// What the model is asked with, and whether its answer begins with thought.
    pub(crate) fn prompt(&self, messages: &Value, tools: Option<&Value>) -> Result<(Vec<TokenId>, Thinking), Failure> {
        let text = match &self.template {
            Some(template) => {
                template.render(messages, tools).map_err(|error| Failure::about("messages", error.to_string()))?
            }
            None => plain_prompt(messages),
        };
        let thinking = Thinking::of_prompt(&self.template_source, &text);
        Ok((self.tokenizer.encode_with_special(&text), thinking))
    }

    /// The grammar of an answer with calls, and how they are found in it.
    pub(crate) fn tool_plan(
        &self,
        tools: &[ToolSpec],
        choice: Choice,
        is_parallel: bool,
        profile: Profile,
        answer: Option<Grammar>,
    ) -> ToolPlan {
        let has_special = |name: &str| self.tokenizer.special_token(name).is_some();
        tool_plan(self.family, tools, choice, is_parallel, profile, answer, has_special)
    }

    /// The most tokens that an answer may have.
    pub(crate) fn max_tokens(&self, asked: Option<usize>) -> usize {
        let limit = self.options.max_answer_tokens.unwrap_or(self.context_length);
        asked.unwrap_or(limit).min(limit)
    }

    /// Compiles a grammar, or waits for one that is compiling an equal one, or finds what was compiled before.
    pub(crate) async fn compile(&self, grammar: Grammar) -> Result<Arc<CompiledGrammar>, Arc<CompileError>> {
        let key = format!("{grammar:?}");
        if let Some(compiled) = self.grammars.get(&key).await {
            self.metrics.grammar_hits.inc();
            return Ok(compiled);
        }
        self.metrics.grammar_misses.inc();
        let (compiler, compilations) = (Arc::clone(&self.compiler), Arc::clone(&self.compilations));
        let compile = async move {
            // The semaphore is never closed.
            let permit = compilations.acquire_owned().await;
            let compile = move || {
                // Held until it is done, though whoever asked for it may be gone by then.
                let _permit = permit;
                compiler.compile(&grammar)
            };
            let compiled = tokio::task::spawn_blocking(compile).await;
            compiled.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        };
        let compiled = self.grammars.try_get_with(key, compile).await;
        if let Err(error) = &compiled
            && let CompileError::Schema(schema) = &**error
        {
            let keywords = schema.violations().iter().filter_map(|violation| violation.keyword.as_deref());
            keywords.for_each(|keyword| self.metrics.count_refusal(keyword));
        }
        compiled
    }

    /// Compiles an answer's grammar with the model's thought before it. A refusal speaks of the grammar alone.
    pub(crate) async fn compile_behind(
        &self,
        thinking: Thinking,
        grammar: Grammar,
    ) -> Result<Arc<CompiledGrammar>, Arc<CompileError>> {
        let compiled = self.compile(thinking.before(grammar.clone())).await;
        match compiled {
            Err(error) if thinking != Thinking::Never => Err(self.compile(grammar).await.err().unwrap_or(error)),
            compiled => compiled,
        }
    }

    /// Lets the model write one answer. What is wrong with the prompt is said here, before a stream begins.
    pub(crate) fn submit(
        &self,
        prompt: Vec<TokenId>,
        grammar: Option<Arc<CompiledGrammar>>,
        config: GenerationConfig,
        arrival: Instant,
        permit: OwnedSemaphorePermit,
    ) -> Result<Answer, Failure> {
        let (n_tokens, context_length) = (prompt.len(), self.context_length);
        if n_tokens == 0 {
            return Err(DecodeError::EmptyPrompt.into());
        }
        if n_tokens >= context_length {
            return Err(DecodeError::PromptTooLong { n_tokens, context_length }.into());
        }
        let (events, receiver) = mpsc::unbounded_channel();
        let cancel = config.cancel.clone();
        let deadline = arrival + self.options.request_timeout();
        let job = Job { prompt, grammar, config, deadline, events, permit };
        self.metrics.queued.inc();
        self.jobs.send(job).map_err(|_| Failure::unavailable())?;
        Ok(Answer { events: receiver, cancel, deadline: deadline.into() })
    }
}

/// Sets a flag when its thread ends, by a panic as well.
struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An answer that is being written. Dropped, it is not written on.
#[derive(Debug)]
pub(crate) struct Answer {
    events: mpsc::UnboundedReceiver<Event>,
    cancel: CancelToken,
    /// By the clock that is never set. The model's thread looks at it between passes; this is for passes that do not end.
    deadline: tokio::time::Instant,
}

impl Answer {
    /// What comes next: more text, or the end.
    pub(crate) async fn next(&mut self) -> Result<Next, Failure> {
        match timeout_at(self.deadline, self.events.recv()).await {
            Ok(Some(Event::Delta(delta))) => Ok(Next::Delta(delta)),
            Ok(Some(Event::End(outcome))) => Ok(Next::End(outcome?)),
            // The model's thread has ended in the middle.
            Ok(None) => Err(Failure::unavailable()),
            Err(_) => Err(Failure::too_slow()),
        }
    }

    /// The whole answer.
    pub(crate) async fn whole(mut self) -> Result<(Delta, End), Failure> {
        let mut whole = Delta::default();
        loop {
            match self.next().await? {
                Next::Delta(delta) => {
                    whole.text.push_str(&delta.text);
                    whole.records.extend(delta.records);
                }
                Next::End(end) => return Ok((whole, end)),
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// What comes next of an answer.
#[derive(Debug)]
pub(crate) enum Next {
    Delta(Delta),
    End(End),
}

/// Bytes of a cache entry, as far as they are known when it is made: masks come later.
fn weight(key: &str, grammar: &CompiledGrammar) -> u32 {
    u32::try_from(key.len() + grammar.stats().bytes).unwrap_or(u32::MAX)
}

/// For models without a template: the texts, one below the other.
fn plain_prompt(messages: &Value) -> String {
    let texts = messages.as_array().into_iter().flatten().filter_map(|message| message.get("content")?.as_str());
    texts.collect::<Vec<_>>().join("\n")
}
