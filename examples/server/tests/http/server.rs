//! Where does the server run? One process for all tests that want the same options, ended with the last of them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::Value;

/// A server that listens on a free port.
pub(crate) struct Server {
    process: Child,
    url: String,
}

type Shared = Mutex<Weak<Server>>;

impl Server {
    /// As it is without options.
    pub(crate) fn plain() -> Arc<Server> {
        static SERVER: Shared = Mutex::new(Weak::new());
        Server::shared(&SERVER, &[])
    }

    /// Cohere's limits are warnings.
    pub(crate) fn cohere_full() -> Arc<Server> {
        static SERVER: Shared = Mutex::new(Weak::new());
        Server::shared(&SERVER, &["--cohere-full"])
    }

    fn shared(server: &Shared, options: &[&str]) -> Arc<Server> {
        let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
        server.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Server::start(options));
            *server = Arc::downgrade(&started);
            started
        })
    }

    fn start(options: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_formwork-server"));
        let command = command.args(["--port", "0"]).args(options).env("RUST_LOG", "error");
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (_, url) = line.trim_end().split_once(" at ").expect("the first line names the address");
        Server { process, url: url.to_owned() }
    }

    /// Status and text of the answer to `body`.
    fn post(&self, path: &str, body: &Value) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        let mut response = request.send(body.to_string()).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    /// The answer to a request that succeeds.
    pub(crate) fn answer(&self, path: &str, body: &Value) -> Value {
        let (status, text) = self.post(path, body);
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The body of a request that is refused.
    pub(crate) fn refusal(&self, path: &str, body: &Value) -> Value {
        let (status, text) = self.post(path, body);
        assert_eq!(status, 400, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The events of a stream: their data, whose type is the event's name where it has one. The last is `[DONE]`, where
    /// the API has it.
    pub(crate) fn events(&self, path: &str, body: &Value) -> Vec<Value> {
        let (status, text) = self.post(path, body);
        assert_eq!(status, 200, "{text}");
        let event = |event: &str| {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let data = field("data").unwrap_or_else(|| panic!("{event:?} has no data"));
            if data == "[DONE]" {
                return Value::from(data);
            }
            let data: Value = serde_json::from_str(data).unwrap();
            assert!(field("event").is_none_or(|name| data["type"] == name), "{event}");
            data
        };
        text.split("\n\n").filter(|part| !part.is_empty() && !part.starts_with(':')).map(event).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
