//! What of text that is none? Bytes that are no UTF-8, halves of surrogate pairs, and JSON without an end in depth.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::api::Api;
use super::host::Host;

/// Stands in a request where bytes are put that no JSON library would write.
const HERE: &str = "HERE";

/// The answer to a body of any bytes.
async fn post(host: &Host, api: Api, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(&host.address).await.unwrap();
    let head = format!("POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", api.path());
    stream.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// Requests with [`HERE`] in a prompt, in each part of a schema, and in the name of a tool.
fn requests(api: Api, is_stream: bool) -> Vec<Value> {
    let schemas = [
        json!({"type": "object", "properties": {"a": {"const": HERE}}, "required": ["a"]}),
        json!({"type": "object", "properties": {"a": {"enum": [HERE, "x"]}}, "required": ["a"]}),
        json!({"type": "object", "properties": {"a": {"type": "string", "pattern": HERE}}, "required": ["a"]}),
        json!({"type": "object", "properties": {HERE: {"type": "string"}}, "required": [HERE]}),
        json!({"type": "object", "title": HERE, "properties": {"a": {"type": "null"}}, "required": ["a"]}),
    ];
    let function = |name: &str, parameters: &Value| json!({"name": name, "parameters": parameters});
    let nested = |name: &str, schema: &Value| json!([{"type": "function", "function": function(name, schema)}]);
    let with = |name: &str, value: Value| {
        let mut request = api.request("any", is_stream);
        request[name] = value;
        request
    };
    let mut requests = vec![api.request(HERE, is_stream)];
    for schema in &schemas {
        requests.push(match api {
            Api::Chat | Api::Completions => {
                let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
                with("response_format", format)
            }
            Api::Responses => with("text", json!({"format": {"type": "json_schema", "name": "n", "schema": schema}})),
            Api::Cohere => with("response_format", json!({"type": "json_object", "json_schema": schema})),
        });
        match api {
            Api::Chat | Api::Cohere => requests.push(with("tools", nested("f", schema))),
            Api::Responses => {
                requests.push(with("tools", json!([{"type": "function", "name": "f", "parameters": schema}])))
            }
            Api::Completions => {}
        }
    }
    match api {
        Api::Chat | Api::Cohere => requests.push(with("tools", nested(HERE, &schemas[0]))),
        Api::Responses => requests.push(with("tools", json!([{"type": "custom", "name": HERE}]))),
        Api::Completions => requests.push(with("regex_schema", HERE.into())),
    }
    requests
}

#[tokio::test]
async fn what_is_no_text_is_refused() {
    let host = Host::start(&[]).await;
    let broken: [&[u8]; 8] = [
        b"\xff",
        b"a\xc3",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\\ud800",
        b"\\udc00",
        b"\\ud800\\ud800",
        b"\\ud83d x",
    ];
    for api in Api::ALL {
        for request in requests(api, false).iter().chain(&requests(api, true)) {
            for bytes in broken {
                let text = request.to_string();
                let mut body = Vec::new();
                for (index, part) in text.split(HERE).enumerate() {
                    body.extend_from_slice(if index > 0 { bytes } else { b"" });
                    body.extend_from_slice(part.as_bytes());
                }
                api.check_error(&post(&host, api, &body).await, 400, false);
            }
        }
    }
    assert!(host.among_others(&[]).await.is_empty());
}

#[tokio::test]
async fn pairs_are_one_character() {
    let host = Host::start(&[]).await;
    for api in Api::ALL {
        let body = api.request(HERE, false).to_string().replace(HERE, "\\ud83d\\ude00 \\u00e9 \\u0000");
        let (status, body) = post(&host, api, body.as_bytes()).await;
        assert_eq!((status, api.said(&body, false).as_str()), (200, "\u{1f600} é \0"), "{body}");
    }
}

/// The half of a pair as the schema's own business: in a pattern, and in a schema that is given as JSON text.
#[tokio::test]
async fn halves_within_schemas_are_refused() {
    let host = Host::start(&[]).await;
    let halves = ["\\ud800", "\\udfff", "[\\ud800-\\udbff]"];
    for half in halves {
        let schema =
            json!({"type": "object", "properties": {"a": {"type": "string", "pattern": half}}, "required": ["a"]});
        let text = schema.to_string().replace("\\\\u", "\\u");
        for (api, field, value) in [
            (
                Api::Chat,
                "response_format",
                json!({"type": "json_schema", "json_schema": {"name": "n", "schema": text}}),
            ),
            (Api::Completions, "structured_outputs", json!({"json": text})),
            (Api::Completions, "json_schema", text.clone().into()),
            (Api::Responses, "text", json!({"format": {"type": "json_schema", "name": "n", "schema": text}})),
            (Api::Chat, "response_format", json!({"type": "regex_schema", "regex_schema": half})),
            (
                Api::Chat,
                "response_format",
                json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}),
            ),
            (Api::Cohere, "response_format", json!({"type": "json_object", "json_schema": schema})),
        ] {
            let mut request = api.request("any", false);
            request[field] = value;
            api.check_error(&host.post(api.path(), &request).await, 400, false);
        }
    }
    assert!(host.among_others(&[]).await.is_empty());
}

#[tokio::test]
async fn depth_without_an_end_is_refused() {
    let host = Host::start(&[]).await;
    for api in Api::ALL {
        for open in ["[", "{\"a\":"] {
            let deep = open.repeat(100_000);
            api.check_error(&post(&host, api, deep.as_bytes()).await, 400, false);
            let request = api.request("any", false).to_string();
            let deep = format!("{},\"metadata\":{deep}", &request[..request.len() - 1]);
            api.check_error(&post(&host, api, deep.as_bytes()).await, 400, false);
        }
    }
}
