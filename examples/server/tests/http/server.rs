//! Where does the server run? One process for all tests that want the same options, ended with the last of them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::Value;

use super::common::server::{API_KEY, Server as Process};

/// A server that listens on a free port.
pub(crate) struct Server(Process);

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
            let started = Arc::new(Server(Process::start(options)));
            *server = Arc::downgrade(&started);
            started
        })
    }

    /// Status and text of the answer to `body`.
    fn post(&self, path: &str, body: &Value) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("{}{path}", self.0.url)).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {API_KEY}"));
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
