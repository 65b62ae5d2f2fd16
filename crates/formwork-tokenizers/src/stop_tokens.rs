//! Which tokens end the output? What the caller says, else the configuration beside the file, else well-known names.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::entries::Entries;
use crate::error::TokenizerError;

/// Largest configuration file that is read.
const MAX_CONFIG_BYTES: u64 = 64 << 20;

/// Names that end a text or a turn in the tokenizers in use, where they are special tokens.
const WELL_KNOWN: &[&str] = &[
    "</s>",
    "<eos>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<|END_OF_TURN_TOKEN|>",
    "<EOS_TOKEN>",
    "<|eos|>",
    "<｜end▁of▁sentence｜>",
];

/// What was said of stop tokens: by the caller, or by configuration files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StopHints {
    pub(crate) ids: Vec<u32>,
    pub(crate) names: Vec<String>,
    /// Whether the hints are the whole truth, so that well-known names add nothing.
    pub(crate) complete: bool,
}

impl StopHints {
    /// Reads the configuration files beside a tokenizer file. `generation_config.json` is the whole truth where it
    /// names stop tokens; `config.json` and `tokenizer_config.json` often name one of several.
    pub(crate) fn beside(tokenizer_path: &Path) -> Result<StopHints, TokenizerError> {
        let folder = tokenizer_path.parent().unwrap_or(Path::new(""));
        let generation: ModelConfig = read_config(&folder.join("generation_config.json"))?;
        if let Some(ids) = generation.eos_token_id {
            return Ok(StopHints { ids: ids.into_vec(), complete: true, ..StopHints::default() });
        }
        let model: ModelConfig = read_config(&folder.join("config.json"))?;
        let tokenizer: TokenizerConfig = read_config(&folder.join("tokenizer_config.json"))?;
        Ok(StopHints {
            ids: model.eos_token_id.map(Ids::into_vec).unwrap_or_default(),
            names: tokenizer.eos_token.map(Name::into_string).into_iter().collect(),
            complete: false,
        })
    }

    /// The stop tokens among `entries`. Hints that name no entry are passed over, unless they are the caller's own.
    pub(crate) fn resolve(&self, entries: &Entries, strict: bool) -> Result<Vec<u32>, TokenizerError> {
        let mut stops = Vec::new();
        for id in &self.ids {
            match entries.get(*id) {
                Some(_) => stops.push(*id),
                None if strict => return Err(TokenizerError::UnknownStopToken(id.to_string())),
                None => {}
            }
        }
        for name in &self.names {
            match entries.special().find(|(_, special)| special == name) {
                Some((id, _)) => stops.push(id),
                None if strict => return Err(TokenizerError::UnknownStopToken(format!("{name:?}"))),
                None => {}
            }
        }
        if !self.complete || stops.is_empty() {
            stops.extend(entries.special().filter(|(_, name)| WELL_KNOWN.contains(name)).map(|(id, _)| id));
        }
        stops.sort_unstable();
        stops.dedup();
        Ok(stops)
    }
}

/// The part of `generation_config.json` and `config.json` that is of interest.
#[derive(Default, Deserialize)]
struct ModelConfig {
    eos_token_id: Option<Ids>,
}

/// The part of `tokenizer_config.json` that is of interest.
#[derive(Default, Deserialize)]
struct TokenizerConfig {
    eos_token: Option<Name>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Ids {
    One(u32),
    Many(Vec<u32>),
}

impl Ids {
    fn into_vec(self) -> Vec<u32> {
        match self {
            Ids::One(id) => vec![id],
            Ids::Many(ids) => ids,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Plain(String),
    Token { content: String },
}

impl Name {
    fn into_string(self) -> String {
        match self {
            Name::Plain(name) | Name::Token { content: name } => name,
        }
    }
}

/// A configuration file, or the default where there is none.
fn read_config<T: Default + for<'de> Deserialize<'de>>(path: &Path) -> Result<T, TokenizerError> {
    let io_error = |source| TokenizerError::Io { path: path.to_owned(), source };
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(io_error(error)),
        Ok(metadata) if metadata.len() > MAX_CONFIG_BYTES => {
            return Err(TokenizerError::TooLarge { actual: metadata.len(), limit: MAX_CONFIG_BYTES }.at(path));
        }
        Ok(_) => {}
    }
    let text = fs::read(path).map_err(io_error)?;
    serde_json::from_slice(&text).map_err(|error| TokenizerError::Malformed(error.to_string()).at(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::Entry;

    fn entries() -> Entries {
        let mut entries = Entries::default();
        entries.insert(0, Entry::Text(b"</s>".to_vec())).unwrap();
        entries.insert(1, Entry::Special("<|im_end|>".to_owned())).unwrap();
        entries.insert(2, Entry::Special("<|endoftext|>".to_owned())).unwrap();
        entries
    }

    #[test]
    fn well_known_names_count_only_where_special() {
        assert_eq!(StopHints::default().resolve(&entries(), false).unwrap(), [1, 2]);
    }

    #[test]
    fn complete_hints_are_the_whole_truth() {
        let hints = StopHints { ids: vec![2, 7], complete: true, ..StopHints::default() };
        assert_eq!(hints.resolve(&entries(), false).unwrap(), [2]);
        assert!(matches!(hints.resolve(&entries(), true), Err(TokenizerError::UnknownStopToken(name)) if name == "7"));
    }
}
