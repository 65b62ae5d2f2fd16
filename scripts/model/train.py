"""Makes the model folder that ships with Formwork: text, tokenizer, training, export.

    python train.py --out ../../crates/formwork-cli/model

Everything is seeded; on one machine two runs give the same tokenizer and nearly the same weights (the order in which
threads add is free).
"""

import argparse
import json
import re
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from llama import ModelShape, Parameters, forward, initial_parameters
from make_data import make_documents

SPECIAL_TOKENS = ["<|pad|>", "<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"]
PAD_ID, BEGIN_ID, END_ID = 0, 1, 2

# The splitting rule of the cl100k family without its English contractions: digits in groups of up to three, and a
# quote or a bracket may join the letters after it. Its tokens cross JSON's own boundaries, as those of large models do.
SPLIT_PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

# Two stages of (steps, batch, length). The long one is there so that the model has seen every position of its context.
STAGES = [(600, 16, 256), (60, 4, 1024)]


def train_tokenizer(documents: list[str], vocab_size: int) -> Tokenizer:
    """Byte-level BPE over the text between the special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT_PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[AddedToken(text, special=True, normalized=False) for text in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    special = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))
    tokenizer.train_from_iterator((piece for text in documents for piece in special.split(text) if piece), trainer)
    if tokenizer.get_vocab_size() != vocab_size:
        raise SystemExit(f"the tokenizer has {tokenizer.get_vocab_size()} entries, not {vocab_size}: too little text")
    return tokenizer


def encode(tokenizer: Tokenizer, documents: list[str]) -> np.ndarray:
    """All documents, one after the other."""
    encodings = tokenizer.encode_batch(documents, add_special_tokens=False)
    return np.concatenate([np.asarray(encoding.ids, np.int32) for encoding in encodings])


def loss_of(parameters: Parameters, windows: jax.Array, shape: ModelShape) -> jax.Array:
    """Mean cross entropy of each next token in windows `[batch, length + 1]`."""
    logits = forward(parameters, windows[:, :-1], shape)
    return optax.softmax_cross_entropy_with_integer_labels(logits, windows[:, 1:]).mean()


def save_checkpoint(path: Path, step_idx: int, parameters: Parameters, state: optax.OptState) -> None:
    """Everything that training needs to go on, as a flat list of arrays."""
    leaves = {f"leaf_{leaf_idx}": leaf for leaf_idx, leaf in enumerate(jax.tree.leaves((parameters, state)))}
    np.savez(path, step_idx=step_idx, **leaves)


def load_checkpoint(path: Path, parameters: Parameters, state: optax.OptState) -> tuple[int, Parameters, optax.OptState]:
    """The inverse; the arguments only lend their structure."""
    with np.load(path) as arrays:
        structure = jax.tree.structure((parameters, state))
        leaves = [jnp.asarray(arrays[f"leaf_{leaf_idx}"]) for leaf_idx in range(structure.num_leaves)]
        return int(arrays["step_idx"]), *jax.tree.unflatten(structure, leaves)


def train(token_ids: np.ndarray, shape: ModelShape, seed: int, *, checkpoint: Path | None, finish_in: int | None) -> Parameters:
    """AdamW over random windows.

    With `finish_in`, goes on from the checkpoint and lets the learning rate fall to zero over that many steps: on a busy
    machine a run that is cut short this way is worth more than one that stops at a high rate.
    """
    stages, first_step = STAGES, 0
    n_planned = sum(stage[0] for stage in stages)
    schedule = optax.warmup_cosine_decay_schedule(0, 4e-3, n_planned // 20, n_planned, 2e-4)
    # `adamw` without its last part, the rate, which is an argument of `step` instead.
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b2=0.98), optax.add_decayed_weights(0.02))
    parameters = initial_parameters(shape, seed)
    state = optimizer.init(parameters)
    if finish_in is not None:
        first_step, parameters, state = load_checkpoint(checkpoint, parameters, state)
        n_long = finish_in // 8
        stages = [(finish_in - n_long, *stages[0][1:]), (n_long, *stages[1][1:])]

    def rate_at(step_idx: int) -> float:
        if finish_in is None:
            return float(schedule(step_idx))
        return float(schedule(first_step)) * (1 - (step_idx - first_step) / finish_in)

    @jax.jit
    def step(parameters, state, windows, rate):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, windows, shape)
        updates, state = optimizer.update(gradients, state, parameters)
        parameters = jax.tree.map(lambda value, update: value - rate * update, parameters, updates)
        return parameters, state, loss

    generator = np.random.default_rng([seed, first_step])
    start, step_idx = time.monotonic(), first_step
    for n_stage_steps, batch, length in stages:
        for _ in range(n_stage_steps):
            offsets = generator.integers(0, len(token_ids) - length - 1, batch)
            windows = token_ids[offsets[:, None] + np.arange(length + 1)]
            parameters, state, loss = step(parameters, state, jnp.asarray(windows), rate_at(step_idx))
            step_idx += 1
            if step_idx % 10 == 0:
                print(f"step {step_idx} loss {loss:.3f} {time.monotonic() - start:.0f} s", flush=True)
            if checkpoint and finish_in is None and step_idx % 50 == 0:
                save_checkpoint(checkpoint, step_idx, parameters, state)
    return parameters


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def model_config(shape: ModelShape) -> dict:
    """config.json with the fields of `transformers.LlamaConfig`."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": BEGIN_ID,
        "eos_token_id": END_ID,
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "hidden_size": shape.hidden_size,
        "initializer_range": 0.02,
        "intermediate_size": shape.intermediate_size,
        "max_position_embeddings": shape.max_position_embeddings,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": shape.num_attention_heads,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_key_value_heads": shape.num_key_value_heads,
        "pad_token_id": PAD_ID,
        "pretraining_tp": 1,
        "rms_norm_eps": shape.rms_norm_eps,
        "rope_scaling": None,
        "rope_theta": shape.rope_theta,
        "tie_word_embeddings": True,
        "torch_dtype": "float16",
        "use_cache": True,
        "vocab_size": shape.vocab_size,
    }


def tokenizer_config(shape: ModelShape) -> dict:
    """tokenizer_config.json, the chat template inside."""
    template = Path(__file__).with_name("chat_template.jinja").read_text(encoding="utf-8")
    return {
        "added_tokens_decoder": {
            str(token_id): {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
                            "special": True}
            for token_id, text in enumerate(SPECIAL_TOKENS)
        },
        "bos_token": SPECIAL_TOKENS[BEGIN_ID],
        "chat_template": template.rstrip("\n"),
        "clean_up_tokenization_spaces": False,
        "eos_token": SPECIAL_TOKENS[END_ID],
        "model_max_length": shape.max_position_embeddings,
        "pad_token": SPECIAL_TOKENS[PAD_ID],
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def export_tokenizer(tokenizer: Tokenizer, shape: ModelShape, out: Path) -> None:
    """The tokenizer files and the two configurations; none of them needs the weights."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    write_json(out / "tokenizer_config.json", tokenizer_config(shape))
    write_json(out / "special_tokens_map.json", {"bos_token": SPECIAL_TOKENS[BEGIN_ID], "eos_token": SPECIAL_TOKENS[END_ID],
                                                 "pad_token": SPECIAL_TOKENS[PAD_ID]})
    write_json(out / "config.json", model_config(shape))
    write_json(out / "generation_config.json", {"bos_token_id": BEGIN_ID, "do_sample": True, "eos_token_id": END_ID,
                                                "max_length": shape.max_position_embeddings, "pad_token_id": PAD_ID,
                                                "temperature": 0.7})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--n-documents", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--checkpoint", type=Path, help="an .npz file to save the state in every 50 steps")
    parser.add_argument("--finish-in", type=int, help="go on from the checkpoint and end after this many steps")
    arguments = parser.parse_args()
    if arguments.finish_in is not None and arguments.checkpoint is None:
        parser.error("--finish-in needs --checkpoint")

    shape = ModelShape()
    documents = list(make_documents(arguments.n_documents, arguments.seed))
    tokenizer = train_tokenizer(documents, shape.vocab_size)
    export_tokenizer(tokenizer, shape, arguments.out)
    token_ids = encode(tokenizer, documents)
    print(f"{len(documents)} documents, {len(token_ids)} tokens", flush=True)

    parameters = train(token_ids, shape, arguments.seed,
                       checkpoint=arguments.checkpoint, finish_in=arguments.finish_in)
    tensors = {name: np.asarray(value).astype(np.float16) for name, value in parameters.items()}
    weights_path = arguments.out / "model.safetensors"
    save_file(tensors, weights_path, metadata={"format": "pt"})
    weights_path.chmod(0o644)  # safetensors makes it readable by its owner alone
    print(f"{sum(value.size for value in tensors.values())} parameters in {arguments.out}")


if __name__ == "__main__":
    main()
