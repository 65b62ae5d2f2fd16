//! A server with the structured outputs of Cohere and LMDeploy, and the shapes that OpenAI's clients speak, on any backend.

mod app;
mod calls;
mod cohere;
mod failure;
mod ids;
mod layout;
mod metrics;
mod model;
mod openai;
mod options;
mod pieces;
mod playground;
mod request;
mod scheduler;
mod service;
mod sse;
mod thinking;
mod tools;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::model::ServedModel;
use crate::options::Options;
use crate::service::Service;

fn main() -> ExitCode {
    let options = Options::parse();
    start_log(&options);
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "formwork-server: {error}");
            ExitCode::from(2)
        }
    }
}

/// `RUST_LOG` chooses what is logged (default: info).
fn start_log(options: &Options) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match options.log_json {
        true => log.json().init(),
        false => log.init(),
    }
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let model = ServedModel::load(&options)?;
    let (service, model_thread) = Service::start(options, model)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(Arc::new(service)));
    // What is still running has had its time.
    runtime.shutdown_background();
    drop(model_thread);
    outcome
}

async fn serve(service: Arc<Service>) -> Result<(), Box<dyn Error>> {
    let options = &service.options;
    let listener = TcpListener::bind((options.host, options.port)).await?;
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "formwork-server: {} at http://{address}", service.model_name)?;
    let limit = options.shutdown_timeout();
    let (told, mut is_told) = tokio::sync::watch::channel(false);
    let ending = {
        let service = Arc::clone(&service);
        async move {
            wait_for_end().await;
            service.end();
            tracing::info!("ending: running answers may finish");
            let _ = told.send(true);
        }
    };
    let serving = axum::serve(listener, app::router(service)).with_graceful_shutdown(ending);
    let overtime = async {
        // An error means that serving has ended already.
        let _ = is_told.wait_for(|told| *told).await;
        tokio::time::sleep(limit).await;
    };
    tokio::select! {
        outcome = serving.into_future() => outcome?,
        () = overtime => tracing::warn!("answers were cut off: they took longer than the limit"),
    }
    Ok(())
}

/// The signal to end, from a terminal or from who started us.
async fn wait_for_end() {
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}
