//! How is a model loaded as a whole? Library, files, sessions and tokenizer.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use formwork::TokenId;
use formwork_tokenizers::Tokenizer;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use serde_json::Value;

use crate::batch::OrtBatch;
use crate::error::{LoadError, one_line};
use crate::head::Head;
use crate::library::open_library;
use crate::model::OrtModel;
use crate::pack::Packer;
use crate::provider::{Device, Provider, ProviderReport};
use crate::runner::Runner;
use crate::session::{Opener, builder};
use crate::signature::Signature;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const GENERATION_CONFIG: &str = "generation_config.json";
/// Where exporters put the model, in the order in which they are looked for.
const MODELS: [&str; 2] = ["model.onnx", "onnx/model.onnx"];

/// Largest JSON file that is read.
const MAX_TEXT_BYTES: u64 = 64 << 20;
/// Positions at most, unless the caller asks for more.
const DEFAULT_MAX_CONTEXT: usize = 1 << 17;
/// Rows of masks on the device, unless the caller says otherwise.
const DEFAULT_MAX_MASK_ROWS: usize = 64;

/// Where and how a model is to run.
#[derive(Clone, Debug, Default)]
pub struct OrtOptions {
    /// The provider (default: the CPU).
    pub provider: Provider,
    /// ONNX Runtime's library. Default: looked for, as [the crate](crate) says.
    pub library: Option<PathBuf>,
    /// Threads within one operation. Default: as many as ONNX Runtime finds right; small models want 1.
    pub threads: Option<usize>,
    /// Positions to hold at most. Default: what the model has, up to 131,072.
    pub max_context: Option<usize>,
    /// Rows that many masks share ([`TokenMask::base`](formwork::TokenMask::base)) to keep on a device at most, of as many
    /// bytes as the model has logits. Default: 64. On the CPU there are none.
    pub max_mask_rows: Option<usize>,
    /// The tokenizer. Default: the model's `tokenizer.json`.
    pub tokenizer: Option<Tokenizer>,
}

/// The files of a model as bytes, such as those embedded in a binary.
#[derive(Clone, Debug)]
pub struct ModelFiles<'a> {
    /// `config.json`.
    pub config: &'a [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// `model.onnx`.
    pub model: &'a [u8],
    /// Files that the model's external data is in, with the names that it calls them by.
    pub external: Vec<(&'a str, Arc<[u8]>)>,
    /// `generation_config.json`, for the stop tokens.
    pub generation_config: Option<&'a [u8]>,
}

/// A model ready to run, with its tokenizer.
#[derive(Debug)]
pub struct LoadedModel {
    /// The model.
    pub model: OrtModel,
    /// Its tokenizer; the vocabulary is as wide as the model's logits.
    pub tokenizer: Tokenizer,
}

impl LoadedModel {
    /// Loads a folder with `config.json`, `tokenizer.json` and `model.onnx` (or `onnx/model.onnx`).
    ///
    /// # Errors
    /// [`LoadError`] names the library or file that is missing, broken, or of an unsupported kind.
    pub fn from_folder(folder: impl AsRef<Path>, options: &OrtOptions) -> Result<LoadedModel, LoadError> {
        let folder = folder.as_ref();
        let path = folder.join(CONFIG);
        let config = Config::parse(&path, &read(&path)?, options)?;
        let candidates = MODELS.map(|name| folder.join(name));
        let path = candidates.iter().find(|path| path.is_file()).unwrap_or(&candidates[0]);
        // Opened for the sake of the operating system's own message.
        fs::File::open(path).map_err(|error| LoadError::io(path, error))?;
        let commit = |builder: &mut SessionBuilder| builder.commit_from_file(path);
        let model = open_model(path, &config, options, &commit, &[])?;
        let tokenizer = match &options.tokenizer {
            Some(tokenizer) => tokenizer.with_logits_width(formwork_decode::Backend::logits_width(&model))?,
            None => tokenizer_options(&model).from_file(folder.join(TOKENIZER))?,
        };
        Ok(LoadedModel { model, tokenizer })
    }

    /// Loads a model whose files are in memory, its tokenizer always among them.
    ///
    /// # Errors
    /// As [`LoadedModel::from_folder`]; files are named as they would be in a folder.
    pub fn from_memory(files: &ModelFiles<'_>, options: &OrtOptions) -> Result<LoadedModel, LoadError> {
        let config = Config::parse(Path::new(CONFIG), files.config, options)?;
        let commit = |builder: &mut SessionBuilder| builder.commit_from_memory(files.model);
        let model = open_model(Path::new(MODELS[0]), &config, options, &commit, &files.external)?;
        let mut tokenizer_options = tokenizer_options(&model);
        for token in stop_tokens(files)? {
            tokenizer_options = tokenizer_options.stop_token_id(token);
        }
        let tokenizer = tokenizer_options.from_bytes(files.tokenizer)?;
        Ok(LoadedModel { model, tokenizer })
    }
}

fn tokenizer_options(model: &OrtModel) -> formwork_tokenizers::LoadOptions {
    formwork_tokenizers::LoadOptions::new().logits_width(formwork_decode::Backend::logits_width(model))
}

type Commit<'a> = dyn Fn(&mut SessionBuilder) -> ort::Result<Session> + 'a;

fn open_model(
    path: &Path,
    config: &Config,
    options: &OrtOptions,
    commit: &Commit<'_>,
    external: &[(&str, Arc<[u8]>)],
) -> Result<OrtModel, LoadError> {
    let environment = open_library(options.library.as_deref())?;
    let open = |device| {
        let mut builder = builder(&environment, device, options.threads)?;
        for (name, bytes) in external {
            builder = builder.with_external_initializer_file_in_memory(name, Arc::clone(bytes))?;
        }
        commit(&mut builder)
    };
    let on_cpu = || open(Device::Cpu).map_err(|error| LoadError::malformed(path, error));
    let asked = options.provider;
    let (session, used, reason) = match asked {
        Provider::Cpu => (on_cpu()?, Device::Cpu, None),
        Provider::Cuda { device, allow_cpu } => match open(Device::Cuda(device)) {
            Ok(session) => (session, Device::Cuda(device), None),
            Err(error) if allow_cpu => (on_cpu()?, Device::Cpu, Some(one_line(error))),
            Err(error) => return Err(LoadError::Provider { provider: asked, reason: one_line(error) }),
        },
    };
    let signature = Signature::of(&session, path, config.vocab_size)?;
    let report = ProviderReport { asked, used, reason };
    let opener = Opener { environment, device: used };
    let max_mask_rows = options.max_mask_rows.unwrap_or(DEFAULT_MAX_MASK_ROWS);
    let limits = Limits { context_length: config.context_length, max_mask_rows };
    let batch = open_batch(&opener, session, signature, report, limits);
    Ok(OrtModel::new(batch.map_err(LoadError::runtime)?))
}

/// How much a model may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) context_length: usize,
    /// Rows of masks on the device.
    pub(crate) max_mask_rows: usize,
}

/// A model's session with those of our own beside it, on the same device.
pub(crate) fn open_batch(
    opener: &Opener,
    session: Session,
    signature: Signature,
    report: ProviderReport,
    limits: Limits,
) -> ort::Result<OrtBatch> {
    let head = Head::new(opener.clone(), signature.logits_type, signature.width, limits.max_mask_rows)?;
    let packer = Packer::new(opener, &signature)?;
    let runner = Runner::new(session, signature, opener.device)?;
    Ok(OrtBatch::single(runner, Arc::new(Mutex::new(head)), packer, report, limits.context_length))
}

/// What `config.json` says that the model's file does not.
struct Config {
    vocab_size: Option<usize>,
    context_length: usize,
}

impl Config {
    fn parse(path: &Path, bytes: &[u8], options: &OrtOptions) -> Result<Config, LoadError> {
        let json = parse_json(path, bytes)?;
        // Models of text and images keep the decoder's settings apart.
        let fields = json.get("text_config").unwrap_or(&json);
        let size = |name: &str| fields.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let context_length = ["max_position_embeddings", "n_positions", "n_ctx"].into_iter().find_map(size);
        let Some(context_length) = context_length.filter(|&n| n > 0) else {
            return Err(LoadError::malformed(path, "it has no max_position_embeddings"));
        };
        let limit = options.max_context.unwrap_or(DEFAULT_MAX_CONTEXT);
        Ok(Config { vocab_size: size("vocab_size"), context_length: context_length.min(limit) })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let n_bytes = fs::metadata(path).map_err(|error| LoadError::io(path, error))?.len();
    if n_bytes > MAX_TEXT_BYTES {
        return Err(LoadError::malformed(path, format!("{n_bytes} bytes are too many: the limit is {MAX_TEXT_BYTES}")));
    }
    fs::read(path).map_err(|error| LoadError::io(path, error))
}

fn parse_json(path: &Path, bytes: &[u8]) -> Result<Value, LoadError> {
    serde_json::from_slice(bytes).map_err(|error| LoadError::malformed(path, format!("not JSON: {error}")))
}

/// `eos_token_id` of the first file that has one: a number or a list of them.
fn stop_tokens(files: &ModelFiles<'_>) -> Result<Vec<TokenId>, LoadError> {
    for (name, bytes) in [(GENERATION_CONFIG, files.generation_config), (CONFIG, Some(files.config))] {
        let Some(bytes) = bytes else { continue };
        let json = parse_json(Path::new(name), bytes)?;
        let ids = json.get("eos_token_id").map(|ids| ids.as_array().map_or(std::slice::from_ref(ids), Vec::as_slice));
        let ids = ids.unwrap_or_default().iter().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok());
        let tokens: Vec<TokenId> = ids.map(TokenId::new).collect();
        if !tokens.is_empty() {
            return Ok(tokens);
        }
    }
    Ok(Vec::new())
}
