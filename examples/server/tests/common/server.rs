//! How is a server started for a test? The program itself, on a free port, ended with the value that holds it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// What requests must carry.
pub(crate) const API_KEY: &str = "a key for tests";

/// A server that serves the shipped model.
#[derive(Debug)]
pub(crate) struct Server {
    /// `http://` with address and port.
    pub(crate) url: String,
    child: Child,
    /// Held open, so that the server can write.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts one with these options and waits until it takes requests.
    pub(crate) fn start(options: &[&str]) -> Server {
        Server::start_in(options, &[])
    }

    /// With these variables in its environment.
    pub(crate) fn start_in(options: &[&str], environment: &[(&str, &OsStr)]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_formwork-server"));
        command.args(["--port", "0"]).args(options).env("FORMWORK_API_KEY", API_KEY).env("RUST_LOG", "warn");
        command.envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(url.starts_with("http://"), "the server says no address: {line:?}");
        Server { url, child, _stdout: stdout }
    }

    /// Where it listens: address and port.
    pub(crate) fn address(&self) -> &str {
        &self.url["http://".len()..]
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    /// Both fail only when it has ended already.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
