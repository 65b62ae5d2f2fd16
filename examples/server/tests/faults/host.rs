//! Where does the server run, and what does its model do? In this process, with a script for each prompt.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use clap::Parser;
use formwork_bench::load::{HttpClient, metric};
use formwork_decode::BackendError;
use formwork_server::{Options, ServedModel, Service, echo, serve};
use serde_json::Value;
use tokio::net::TcpListener;

use super::api::Api;

/// Passes after which a prompt's fault happens: so much of it was said.
pub(crate) const N_SAID: usize = 3;

/// Closed until somebody opens it. Who comes to it waits.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) {
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
    }

    pub(crate) fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn close(&self) {
        *self.is_open.lock().unwrap() = false;
    }
}

/// A server, and what its model was asked. When it is dropped, the model goes on.
pub(crate) struct Host {
    pub(crate) address: String,
    pub(crate) client: HttpClient,
    pub(crate) gate: Arc<Gate>,
    /// Prompts in the order of their passes.
    passes: Arc<Mutex<Vec<String>>>,
}

impl Host {
    pub(crate) async fn start(options: &[&str]) -> Host {
        Host::start_with(options, |model| model).await
    }

    /// With a model that is changed first.
    pub(crate) async fn start_with(options: &[&str], change: impl FnOnce(ServedModel) -> ServedModel) -> Host {
        let options = Options::parse_from(["", "--max-batch", "32"].iter().chain(options));
        let (gate, passes) = (Arc::new(Gate::default()), Arc::new(Mutex::new(Vec::new())));
        let script = {
            let (gate, passes) = (Arc::clone(&gate), Arc::clone(&passes));
            move |prompt: &str, n_said: usize| act(prompt, n_said, &gate, &passes)
        };
        let model = change(echo::model(usize::from(options.max_batch), "", &[], script));
        let (service, _ends_with_the_service) = Service::start(options, model).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(serve(Arc::new(service), listener, std::future::pending()));
        Host { client: HttpClient::new(&address, None), address, gate, passes }
    }

    /// Status and body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, String) {
        let answer = self.client.post(path, body).await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Sends a request and does not wait for what comes of it.
    pub(crate) fn send(&self, api: Api, prompt: &str, is_stream: bool) -> tokio::task::JoinHandle<(u16, String)> {
        let (client, body) = (self.client.clone(), api.request(prompt, is_stream));
        tokio::spawn(async move {
            let answer = client.post(api.path(), &body).await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        })
    }

    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.client.get(path).await.unwrap().status()
    }

    /// Sequences that wait, and those that are being written.
    pub(crate) async fn sequences(&self) -> (usize, usize) {
        let text = self.client.get("/metrics").await.unwrap().text().await.unwrap();
        let gauge = |name| metric(&text, name).unwrap() as usize;
        (gauge("formwork_queued_sequences"), gauge("formwork_running_sequences"))
    }

    /// Waits until so many sequences wait for the model.
    pub(crate) async fn wait_for_queued(&self, n: usize) {
        while self.sequences().await.0 != n {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until nothing is written.
    pub(crate) async fn wait_until_idle(&self) {
        while self.sequences().await != (0, 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the model is held by this prompt, which begins with `hold`.
    pub(crate) async fn wait_until_held_by(&self, prompt: &str) {
        let n_passes = || self.passes.lock().unwrap().iter().filter(|it| *it == prompt).count();
        while n_passes() <= N_SAID {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Prompts in the order of their passes.
    pub(crate) fn passes(&self) -> Vec<String> {
        self.passes.lock().unwrap().clone()
    }

    /// Asks whatever is asked in `faulty` among healthy requests to every API, all of them in one batch from the beginning
    /// to the end of the faulty ones. The healthy ones must be answered as if they were alone. The others' answers, in their
    /// order.
    pub(crate) async fn among_others(&self, faulty: &[(Api, &str, bool)]) -> Vec<(u16, String)> {
        const FIRST: &str = "hold, and go on with this text";
        self.gate.close();
        self.passes.lock().unwrap().clear();
        let first = self.send(Api::Chat, FIRST, true);
        self.wait_until_held_by(FIRST).await;
        let text = |api: Api, is_stream: bool| format!("a text of {api:?} that is as long as it takes ({is_stream})");
        let ways = || Api::ALL.into_iter().flat_map(|api| [(api, false), (api, true)]);
        let healthy: Vec<_> = ways().map(|(api, is_stream)| self.send(api, &text(api, is_stream), is_stream)).collect();
        let faulty: Vec<_> =
            faulty.iter().map(|(api, prompt, is_stream)| self.send(*api, prompt, *is_stream)).collect();
        self.wait_for_queued(healthy.len() + faulty.len()).await;
        // Nothing that needs no model waits for it.
        assert_eq!(self.status("/health").await, 200);
        assert_eq!(self.status("/v1/models").await, 200);
        assert_eq!(self.post(Api::Chat.path(), &Value::Null).await.0, 400);
        self.gate.open();
        let mut answers = Vec::new();
        for answer in faulty {
            answers.push(answer.await.unwrap());
        }
        for ((api, is_stream), answer) in ways().zip(healthy) {
            let (status, body) = answer.await.unwrap();
            assert_eq!((status, api.said(&body, is_stream)), (200, text(api, is_stream)), "{body}");
        }
        let (_, body) = first.await.unwrap();
        assert_eq!(Api::Chat.said(&body, true), FIRST);
        self.wait_until_idle().await;
        answers
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.gate.open();
    }
}

/// What the model does before a pass.
fn act(prompt: &str, n_said: usize, gate: &Gate, passes: &Mutex<Vec<String>>) -> Result<(), BackendError> {
    passes.lock().unwrap().push(prompt.to_owned());
    if n_said < N_SAID {
        return Ok(());
    }
    match prompt.split([',', ' ']).next() {
        Some("fail") => Err(BackendError::runtime("a detail of the model's inside")),
        Some("panic") => panic!("a detail of the model's inside"),
        Some("hold") => {
            gate.wait();
            Ok(())
        }
        _ => Ok(()),
    }
}
