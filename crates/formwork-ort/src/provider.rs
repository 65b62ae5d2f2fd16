//! On what does a model run? Which execution provider was asked for, which one is used, and why.

use std::fmt;

/// What a model is to run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// The CPU.
    #[default]
    Cpu,
    /// An NVIDIA GPU. Needs a library of ONNX Runtime that was built for CUDA.
    Cuda {
        /// The device's number.
        device: i32,
        /// Whether the CPU may be used where the device cannot. Otherwise that is an error.
        allow_cpu: bool,
    },
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provider::Cpu => write!(f, "the CPU"),
            Provider::Cuda { device, .. } => write!(f, "CUDA device {device}"),
        }
    }
}

/// What a model really runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The CPU.
    Cpu,
    /// The CUDA device of this number.
    Cuda(i32),
}

/// What became of the choice of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderReport {
    /// What was asked for.
    pub asked: Provider,
    /// What is used.
    pub used: Device,
    /// Why it is not what was asked for; `None` when it is.
    pub reason: Option<String>,
}
