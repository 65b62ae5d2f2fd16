//! What are a model's logits by definition? The whole text anew for each position, in `f64` and with plain loops; only the
//! configuration's fields and the tensors' names are read, nothing of the crate.

use serde_json::Value;

use super::random::RandomModel;

type Vector = Vec<f64>;

/// The logits behind each of the tokens.
pub(crate) fn reference_logits(model: &RandomModel, tokens: &[u32]) -> Vec<Vec<f32>> {
    let reference = Reference { model, family: model.config["model_type"].as_str().unwrap() };
    let mut states: Vec<Vector> = tokens.iter().map(|&token| reference.embedding(token)).collect();
    for layer in 0..reference.size("num_hidden_layers") {
        states = reference.layer(layer, &states);
    }
    states.iter().map(|state| reference.logits(state).into_iter().map(|logit| logit as f32).collect()).collect()
}

struct Reference<'a> {
    model: &'a RandomModel,
    family: &'a str,
}

impl Reference<'_> {
    fn field(&self, name: &str) -> &Value {
        &self.model.config[name]
    }

    fn size(&self, name: &str) -> usize {
        self.field(name).as_u64().unwrap() as usize
    }

    fn number(&self, name: &str, default: f64) -> f64 {
        self.field(name).as_f64().unwrap_or(default)
    }

    fn is_gemma(&self) -> bool {
        self.family.starts_with("gemma")
    }

    fn tensor(&self, name: &str) -> Option<&[f32]> {
        self.model.tensors.get(name).map(|(_, values)| &values[..])
    }

    fn embedding(&self, token: u32) -> Vector {
        let hidden = self.size("hidden_size");
        let scale = if self.is_gemma() { (hidden as f64).sqrt() } else { 1.0 };
        let values = self.tensor("model.embed_tokens.weight").unwrap();
        values[token as usize * hidden..][..hidden].iter().map(|&value| scale * f64::from(value)).collect()
    }

    fn logits(&self, state: &[f64]) -> Vector {
        let state = self.norm(if self.family == "phi" { "model.final_layernorm" } else { "model.norm" }, state);
        let is_tied = self.tensor("lm_head.weight").is_none();
        let logits = self.linear(if is_tied { "model.embed_tokens" } else { "lm_head" }, &state);
        cap(logits, self.limit("final_logit_softcapping", 30.0))
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vector {
        let weight = self.tensor(&format!("{name}.weight")).unwrap_or_else(|| panic!("{name}"));
        let mut y: Vector = weight
            .chunks(x.len())
            .map(|row| row.iter().zip(x).map(|(weight, x)| f64::from(*weight) * x).sum())
            .collect();
        for (y, bias) in y.iter_mut().zip(self.tensor(&format!("{name}.bias")).unwrap_or_default()) {
            *y += f64::from(*bias);
        }
        y
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vector {
        let weight = self.tensor(&format!("{name}.weight")).unwrap();
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / x.len() as f64;
        let Some(bias) = self.tensor(&format!("{name}.bias")) else {
            let size = (mean(&mut x.iter().map(|x| x * x)) + self.number("rms_norm_eps", 0.0)).sqrt();
            let offset = if self.is_gemma() { 1.0 } else { 0.0 };
            return x.iter().zip(weight).map(|(x, weight)| x / size * (offset + f64::from(*weight))).collect();
        };
        let middle = mean(&mut x.iter().copied());
        let variance = mean(&mut x.iter().map(|x| (x - middle).powi(2)));
        let deviation = (variance + self.number("layer_norm_eps", 0.0)).sqrt();
        let scaled = x.iter().zip(weight).map(|(x, weight)| (x - middle) / deviation * f64::from(*weight));
        scaled.zip(bias).map(|(x, bias)| x + f64::from(*bias)).collect()
    }

    fn layer(&self, layer: usize, states: &[Vector]) -> Vec<Vector> {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        let normed: Vec<Vector> = states.iter().map(|state| self.norm(&name("input_layernorm"), state)).collect();
        let attended = self.attention(layer, &normed);
        let parts = states.iter().zip(&normed).zip(&attended);
        let out = parts.map(|((state, normed), attended)| match self.family {
            "phi" => add(&add(state, attended), &self.feed_forward(layer, normed)),
            "gemma2" | "gemma3_text" => {
                let state = add(state, &self.norm(&name("post_attention_layernorm"), attended));
                let inner = self.feed_forward(layer, &self.norm(&name("pre_feedforward_layernorm"), &state));
                add(&state, &self.norm(&name("post_feedforward_layernorm"), &inner))
            }
            _ => {
                let state = add(state, attended);
                let inner = self.feed_forward(layer, &self.norm(&name("post_attention_layernorm"), &state));
                add(&state, &inner)
            }
        });
        out.collect()
    }

    fn feed_forward(&self, layer: usize, x: &[f64]) -> Vector {
        let linear = |part: &str, x: &[f64]| self.linear(&format!("model.layers.{layer}.mlp.{part}"), x);
        let activated = |x: Vector| x.into_iter().map(|x| self.activation(x)).collect::<Vector>();
        let (gate, up) = match self.family {
            "phi" => return linear("fc2", &activated(linear("fc1", x))),
            "phi3" => {
                let mut gate = linear("gate_up_proj", x);
                let up = gate.split_off(gate.len() / 2);
                (gate, up)
            }
            _ => (linear("gate_proj", x), linear("up_proj", x)),
        };
        let inner: Vector = activated(gate).iter().zip(&up).map(|(gate, up)| gate * up).collect();
        linear("down_proj", &inner)
    }

    fn activation(&self, x: f64) -> f64 {
        let is_tanh = self.is_gemma() || self.family == "phi";
        match self.field("hidden_act").as_str() {
            Some("gelu") => {
                // By its definition: x times the normal distribution's share below x, summed up in small steps.
                let (n, step) = (4000, x / 4000.0);
                let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
                x * (0.5 + (0..n).map(|i| density((f64::from(i) + 0.5) * step) * step).sum::<f64>())
            }
            _ if is_tanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
                x / 2.0 * (1.0 + inner.tanh())
            }
            _ => x / (1.0 + (-x).exp()),
        }
    }

    fn attention(&self, layer: usize, states: &[Vector]) -> Vec<Vector> {
        let name = |part: &str| format!("model.layers.{layer}.self_attn.{part}");
        let n_heads = self.size("num_attention_heads");
        let n_key_heads = self.field("num_key_value_heads").as_u64().map_or(n_heads, |n| n as usize);
        let head_dim = self.field("head_dim").as_u64().map_or(self.size("hidden_size") / n_heads, |n| n as usize);
        let (n_query, n_key) = (n_heads * head_dim, n_key_heads * head_dim);
        let norms = if self.family == "phi" { ["q_layernorm", "k_layernorm"] } else { ["q_norm", "k_norm"] };
        let turned = |position: usize, x: &[f64], norm: &str| -> Vec<Vector> {
            let has_norm = self.tensor(&name(&format!("{norm}.weight"))).is_some();
            let normed = |head: &[f64]| if has_norm { self.norm(&name(norm), head) } else { head.to_vec() };
            x.chunks(head_dim).map(|head| self.turn(layer, position, &normed(head))).collect()
        };
        let mut queries = Vec::new();
        let mut keys = Vec::new();
        let mut values: Vec<Vec<Vector>> = Vec::new();
        for (position, state) in states.iter().enumerate() {
            let (query, key, value) = match self.family {
                "phi3" => {
                    let packed = self.linear(&name("qkv_proj"), state);
                    let (query, rest) = packed.split_at(n_query);
                    (query.to_vec(), rest[..n_key].to_vec(), rest[n_key..].to_vec())
                }
                _ => {
                    let linear = |part| self.linear(&name(part), state);
                    (linear("q_proj"), linear("k_proj"), linear("v_proj"))
                }
            };
            queries.push(turned(position, &query, norms[0]));
            keys.push(turned(position, &key, norms[1]));
            values.push(value.chunks(head_dim).map(<[f64]>::to_vec).collect());
        }
        let width = match self.family {
            "gemma2" | "gemma3_text" => self.number("query_pre_attn_scalar", 256.0),
            _ => head_dim as f64,
        };
        let attend = |position: usize, head: usize| {
            let first = self.window(layer).map_or(0, |window| (position + 1).saturating_sub(window));
            let key_head = head * n_key_heads / n_heads;
            let score = |past: usize| dot(&queries[position][head], &keys[past][key_head]) / width.sqrt();
            let scores = (first..=position).map(score).collect();
            let shares = softmax(&cap(scores, self.limit("attn_logit_softcapping", 50.0)));
            let mixed = shares.iter().zip(&values[first..]);
            mixed.fold(vec![0.0; head_dim], |sum, (share, value)| {
                sum.iter().zip(&value[key_head]).map(|(sum, value)| sum + share * value).collect()
            })
        };
        let output = name(if self.family == "phi" { "dense" } else { "o_proj" });
        let all_heads = |position| (0..n_heads).flat_map(|head| attend(position, head)).collect::<Vector>();
        (0..states.len()).map(|position| self.linear(&output, &all_heads(position))).collect()
    }

    /// What Gemma 2's numbers are kept within where its file does not say; 0 for no limit.
    fn limit(&self, name: &str, of_gemma2: f64) -> f64 {
        let is_default = self.family == "gemma2" && self.model.config.get(name).is_none();
        if is_default { of_gemma2 } else { self.number(name, 0.0) }
    }

    /// How many positions a token of this layer sees.
    fn window(&self, layer: usize) -> Option<usize> {
        let listed = self.field("layer_types").get(layer).map(|name| name == "sliding_attention");
        let is_sliding = match self.family {
            "mistral" | "phi3" => true,
            "qwen2" | "qwen3" => *self.field("use_sliding_window") == true && layer >= self.size("max_window_layers"),
            "gemma2" => listed.unwrap_or(layer.is_multiple_of(2)),
            "gemma3_text" => !(layer + 1).is_multiple_of(self.size("sliding_window_pattern")),
            _ => false,
        };
        // Where a window is on and not given, it is longer than the texts here.
        self.field("sliding_window").as_u64().filter(|_| is_sliding).map(|window| window as usize)
    }

    /// Turns a head's pairs of numbers by the angles of the position.
    fn turn(&self, layer: usize, position: usize, head: &[f64]) -> Vector {
        let share = self.number("partial_rotary_factor", if self.family == "phi" { 0.5 } else { 1.0 });
        let n_pairs = (share * head.len() as f64) as usize / 2;
        let mut out = head.to_vec();
        for pair in 0..n_pairs {
            let (frequency, size) = self.frequency(layer, pair, n_pairs);
            let angle = position as f64 * frequency;
            let (x, y) = (head[pair], head[pair + n_pairs]);
            out[pair] = size * (x * angle.cos() - y * angle.sin());
            out[pair + n_pairs] = size * (x * angle.sin() + y * angle.cos());
        }
        out
    }

    /// Angle per position of a pair, and what its numbers grow by.
    fn frequency(&self, layer: usize, pair: usize, n_pairs: usize) -> (f64, f64) {
        let power = |theta: f64| theta.powf(-(pair as f64) / n_pairs as f64);
        if self.family == "gemma3_text" && self.window(layer).is_some() {
            return (power(self.number("rope_local_base_freq", 10_000.0)), 1.0);
        }
        let newer = self.field("rope_parameters");
        let scaling = if newer.is_object() { newer } else { self.field("rope_scaling") };
        let theta = newer["rope_theta"].as_f64().unwrap_or(self.number("rope_theta", 10_000.0));
        let frequency = power(theta);
        let number = |name: &str| scaling[name].as_f64().unwrap();
        let turns = |context: f64, frequency: f64| context * frequency / (2.0 * std::f64::consts::PI);
        match scaling["rope_type"].as_str() {
            Some("linear") => (frequency / number("factor"), 1.0),
            Some("llama3") => {
                let turns = turns(number("original_max_position_embeddings"), frequency);
                let (low, high) = (number("low_freq_factor"), number("high_freq_factor"));
                let scaled = frequency / number("factor");
                match turns {
                    _ if turns <= low => (scaled, 1.0),
                    _ if turns >= high => (frequency, 1.0),
                    _ => (scaled + (turns - low) / (high - low) * (frequency - scaled), 1.0),
                }
            }
            Some("yarn") => {
                // The first pair that makes fewer than `limit` turns, found by walking.
                let context = number("original_max_position_embeddings");
                let fewer = |limit: f64, pair: &f64| turns(context, theta.powf(-pair / n_pairs as f64)) < limit;
                let pairs = || (0..1000).map(f64::from);
                let fast = pairs().find(|pair| fewer(number("beta_fast"), pair)).unwrap() - 1.0;
                let slow = pairs().find(|pair| fewer(1.0, pair)).unwrap();
                let scaled = frequency / number("factor");
                let share = ((pair as f64 - fast.max(0.0)) / (slow - fast.max(0.0))).clamp(0.0, 1.0);
                (frequency + share * (scaled - frequency), 1.0 + number("factor").ln() / 10.0)
            }
            _ => (frequency, 1.0),
        }
    }
}

fn add(a: &[f64], b: &[f64]) -> Vector {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Keeps numbers within plus and minus `limit`, if it is not 0.
fn cap(values: Vector, limit: f64) -> Vector {
    if limit == 0.0 { values } else { values.into_iter().map(|value| limit * (value / limit).tanh()).collect() }
}

fn softmax(scores: &[f64]) -> Vector {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vector = scores.iter().map(|score| (score - greatest).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}
