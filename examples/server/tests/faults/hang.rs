//! What happens while the model hangs? Whoever waits for it gets an error when their time is over, and newcomers at once.

use std::time::Duration;

use super::api::Api;
use super::host::{Host, N_SAID};

const PROMPT: &str = "hold, and never go on";

#[tokio::test]
async fn nobody_waits_for_ever() {
    let host = Host::start(&["--request-timeout", "3"]).await;
    let ways = || Api::ALL.into_iter().flat_map(|api| [(api, false), (api, true)]);
    let waiting: Vec<_> = ways().map(|(api, is_stream)| host.send(api, PROMPT, is_stream)).collect();
    for ((api, is_stream), answer) in ways().zip(waiting) {
        let answer = answer.await.unwrap();
        match is_stream {
            true => {
                // The first of them has said something before the model began to hang, and the others perhaps nothing.
                let said = api.said(&answer.1, true);
                assert!(PROMPT[..N_SAID].starts_with(&said), "{said}");
                api.check_error_in_stream(&answer, 504, &said, false);
            }
            false => api.check_error(&answer, 504, false),
        }
    }
    // Whoever sends requests here is told to send them elsewhere.
    while host.status("/ready").await != 503 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(host.status("/health").await, 200);
    let refused = host.post(Api::Chat.path(), &Api::Chat.request("any", true)).await;
    Api::Chat.check_error(&refused, 503, false);
    // It goes on, and so does everything else. An answer may still take too long on a busy machine.
    host.gate.open();
    host.wait_until_idle().await;
    assert_eq!(host.status("/ready").await, 200);
    for api in Api::ALL {
        loop {
            let (status, body) = host.post(api.path(), &api.request("hi", false)).await;
            if status == 200 {
                assert_eq!(api.said(&body, false), "hi");
                break;
            }
            assert!([503, 504].contains(&status), "{body}");
        }
    }
}
