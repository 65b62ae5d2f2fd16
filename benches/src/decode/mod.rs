//! How fast are whole decoders, with and without a constraint? Models, tasks and ways to write, run in turn.

mod model;
mod report;
mod tasks;

use std::time::{Duration, Instant};

use formwork::Compiler;
use formwork_decode::{
    Backend, DraftModel, Drafter, Generation, GenerationConfig, PromptLookup, Sampling, Sequence, TextTokenizer,
    generate, generate_speculative,
};

pub use self::model::{BackendName, DecodeModel, DeviceName, ModelSpec};
pub use self::report::render;
pub use self::tasks::{Task, tasks};

/// Tokens that a drafter proposes at once.
const N_DRAFT: usize = 6;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Without a grammar.
    Free,
    /// With masks alone: one pass for each token.
    Masked,
    /// With masks, forced text taken without passes of its own: the default.
    FastForward,
    /// The same, and drafts taken from the text so far.
    PromptLookup,
    /// The same, with drafts of a smaller model.
    Draft,
}

impl Mode {
    /// All, as a column shows them.
    pub const ALL: [(Mode, &'static str); 5] = [
        (Mode::Free, "free"),
        (Mode::Masked, "masked"),
        (Mode::FastForward, "fast-forward"),
        (Mode::PromptLookup, "prompt lookup"),
        (Mode::Draft, "draft model"),
    ];
}

/// One text and what it cost.
#[derive(Clone, Debug)]
pub struct Run {
    /// The task's name.
    pub task: &'static str,
    /// How it was written.
    pub mode: Mode,
    /// When: each round has all tasks and ways.
    pub round: usize,
    /// The text and its counts and times.
    pub generation: Generation,
    /// Time to compile the schema; none without one.
    pub compile: Duration,
}

/// Writes the task's text once. The schema is compiled anew, so that no mask is known from another run.
///
/// # Errors
/// What compiler, backend or engine report, as text.
pub fn run(
    model: &mut DecodeModel,
    draft: Option<&mut DecodeModel>,
    task: &Task,
    mode: Mode,
    max_tokens: usize,
    round: usize,
) -> Result<Run, String> {
    let prompt = model.prompt(task)?;
    let fast_forward = mode != Mode::Masked;
    let config =
        GenerationConfig { max_tokens, fast_forward, sampling: Sampling::greedy(), ..GenerationConfig::default() };
    let start = Instant::now();
    let compiled = match mode {
        Mode::Free => None,
        _ => {
            let compiler = Compiler::new(model.tokenizer.vocabulary().clone());
            Some(compiler.compile(&task.grammar).map_err(|error| error.to_string())?)
        }
    };
    let compile = start.elapsed();
    let tokenizer: &dyn TextTokenizer = &model.tokenizer;
    let sequence = match &compiled {
        Some(compiled) => Sequence::constrained(tokenizer, &prompt, compiled.matcher(), &config),
        None => Sequence::unconstrained(tokenizer, &prompt, &config),
    };
    let sequence = sequence.map_err(|error| error.to_string())?;
    let backend = model.backend.as_mut();
    let generation = match (mode, draft) {
        (Mode::PromptLookup, _) => speculate(backend, &mut PromptLookup::default(), sequence)?,
        (Mode::Draft, Some(draft)) => {
            let drafter = DraftModel::new(draft.backend.as_mut(), Sampling::greedy());
            let mut drafter = drafter.map_err(|error| error.to_string())?;
            speculate(backend, &mut drafter, sequence)?
        }
        (Mode::Draft, None) => return Err("no draft model was given".to_owned()),
        _ => generate(backend, sequence).map_err(|error| error.to_string())?,
    };
    Ok(Run { task: task.name, mode, round, generation, compile })
}

fn speculate(
    backend: &mut dyn Backend,
    drafter: &mut dyn Drafter,
    sequence: Sequence<'_>,
) -> Result<Generation, String> {
    let (generation, _) =
        generate_speculative(backend, drafter, sequence, N_DRAFT).map_err(|error| error.to_string())?;
    Ok(generation)
}
