//! How is a session opened? Small ones of our own stand beside a model's, on the same device.

use ort::environment::Environment;
use ort::ep;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::SessionBuilder;

use crate::provider::Device;

/// Opens sessions for graphs of our own on one device.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    pub(crate) environment: Environment,
    pub(crate) device: Device,
}

impl Opener {
    /// A session of a model file in memory.
    pub(crate) fn open(&self, model: &[u8]) -> ort::Result<Session> {
        // What our graphs do at a time is too little work to share.
        builder(&self.environment, self.device, Some(1))?.commit_from_memory(model)
    }
}

pub(crate) fn builder(
    environment: &Environment,
    device: Device,
    threads: Option<usize>,
) -> ort::Result<SessionBuilder> {
    // What goes wrong comes back as an error, so nothing has to be written beside that.
    let mut builder = Session::builder(environment)?.with_log_level(LogLevel::Fatal)?;
    if let Some(threads) = threads {
        builder = builder.with_intra_threads(threads)?;
    }
    if let Device::Cuda(id) = device {
        // What cannot be registered would otherwise be left out in silence.
        let cuda = ep::CUDA::default().with_device_id(id).build().error_on_failure();
        builder = builder.with_execution_providers([cuda])?;
    }
    Ok(builder)
}
