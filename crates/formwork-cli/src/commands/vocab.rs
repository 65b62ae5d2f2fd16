//! What does a vocabulary hold? `formwork vocab`: counts by kind, bytes, stop tokens, the longest tokens.

use std::cmp::Reverse;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use formwork::{TokenId, TokenKind, Vocabulary};

use crate::display::{grouped, quoted, shortened, table};
use crate::failure::Failure;

/// How many of the longest tokens are shown.
const N_LONGEST: usize = 10;
/// How much of a token is shown.
const MAX_SHOWN_CHARS: usize = 70;

/// Say what a tokenizer's vocabulary holds
#[derive(Args)]
pub(crate) struct VocabArgs {
    /// A tokenizer file (tokenizer.json, tekken), or cl100k, o200k or o200k_harmony
    #[arg(value_name = "TOKENIZER")]
    tokenizer: String,
}

impl VocabArgs {
    /// Prints the summary.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let tokenizer = formwork_tokenizers::from_name_or_file(&self.tokenizer)?;
        let rows = summary(tokenizer.vocabulary());
        write!(std::io::stdout().lock(), "{}", table(&rows))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn summary(vocabulary: &Vocabulary) -> Vec<Vec<String>> {
    let texts: Vec<(TokenId, &[u8])> =
        ids(vocabulary).filter_map(|id| Some((id, vocabulary.token_bytes(id)?))).collect();
    let n_bytes: usize = texts.iter().map(|(_, bytes)| bytes.len()).sum();
    let n_partial = texts.iter().filter(|(_, bytes)| std::str::from_utf8(bytes).is_err()).count();
    let mut rows = vec![row("ids", grouped(vocabulary.len()))];
    for (name, kind) in [
        ("  text", TokenKind::Text),
        ("  special", TokenKind::Special),
        ("  stop", TokenKind::Stop),
        ("  unused", TokenKind::Unused),
    ] {
        rows.push(row(name, grouped(ids(vocabulary).filter(|id| vocabulary.kind(*id) == kind).count())));
    }
    rows.push(row("bytes of text", grouped(n_bytes)));
    rows.push(row("tokens with part of a character", grouped(n_partial)));
    rows.push(row("single bytes", byte_coverage(&texts)));
    for stop in vocabulary.stop_tokens() {
        rows.push(row("stop token", format!("{stop}  {}", vocabulary.special_name(*stop).unwrap_or_default())));
    }
    rows.extend(longest(texts));
    rows
}

fn ids(vocabulary: &Vocabulary) -> impl Iterator<Item = TokenId> {
    (0..vocabulary.len()).filter_map(|id| u32::try_from(id).ok()).map(TokenId::new)
}

fn row(name: &str, value: impl Into<String>) -> Vec<String> {
    vec![name.to_owned(), value.into()]
}

/// How many bytes are a token of their own, and which are not.
fn byte_coverage(texts: &[(TokenId, &[u8])]) -> String {
    let mut is_token = [false; 256];
    for (_, bytes) in texts {
        if let [byte] = bytes {
            is_token[usize::from(*byte)] = true;
        }
    }
    let missing: Vec<String> =
        (0..=u8::MAX).filter(|byte| !is_token[usize::from(*byte)]).map(|byte| format!("{byte:02x}")).collect();
    let covered = format!("{} of 256", 256 - missing.len());
    match missing.is_empty() {
        true => covered,
        false => format!("{covered}, without {}", shortened(&missing.join(" "), MAX_SHOWN_CHARS)),
    }
}

fn longest(mut texts: Vec<(TokenId, &[u8])>) -> Vec<Vec<String>> {
    texts.sort_by_key(|(id, bytes)| (Reverse(bytes.len()), *id));
    let shown = |(id, bytes): &(TokenId, &[u8])| {
        let text = shortened(&quoted(bytes), MAX_SHOWN_CHARS);
        row("long token", format!("{id}  {} bytes  {text}", bytes.len()))
    };
    texts.iter().take(N_LONGEST).map(shown).collect()
}
