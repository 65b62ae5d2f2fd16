//! The program: reads the command line, loads the model, and serves it until it is told to end.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use formwork_server::{Options, ServedModel, Service, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

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
    let (name, address) = (model.name.clone(), (options.host, options.port));
    let (service, model_thread) = Service::start(options, model)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        writeln!(io::stdout(), "formwork-server: {name} at http://{}", listener.local_addr()?)?;
        Ok(serve(Arc::new(service), listener, wait_for_end()).await?)
    });
    // What is still running has had its time.
    runtime.shutdown_background();
    drop(model_thread);
    outcome
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
