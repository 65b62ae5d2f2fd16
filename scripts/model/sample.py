"""Does the exported folder work, and how much of what it writes is JSON?

    python sample.py ../../crates/formwork-cli/model

A second implementation of the forward pass (numpy, one token at a time, from the f16 file), so that a mistake in the
export shows. Prints answers, then the share of valid JSON by temperature, then checks that text round-trips.
"""

import argparse
import json
from pathlib import Path

import jinja2
import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

PROMPTS = ["Generate a book about a river.", "Give me a JSON record of a person.", "Make a self introduction please.",
           "Generate an order.", "List three products.", "Create an event: name, date, location, attendees",
           "Extract the data as JSON: Maria Rossi is 34 years old and lives in Milan.", "Describe a recipe in JSON."]

ROUND_TRIP_TEXTS = ["plain words, 12345 and 3.14", "emoji 🎉👩‍👩‍👧‍👦🇫🇷 and accents éüñ", "日本語のテキスト、漢字 한국어 العربية עברית",
                    "fn main() {\n\tlet x = [1, 2];\r\n    println!(\"{x:?}\");\n}\n", "  two  spaces\n\n\n  and\ttabs ",
                    "zero\u0000byte \u200d \ufeff \U0010ffff", "<|user|>special<|end|>", ""]


class Decoder:
    """The model of one folder with a key-value cache."""

    def __init__(self, folder: Path):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {name: value.astype(np.float32) for name, value in load_file(folder / "model.safetensors").items()}
        self.head_dim = self.config["head_dim"]
        self.n_key_value_heads = self.config["num_key_value_heads"]
        self.frequencies = self.config["rope_theta"] ** (-np.arange(0, self.head_dim, 2) / self.head_dim)
        self.reset()

    def reset(self) -> None:
        self.keys = [[] for _ in range(self.config["num_hidden_layers"])]
        self.values = [[] for _ in range(self.config["num_hidden_layers"])]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        return x / np.sqrt(np.mean(x * x) + self.config["rms_norm_eps"]) * self.weights[name + ".weight"]

    def rotate(self, x: np.ndarray, position: int) -> np.ndarray:
        cosine, sine = np.cos(position * self.frequencies), np.sin(position * self.frequencies)
        first, second = np.split(x, 2, axis=-1)
        return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)

    def next_logits(self, token_id: int) -> np.ndarray:
        """Feeds one token and returns the logits after it."""
        position = len(self.keys[0])
        embeddings = self.weights["model.embed_tokens.weight"]
        x = embeddings[token_id]
        for layer_idx in range(self.config["num_hidden_layers"]):
            prefix = f"model.layers.{layer_idx}."
            h = self.norm(x, prefix + "input_layernorm")
            query, key, value = ((self.weights[f"{prefix}self_attn.{name}_proj.weight"] @ h).reshape(-1, self.head_dim)
                                 for name in "qkv")
            self.keys[layer_idx].append(self.rotate(key, position))
            self.values[layer_idx].append(value)
            keys, values = np.stack(self.keys[layer_idx], 1), np.stack(self.values[layer_idx], 1)
            query = self.rotate(query, position).reshape(self.n_key_value_heads, -1, self.head_dim)
            scores = query @ keys.transpose(0, 2, 1) / np.sqrt(self.head_dim)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = (weights / weights.sum(-1, keepdims=True) @ values).reshape(-1)
            x = x + self.weights[prefix + "self_attn.o_proj.weight"] @ mixed
            h = self.norm(x, prefix + "post_attention_layernorm")
            gate = self.weights[prefix + "mlp.gate_proj.weight"] @ h
            up = self.weights[prefix + "mlp.up_proj.weight"] @ h
            x = x + self.weights[prefix + "mlp.down_proj.weight"] @ (gate / (1 + np.exp(-gate)) * up)
        return embeddings @ self.norm(x, "model.norm")

    def generate(self, prompt_ids: list[int], temperature: float, n_tokens: int, generator: np.random.Generator) -> list[int]:
        """At most `n_tokens` after the prompt, the end token left out; temperature 0 takes the best token."""
        self.reset()
        for token_id in prompt_ids:
            logits = self.next_logits(token_id)
        answer = []
        while len(answer) < n_tokens:
            if temperature == 0:
                token_id = int(logits.argmax())
            else:
                token_id = int((logits / temperature + generator.gumbel(size=logits.shape)).argmax())
            if token_id == self.config["eos_token_id"]:
                break
            answer.append(token_id)
            logits = self.next_logits(token_id)
        return answer


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def render_chat(folder: Path, messages: list[dict], **variables) -> str:
    """The prompt that the folder's own chat template makes."""
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(config["chat_template"]).render(
        messages=messages, bos_token=config["bos_token"], eos_token=config["eos_token"], add_generation_prompt=True, **variables)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n-samples", type=int, default=8, help="answers per prompt and temperature")
    parser.add_argument("--n-tokens", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    tokenizer = Tokenizer.from_file(str(arguments.folder / "tokenizer.json"))
    decoder = Decoder(arguments.folder)
    generator = np.random.default_rng(arguments.seed)
    for temperature in [0, 0.7, 1.0, 1.5]:
        n_valid = n_answers = 0
        for prompt in PROMPTS:
            text = render_chat(arguments.folder, [{"role": "user", "content": prompt}])
            prompt_ids = tokenizer.encode(text, add_special_tokens=False).ids
            for sample_idx in range(1 if temperature == 0 else arguments.n_samples):
                answer_ids = decoder.generate(prompt_ids, temperature, arguments.n_tokens, generator)
                answer = tokenizer.decode(answer_ids, skip_special_tokens=False)
                n_answers += 1
                n_valid += is_json(answer)
                if sample_idx == 0:
                    print(f"[T={temperature}] {prompt}\n{answer}\n", flush=True)
        print(f"== T={temperature}: {n_valid}/{n_answers} valid JSON\n", flush=True)

    for text in ROUND_TRIP_TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        if tokenizer.decode(ids, skip_special_tokens=False) != text:
            raise SystemExit(f"does not round-trip: {text!r}")
    print(f"{len(ROUND_TRIP_TEXTS)} texts round-trip")


if __name__ == "__main__":
    main()
