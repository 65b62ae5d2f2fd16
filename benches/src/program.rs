//! How does a program of this harness, or of the tests, end? With one line where it cannot go on, and a code that scripts can ask.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// The exit code of `result`: 0 where all was well, 1 where something was not, and 2, with a line that begins with the
/// program's `name`, where it could not be found out.
pub fn finish(name: &str, result: Result<bool, impl Display>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{name}: {error}");
            ExitCode::from(2)
        }
    }
}

/// The same for `work` on a thread with a stack of `stack_bytes`, for what recurses into schemas.
pub fn finish_with_stack(
    name: &str,
    stack_bytes: usize,
    work: impl FnOnce() -> Result<bool, String> + Send + 'static,
) -> ExitCode {
    let worker = std::thread::Builder::new().stack_size(stack_bytes).spawn(work);
    let result = match worker {
        Ok(worker) => worker.join().unwrap_or_else(|_| Err("panicked".to_owned())),
        Err(error) => Err(error.to_string()),
    };
    finish(name, result)
}
