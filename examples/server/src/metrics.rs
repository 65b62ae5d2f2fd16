//! How is the server doing? Counters in Prometheus' text format.

use std::sync::atomic::AtomicU64;

use formwork_decode::RunStats;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

type Seconds = Counter<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatus {
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKeyword {
    keyword: String,
}

/// All figures. Clones of a figure share its value.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) queued: Gauge,
    pub(crate) running: Gauge,
    answers: Family<ByStatus, Counter>,
    refusals: Family<ByKeyword, Counter>,
    prompt_tokens: Counter,
    tokens: Counter,
    forced_tokens: Counter,
    forward_passes: Counter,
    model: Seconds,
    mask: Seconds,
    sampling: Seconds,
    pub(crate) grammar_hits: Counter,
    pub(crate) grammar_misses: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("formwork"),
            queued: Gauge::default(),
            running: Gauge::default(),
            answers: Family::default(),
            refusals: Family::default(),
            prompt_tokens: Counter::default(),
            tokens: Counter::default(),
            forced_tokens: Counter::default(),
            forward_passes: Counter::default(),
            model: Seconds::default(),
            mask: Seconds::default(),
            sampling: Seconds::default(),
            grammar_hits: Counter::default(),
            grammar_misses: Counter::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("queued_sequences", "Sequences that wait", self.queued.clone());
        registry.register("running_sequences", "Sequences that are being written", self.running.clone());
        registry.register("answers", "Requests by the status of their answer", self.answers.clone());
        registry.register("refused_schemas", "Refused schemas by keyword", self.refusals.clone());
        registry.register("prompt_tokens", "Tokens of prompts", self.prompt_tokens.clone());
        registry.register("tokens", "Tokens written", self.tokens.clone());
        registry.register("forced_tokens", "Tokens written that the grammar forced", self.forced_tokens.clone());
        registry.register("forward_passes", "Forward passes, counted for each sequence", self.forward_passes.clone());
        let seconds = |registry: &mut Registry, name, help, metric: &Seconds| {
            registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
        };
        seconds(registry, "model_time", "Time in the model, counted for each sequence", &self.model);
        seconds(registry, "mask_time", "Time on grammars", &self.mask);
        seconds(registry, "sampling_time", "Time choosing tokens", &self.sampling);
        registry.register("grammar_cache_hits", "Grammars that were compiled already", self.grammar_hits.clone());
        registry.register("grammar_cache_misses", "Grammars that were compiled", self.grammar_misses.clone());
    }

    pub(crate) fn count_answer(&self, status: u16) {
        self.answers.get_or_create(&ByStatus { status }).inc();
    }

    pub(crate) fn count_refusal(&self, keyword: &str) {
        // Keywords come from requests: what is not plausible must not become a label.
        let is_plausible =
            keyword.len() <= 32 && keyword.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'$');
        let keyword = if is_plausible { keyword } else { "other" };
        self.refusals.get_or_create(&ByKeyword { keyword: keyword.to_owned() }).inc();
    }

    pub(crate) fn count_run(&self, stats: &RunStats) {
        self.prompt_tokens.inc_by(stats.prompt_tokens as u64);
        self.tokens.inc_by(stats.tokens as u64);
        self.forced_tokens.inc_by(stats.forced_tokens as u64);
        self.forward_passes.inc_by(stats.forward_passes as u64);
        self.model.inc_by(stats.model.as_secs_f64());
        self.mask.inc_by(stats.mask.as_secs_f64());
        self.sampling.inc_by(stats.sampling.as_secs_f64());
    }

    /// The text of `/metrics`.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}
