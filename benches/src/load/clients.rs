//! What do the clients do? Each asks again and again until the time is over; some go away in the middle, some mean harm.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::CHAT;
use super::hostile::hostile_schemas;
use super::http::{HttpClient, events};
use super::schemas::{CheckedSchema, format};
use crate::data::split_mix;

/// Pieces of a stream that a client reads at most before it goes away.
const MAX_PIECES: u64 = 40;

const PROMPTS: [&str; 4] =
    ["Generate a person as JSON.", "Make a self-introduction please.", "Give me one record.", "List 3 books."];

/// Who asks for what.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Clients at once.
    pub n_clients: usize,
    /// How long they ask.
    pub duration: Duration,
    /// What the answers must be; free text where there are none.
    pub schemas: Arc<Vec<CheckedSchema>>,
    /// Of 100 requests, those whose client goes away in the middle.
    pub disconnect_percent: u64,
    /// Of 100 requests, those with a hostile schema.
    pub hostile_percent: u64,
    /// Tokens of an answer at most.
    pub max_tokens: usize,
    /// What makes the choices.
    pub seed: u64,
}

/// What became of requests.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answers that ended by themselves.
    pub finished: usize,
    /// Answers that were cut off at the limit of tokens.
    pub cut_off: usize,
    /// Answers that ended by themselves and are not what was asked for.
    pub invalid: usize,
    /// Requests whose client went away.
    pub left: usize,
    /// Requests by status, of those that were answered.
    pub by_status: BTreeMap<u16, usize>,
    /// Connections that broke, and streams that ended with an error.
    pub broken: usize,
    /// Milliseconds from the request to the end of the answer, of answers that came to one.
    pub milliseconds: Vec<f64>,
    /// Names of schemas with invalid answers, and what broke.
    pub remarks: Vec<String>,
}

impl Tally {
    /// Statuses that a server must not answer with.
    pub fn server_errors(&self) -> usize {
        self.by_status.iter().filter(|(status, _)| **status >= 500).map(|(_, n)| n).sum()
    }

    fn add(&mut self, other: Tally) {
        self.finished += other.finished;
        self.cut_off += other.cut_off;
        self.invalid += other.invalid;
        self.left += other.left;
        self.broken += other.broken;
        self.milliseconds.extend(other.milliseconds);
        self.remarks.extend(other.remarks);
        for (status, n) in other.by_status {
            *self.by_status.entry(status).or_default() += n;
        }
    }
}

/// Lets all clients ask until the time is over and the last answers are there.
pub async fn play(client: &HttpClient, mix: &Mix) -> Tally {
    let hostile = Arc::new(hostile_schemas());
    let end = Instant::now() + mix.duration;
    let playing: Vec<_> = (0..mix.n_clients)
        .map(|index| {
            let player = Player { client: client.clone(), mix: mix.clone(), hostile: Arc::clone(&hostile), index };
            tokio::spawn(player.play(end))
        })
        .collect();
    let mut total = Tally::default();
    for task in playing {
        match task.await {
            Ok(tally) => total.add(tally),
            Err(error) => total.remarks.push(error.to_string()),
        }
    }
    total
}

struct Player {
    client: HttpClient,
    mix: Mix,
    hostile: Arc<Vec<Value>>,
    index: usize,
}

impl Player {
    async fn play(self, end: Instant) -> Tally {
        let mut tally = Tally::default();
        let mut count = 0;
        while Instant::now() < end {
            // Choices of one request: far apart from those of others.
            let seed = split_mix(self.mix.seed + self.index as u64, count);
            count += 1;
            if let Err(error) = self.ask(seed, &mut tally).await {
                tally.broken += 1;
                tally.remarks.push(error.to_string());
            }
        }
        tally
    }

    async fn ask(&self, seed: u64, tally: &mut Tally) -> io::Result<()> {
        let choice = |index: u64, n: usize| (split_mix(seed, index) % n.max(1) as u64) as usize;
        let is_hostile = (choice(0, 100) as u64) < self.mix.hostile_percent;
        let leaves = (choice(1, 100) as u64) < self.mix.disconnect_percent;
        let is_stream = leaves || choice(2, 2) == 0;
        let checked = self.mix.schemas.get(choice(3, self.mix.schemas.len()));
        let schema =
            if is_hostile { Some(&self.hostile[choice(4, self.hostile.len())]) } else { checked.map(|it| &it.schema) };
        let messages = json!([{"role": "user", "content": PROMPTS[choice(5, PROMPTS.len())]}]);
        let mut request = json!({
            "messages": messages, "max_tokens": self.mix.max_tokens, "seed": seed >> 1, "stream": is_stream,
        });
        if let Some(schema) = schema {
            request["response_format"] = format(schema);
        }
        let start = Instant::now();
        let mut answer = self.client.post(CHAT, &request).await?;
        *tally.by_status.entry(answer.status()).or_default() += 1;
        if answer.status() == 429 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if answer.status() != 200 {
            answer.text().await?;
            return Ok(());
        }
        if leaves {
            for _ in 0..=split_mix(seed, 6) % MAX_PIECES {
                if answer.next().await?.is_none() {
                    break;
                }
            }
            tally.left += 1;
            return Ok(());
        }
        let body = answer.text().await?;
        tally.milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        let Some((text, finish)) = (if is_stream { streamed(&body) } else { whole(&body) }) else {
            tally.broken += 1;
            tally.remarks.push(body.chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect());
            return Ok(());
        };
        if finish == "length" {
            tally.cut_off += 1;
            return Ok(());
        }
        tally.finished += 1;
        if let Some(checked) = checked.filter(|checked| !is_hostile && !checked.admits(&text)) {
            tally.invalid += 1;
            tally.remarks.push(format!("invalid by {}: {text}", checked.name));
        }
        Ok(())
    }
}

/// Text and reason of the end; `None` for what is no answer.
fn whole(body: &str) -> Option<(String, String)> {
    let body: Value = serde_json::from_str(body).ok()?;
    let choice = &body["choices"][0];
    Some((choice["message"]["content"].as_str()?.to_owned(), choice["finish_reason"].as_str()?.to_owned()))
}

fn streamed(body: &str) -> Option<(String, String)> {
    let (mut text, mut finish) = (String::new(), None);
    for event in events(body) {
        let choice = &event["choices"][0];
        text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        finish = choice["finish_reason"].as_str().map(str::to_owned).or(finish);
    }
    Some((text, finish?))
}
