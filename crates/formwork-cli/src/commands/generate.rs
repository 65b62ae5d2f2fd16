//! How is text made? `formwork generate`: a model writes, a grammar says what may come.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use formwork::{CompiledGrammar, Compiler, Grammar, TokenId};
use formwork_decode::{FinishReason, Generation, GenerationConfig, Sampling, Sequence, generate_streaming};

use crate::display::say;
use crate::document_args::DocumentArgs;
use crate::failure::Failure;
use crate::input::read_text;
use crate::model::{BackendChoice, Model};
use crate::progress::Progress;
use crate::schema_args::{LayoutArgs, SchemaArg, StrictnessArgs};

/// Let a model write text that keeps to a schema
///
/// The text alone goes to standard output, a summary to standard error.
#[derive(Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    grammar: GrammarArgs,
    /// What the model is asked; put through its chat template
    #[arg(long, value_name = "TEXT")]
    prompt: String,
    /// Folder with a model in the Hugging Face layout (default: the small model that ships with formwork)
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// What runs the model; ONNX Runtime takes a folder with model.onnx
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    backend: BackendChoice,
    /// How many texts are made, one after the other, each with the next seed
    #[arg(short, default_value_t = 1, value_name = "N")]
    n: u64,
    /// Tokens to write at most
    #[arg(long, default_value_t = 512, value_name = "N")]
    max_tokens: usize,
    /// Steer the text so that it is complete within the tokens that may be written
    #[arg(long)]
    always_complete: bool,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Let the model write what it likes
    #[arg(long)]
    unconstrained: bool,
    #[command(flatten)]
    layout: LayoutArgs,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    strictness: StrictnessArgs,
}

/// What the text must be.
#[derive(Args)]
#[group(multiple = false)]
struct GrammarArgs {
    /// File with a JSON Schema; - is standard input
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Any JSON object
    #[arg(long)]
    json_mode: bool,
    /// A regular expression that the whole text matches
    #[arg(long, value_name = "RE")]
    regex: Option<String>,
    /// One of several texts
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    choice: Option<Vec<String>>,
    /// File with a grammar in Lark's notation; - is standard input
    #[arg(long, value_name = "FILE")]
    lark: Option<PathBuf>,
    /// File with a grammar in GBNF, the notation of llama.cpp; - is standard input
    #[arg(long, value_name = "FILE")]
    gbnf: Option<PathBuf>,
}

/// How tokens are chosen.
#[derive(Args)]
struct SamplingArgs {
    /// Start of the random numbers: the same seed gives the same text
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// 0 always takes the most probable token
    #[arg(long, default_value_t = 0.7, value_name = "T")]
    temperature: f64,
    /// Choose among the most probable tokens that together reach this probability
    #[arg(long, value_name = "P")]
    top_p: Option<f64>,
    /// Choose among this many tokens
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,
}

impl GenerateArgs {
    /// Writes the texts.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let grammar = self.grammar()?;
        let mut model = Model::load(self.backend, self.model.as_deref())?;
        let vocabulary = model.tokenizer.vocabulary().clone();
        let compiled = grammar.map(|grammar| Compiler::new(vocabulary).compile(&grammar)).transpose()?;
        let prompt = model.tokenizer.encode_with_special(&model.prompt_text(&self.prompt)?);
        for index in 0..self.n {
            let seed = self.sampling.seed.wrapping_add(index);
            let generation = self.write(&mut model, compiled.as_ref(), &prompt, seed)?;
            summarize(&generation, seed);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The grammar that was asked for; `None` for free text.
    fn grammar(&self) -> Result<Option<Grammar>, Failure> {
        let options = self.strictness.options(self.layout.layout());
        Ok(match &self.grammar {
            _ if self.unconstrained => None,
            GrammarArgs { schema: Some(path), .. } => {
                let grammar = SchemaArg { path: path.clone() }.grammar(options)?;
                Some(grammar.with_documents(self.documents.documents()?))
            }
            GrammarArgs { json_mode: true, .. } => Some(Grammar::json_object().with_options(options)),
            GrammarArgs { regex: Some(pattern), .. } => Some(Grammar::regex(pattern)),
            GrammarArgs { choice: Some(choices), .. } => Some(Grammar::choice(choices.iter().cloned())),
            GrammarArgs { lark: Some(path), .. } => Some(Grammar::lark(read_text(path)?).with_options(options)),
            GrammarArgs { gbnf: Some(path), .. } => Some(Grammar::gbnf(read_text(path)?)),
            _ => {
                let message =
                    "one of --schema, --json-mode, --regex, --choice, --lark, --gbnf and --unconstrained is needed";
                return Err(Failure::new(message));
            }
        })
    }

    /// Writes one text to standard output as it comes.
    fn write(
        &self,
        model: &mut Model,
        compiled: Option<&Arc<CompiledGrammar>>,
        prompt: &[TokenId],
        seed: u64,
    ) -> Result<Generation, Failure> {
        let config = self.config(seed);
        let sequence = match compiled {
            Some(compiled) => Sequence::constrained(&model.tokenizer, prompt, compiled.matcher(), &config)?,
            None => Sequence::unconstrained(&model.tokenizer, prompt, &config)?,
        };
        let mut output = std::io::stdout().lock();
        let mut progress = Progress::new(self.max_tokens);
        let mut written = Ok(());
        let generation = generate_streaming(&mut *model.backend, sequence, &mut |chunk| {
            progress.advance(chunk.tokens.len());
            written = output.write_all(chunk.text.as_bytes()).and_then(|()| output.flush());
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        progress.clear();
        written?;
        writeln!(output)?;
        Ok(generation?)
    }

    fn config(&self, seed: u64) -> GenerationConfig {
        let SamplingArgs { temperature, top_p, top_k, .. } = self.sampling;
        let sampling = Sampling { temperature, top_p, top_k, seed, ..Sampling::default() };
        let Self { max_tokens, always_complete, .. } = *self;
        GenerationConfig { sampling, max_tokens, always_complete, ..GenerationConfig::default() }
    }
}

/// One line on standard error that says what a text cost.
fn summarize(generation: &Generation, seed: u64) {
    let stats = &generation.stats;
    let end = match generation.finish {
        FinishReason::Length => "; cut off: the tokens ran out",
        FinishReason::Cancelled => "; cancelled",
        FinishReason::Stop | FinishReason::StopString { .. } => "",
    };
    say(&format!(
        "seed {seed}: {} tokens, {} of them forced; {:.0} tokens/s, {:.1} % of the time spent on masks{end}\n",
        stats.tokens,
        stats.forced_tokens,
        stats.tokens_per_second(),
        100.0 * stats.mask_share(),
    ));
}
