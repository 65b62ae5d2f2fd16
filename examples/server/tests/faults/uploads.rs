//! What if a body does not come as its head says? It is refused where there is somebody to tell, and forgotten elsewhere.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::api::Api;
use super::host::Host;

/// A request's head, with fields of its own.
fn head(api: Api, fields: &str) -> String {
    format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{fields}\r\n\r\n", api.path())
}

async fn send(host: &Host, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&host.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

/// Status and body of the first answer on a connection, which the server closes behind it.
async fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    // What the server has not read makes the connection end with an error, behind the answer.
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let status = text.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {text:?}")).parse().unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    // Where another answer follows on the connection, it is not part of this one.
    (status, body.split("HTTP/1.1").next().unwrap().to_owned())
}

/// Asks every API, and is answered.
async fn check_others(host: &Host) {
    assert!(host.among_others(&[]).await.is_empty());
}

#[tokio::test]
async fn half_a_body_and_nobody_any_more() {
    let host = Host::start(&[]).await;
    for api in Api::ALL {
        let body = api.request("any", true).to_string();
        let half = &body[..body.len() / 2];
        // Closed at once, and closed for writing alone.
        drop(send(&host, &(head(api, &format!("content-length: {}", body.len())) + half)).await);
        let mut stream = send(&host, &(head(api, &format!("content-length: {}", body.len())) + half)).await;
        stream.shutdown().await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        // Somebody who may still read is told, or the connection ends.
        if !bytes.is_empty() {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.starts_with("HTTP/1.1 400"), "{text}");
        }
    }
    check_others(&host).await;
}

#[tokio::test]
async fn a_body_that_does_not_come() {
    let host = Host::start(&["--request-timeout", "2"]).await;
    let mut waiting = Vec::new();
    for api in Api::ALL {
        let body = api.request("any", false).to_string();
        // One byte less than the head says, and nothing at all.
        for sent in [body.as_str(), ""] {
            waiting.push((api, send(&host, &(head(api, &format!("content-length: {}", body.len() + 1)) + sent)).await));
        }
    }
    for (api, stream) in waiting {
        api.check_error(&answer(stream).await, 408, false);
    }
    assert_eq!(host.sequences().await, (0, 0));
}

#[tokio::test]
async fn a_body_longer_than_its_head_says() {
    let host = Host::start(&[]).await;
    for api in Api::ALL {
        let body = api.request("any", false).to_string();
        let stream = send(&host, &(head(api, &format!("content-length: {}", body.len() - 2)) + &body)).await;
        api.check_error(&answer(stream).await, 400, false);
    }
    check_others(&host).await;
}

#[tokio::test]
async fn a_head_that_contradicts_itself() {
    let host = Host::start(&[]).await;
    for fields in ["content-length: much", "content-length: -1", "content-length: 5\r\ncontent-length: 6"] {
        // This is no request of any API yet.
        let (status, _) = answer(send(&host, &(head(Api::Chat, fields) + "{}")).await).await;
        assert_eq!(status, 400, "{fields}");
    }
    check_others(&host).await;
}

#[tokio::test]
async fn a_body_that_is_too_long() {
    let host = Host::start(&["--max-body-bytes", "1000"]).await;
    for api in Api::ALL {
        // Refused before it is there.
        let stream = send(&host, &head(api, "content-length: 1001")).await;
        api.check_error(&answer(stream).await, 413, false);
        let long = format!("7d0\r\n{}\r\n", "x".repeat(2000));
        let stream = send(&host, &(head(api, "transfer-encoding: chunked") + &long)).await;
        api.check_error(&answer(stream).await, 413, false);
    }
    check_others(&host).await;
}

#[tokio::test]
async fn chunks_that_are_none() {
    let host = Host::start(&[]).await;
    for api in Api::ALL {
        for chunks in ["zz\r\n{}\r\n", "2\r\n{}xx", "ffffffffffffffffff\r\n{}"] {
            let stream = send(&host, &(head(api, "transfer-encoding: chunked") + chunks)).await;
            api.check_error(&answer(stream).await, 400, false);
        }
    }
    check_others(&host).await;
}

/// The whole request, and nobody who would read the answer.
#[tokio::test]
async fn a_client_that_goes_before_its_answer() {
    const GONE: &str = "hold, and never be read";
    for api in Api::ALL {
        let host = Host::start(&[]).await;
        let body = api.request(GONE, false).to_string();
        let stream = send(&host, &(head(api, &format!("content-length: {}", body.len())) + &body)).await;
        host.wait_until_held_by(GONE).await;
        drop(stream);
        host.gate.open();
        host.wait_until_idle().await;
        check_others(&host).await;
    }
}

/// Not every method is one of the route's, and not every path is a route.
#[tokio::test]
async fn no_such_thing() {
    let host = Host::start(&[]).await;
    for (path, expected) in [("/v1/chat/completions", 405), ("/v1/nothing", 404), ("/nothing", 404)] {
        let answer = host.client.get(path).await.unwrap();
        let answer = (answer.status(), answer.text().await.unwrap());
        assert_eq!(answer.0, expected, "{path}");
        let body: Value = serde_json::from_str(&answer.1).unwrap();
        assert!(body["error"]["message"].is_string(), "{body}");
    }
    let answer = host.client.get("/v2/chat").await.unwrap();
    assert_eq!(answer.status(), 405);
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(body["message"].is_string() && body["id"].is_string(), "{body}");
}
