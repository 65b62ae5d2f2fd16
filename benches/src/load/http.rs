//! How is a server asked? One request on one connection, whose answer is read as it comes; dropped, the connection ends.

use std::io;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Where a server is, and what it wants to be shown.
#[derive(Clone, Debug)]
pub struct HttpClient {
    address: String,
    key: Option<String>,
}

/// A status with headers, and a body that may still come.
#[derive(Debug)]
pub struct HttpAnswer {
    response: Response<Incoming>,
    /// The connection lives as long as this.
    _connection: SendRequest<Full<Bytes>>,
}

impl HttpClient {
    /// A client of the server at `http://ADDRESS:PORT`; `key` goes with each request as a bearer token.
    pub fn new(url: &str, key: Option<&str>) -> HttpClient {
        let address = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
        HttpClient { address: address.to_owned(), key: key.map(str::to_owned) }
    }

    /// Asks with GET.
    ///
    /// # Errors
    /// When there is no connection, or it ends before the head of the answer.
    pub async fn get(&self, path: &str) -> io::Result<HttpAnswer> {
        self.ask("GET", path, Bytes::new()).await
    }

    /// Asks with POST and a JSON body.
    ///
    /// # Errors
    /// As [`HttpClient::get`].
    pub async fn post(&self, path: &str, body: &Value) -> io::Result<HttpAnswer> {
        self.ask("POST", path, body.to_string().into()).await
    }

    async fn ask(&self, method: &str, path: &str, body: Bytes) -> io::Result<HttpAnswer> {
        let stream = TcpStream::connect(&self.address).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // What goes wrong in it is told to whom reads the answer.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.address);
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Full::new(body));
        let response = sender.send_request(request.map_err(io::Error::other)?).await.map_err(io::Error::other)?;
        Ok(HttpAnswer { response, _connection: sender })
    }
}

impl HttpAnswer {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// What comes next of the body; `None` at its end.
    ///
    /// # Errors
    /// When the connection ends before the body does.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while let Some(frame) = self.response.body_mut().frame().await {
            if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The rest of the body.
    ///
    /// # Errors
    /// As [`HttpAnswer::next`], or when it is not UTF-8.
    pub async fn text(mut self) -> io::Result<String> {
        let mut bytes = Vec::new();
        while let Some(more) = self.next().await? {
            bytes.extend_from_slice(&more);
        }
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

/// The data of server-sent events, as far as they are JSON; what ends a stream is not.
pub fn events(body: &str) -> impl Iterator<Item = Value> {
    body.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?.trim()).ok())
}

/// A figure without labels in Prometheus' text format.
pub fn metric(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}
