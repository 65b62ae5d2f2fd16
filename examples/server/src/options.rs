//! How is the server started? The command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use formwork::Limits;

/// Longest time that an option takes: a year. What is added to the present time must not overflow it.
const MAX_SECONDS: u64 = 365 * 24 * 3600;

/// Serves a model with structured outputs, in the shapes of OpenAI, Cohere V2 and LMDeploy.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Options {
    /// Folder with a model in the Hugging Face layout (default: the small model that ships with formwork)
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// What runs the model; ONNX Runtime takes a folder with model.onnx
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub backend: BackendChoice,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub port: u16,
    /// What the model is called in answers (default: its folder's name)
    #[arg(long, value_name = "NAME")]
    pub served_model_name: Option<String>,
    /// Sequences that are written at once
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub max_batch: u16,
    /// Sequences that may wait; more are refused with 429
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub max_queue: u16,
    /// Threads that make masks beside the one that runs the model
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub mask_threads: usize,
    /// Requests must carry this key as a bearer token
    #[arg(long, env = "FORMWORK_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub api_key: Option<String>,
    /// Largest request body
    #[arg(long, default_value_t = 4 << 20, value_name = "BYTES")]
    pub max_body_bytes: usize,
    /// Most tokens that one answer may have, whatever a request asks for (default: the model's context)
    #[arg(long, value_name = "N")]
    pub max_answer_tokens: Option<usize>,
    /// Seconds that a request may take, from its arrival to the last token; its body may take as long again
    #[arg(long, default_value_t = 120, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=MAX_SECONDS))]
    pub request_timeout: u64,
    /// Seconds after which a client is given up that takes nothing of what there is for it
    #[arg(long, default_value_t = 60, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=MAX_SECONDS))]
    pub stall_timeout: u64,
    /// Seconds that running answers get to finish when the server is told to end
    #[arg(long, default_value_t = 10, value_name = "S", value_parser = clap::value_parser!(u64).range(0..=MAX_SECONDS))]
    pub shutdown_timeout: u64,
    /// Bytes of compiled grammars that are kept
    #[arg(long, default_value_t = 512 << 20, value_name = "BYTES")]
    pub grammar_cache_bytes: u64,
    /// Take Cohere's published limits as warnings and enforce all that the engine can
    #[arg(long)]
    pub cohere_full: bool,
    /// Answer errors of /v1 routes in LMDeploy's shape instead of OpenAI's
    #[arg(long)]
    pub lmdeploy_errors: bool,
    /// Write logs as JSON
    #[arg(long)]
    pub log_json: bool,
    /// What one grammar may cost; no option of the command line.
    #[arg(skip)]
    pub limits: Limits,
}

impl Options {
    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout)
    }

    pub(crate) fn stall_timeout(&self) -> Duration {
        Duration::from_secs(self.stall_timeout)
    }

    pub(crate) fn shutdown_timeout(&self) -> Duration {
        Duration::from_secs(self.shutdown_timeout)
    }
}

/// What runs a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BackendChoice {
    /// candle, which is part of this program
    #[default]
    Candle,
    /// ONNX Runtime, whose library must be installed
    Ort,
}
