//! What if a client does not read its answer, or goes away? Nobody waits for it.

use std::time::Duration;

use formwork_bench::load::events;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::api::Api;
use super::host::Host;

/// A connection that takes as little as the system allows before it is read.
async fn connect(host: &Host) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(host.address.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let host = Host::start(&["--stall-timeout", "86400"]).await;
    let text = "slow ".repeat(350);
    let mut request = Api::Chat.request(&text, true);
    // With so much beside each letter that no system keeps it all for a client.
    request["logprobs"] = true.into();
    request["top_logprobs"] = json!(20);
    let body = request.to_string();
    let mut slow = connect(&host).await;
    let head = format!("POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", Api::Chat.path());
    slow.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    while !host.passes().contains(&text) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answers = host.among_others(&[(Api::Chat, "another", true)]).await;
    assert_eq!(Api::Chat.said(&answers[0].1, true), "another");
    // Its own answer is written, and waits.
    host.wait_until_idle().await;
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    let said: String = events(&answer)
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(said, text);
    assert!(answer.contains("data: [DONE]"));
}

#[tokio::test]
async fn a_client_that_goes_away_in_mid_stream_is_forgotten() {
    const GONE: &str = "hold, and never be read";
    for api in Api::ALL {
        let host = Host::start(&[]).await;
        let mut gone = host.client.post(api.path(), &api.request(GONE, true)).await.unwrap();
        gone.next().await.unwrap().unwrap();
        host.wait_until_held_by(GONE).await;
        drop(gone);
        let other = host.send(api, "another", false);
        host.wait_for_queued(1).await;
        host.gate.open();
        let (status, body) = other.await.unwrap();
        assert_eq!((status, api.said(&body, false).as_str()), (200, "another"));
        host.wait_until_idle().await;
    }
}
