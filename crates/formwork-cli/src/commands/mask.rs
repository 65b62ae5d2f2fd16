//! Which tokens may come at one point? `formwork mask`: the tokens that a schema allows after a prefix, to look at.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use formwork::{Compiler, MatchError, TokenId, Vocabulary};

use crate::display::{grouped, quoted};
use crate::document_args::DocumentArgs;
use crate::failure::Failure;
use crate::schema_args::{LayoutArgs, SchemaArg, StrictnessArgs};

/// Show the tokens that a schema allows after a prefix
#[derive(Args)]
pub(crate) struct MaskArgs {
    #[command(flatten)]
    schema: SchemaArg,
    /// The text so far
    #[arg(long, default_value = "", value_name = "TEXT")]
    prefix: String,
    /// A tokenizer file (tokenizer.json, tekken), or cl100k, o200k or o200k_harmony
    #[arg(long, value_name = "TOKENIZER")]
    tokenizer: String,
    /// How many tokens are shown
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Show all tokens
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    #[command(flatten)]
    layout: LayoutArgs,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    strictness: StrictnessArgs,
}

impl MaskArgs {
    /// Prints the number of tokens, and a line for each that is shown.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let grammar = self.schema.grammar(self.strictness.options(self.layout.layout()))?;
        let grammar = grammar.with_documents(self.documents.documents()?);
        let tokenizer = formwork_tokenizers::from_name_or_file(&self.tokenizer)?;
        let vocabulary = tokenizer.vocabulary();
        let mut matcher = Compiler::new(vocabulary.clone()).compile(&grammar)?.matcher();
        matcher.accept_bytes(self.prefix.as_bytes()).map_err(|error| self.prefix_failure(&error))?;
        let mask = matcher.mask()?;
        let mut output = std::io::stdout().lock();
        writeln!(output, "{} of {} tokens", grouped(mask.n_allowed()), grouped(vocabulary.len()))?;
        let n_shown = if self.all { usize::MAX } else { self.limit };
        for token in mask.iter().take(n_shown) {
            writeln!(output, "{:>7}  {}", token.get(), show(vocabulary, token))?;
        }
        if mask.n_allowed() > n_shown {
            writeln!(output, "    ...  {} more; --all shows them", grouped(mask.n_allowed() - n_shown))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn prefix_failure(&self, error: &MatchError) -> Failure {
        match error {
            MatchError::ByteNotAllowed { offset } => {
                let (good, bad) = self.prefix.as_bytes().split_at(*offset);
                let message = format!("byte {offset} is not allowed: {} and then {}", quoted(good), quoted(bad));
                Failure::about("--prefix", message)
            }
            error => Failure::about("--prefix", error),
        }
    }
}

fn show(vocabulary: &Vocabulary, token: TokenId) -> String {
    match vocabulary.token_bytes(token) {
        Some(bytes) => quoted(bytes),
        None => vocabulary.special_name(token).unwrap_or_default().to_owned(),
    }
}
