"""Writes one tiny model folder with random weights for each decoder family that the candle adapter loads.

    python random_families.py --out /tmp/families

The folders have the file names, tensor names and configuration fields of real Hugging Face checkpoints, so they test
loading; what they generate is noise. The weights depend on the seed and the family's name alone. The tokenizer is the
shipped model's. Some families have more embedding rows than the tokenizer has entries, as real ones do: ids beyond the
tokenizer must stay masked.

Names and fields were read from candle-transformers 0.11.1, `src/models/{llama,mistral,qwen2,qwen3,gemma,gemma2,gemma3,
phi,phi3}.rs`.
"""

import argparse
import json
import shutil
import zlib
from pathlib import Path
from typing import Callable

import numpy as np
from safetensors.numpy import save_file

HIDDEN, INTERMEDIATE, N_LAYERS, N_HEADS, N_KEY_VALUE_HEADS = 8, 16, 2, 2, 1
HEAD_DIM = HIDDEN // N_HEADS
# Families whose configuration names `head_dim` get one that differs from hidden / heads, as Gemma and Qwen3 have.
WIDE_HEAD_DIM = 8
N_POSITIONS = 256
BEGIN_ID, END_ID, PAD_ID = 1, 2, 0

SHIPPED_MODEL = Path(__file__).resolve().parents[2] / "crates" / "formwork-cli" / "model"

Shapes = dict[str, tuple[int, ...]]


def common_config(architecture: str, model_type: str, vocab_size: int) -> dict:
    """What every decoder configuration has."""
    return {
        "architectures": [architecture], "model_type": model_type, "vocab_size": vocab_size, "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE, "num_hidden_layers": N_LAYERS, "num_attention_heads": N_HEADS,
        "num_key_value_heads": N_KEY_VALUE_HEADS, "max_position_embeddings": N_POSITIONS, "rope_theta": 10000.0,
        "bos_token_id": BEGIN_ID, "eos_token_id": END_ID, "pad_token_id": PAD_ID, "initializer_range": 0.02,
        "attention_dropout": 0.0, "torch_dtype": "float16", "use_cache": True,
    }


def decoder_shapes(vocab_size: int, head_dim: int = HEAD_DIM, *, tied: bool = False, qkv_bias: bool = False,
                   qk_norm: bool = False, feed_forward_norms: bool = False, packed: bool = False) -> Shapes:
    """Tensors of the Llama line of families; Phi-2 alone is built differently."""
    query, key_value = N_HEADS * head_dim, N_KEY_VALUE_HEADS * head_dim
    shapes: Shapes = {"model.embed_tokens.weight": (vocab_size, HIDDEN)}
    for layer_idx in range(N_LAYERS):
        prefix = f"model.layers.{layer_idx}."
        attention, mlp = prefix + "self_attn.", prefix + "mlp."
        if packed:
            shapes[attention + "qkv_proj.weight"] = (query + 2 * key_value, HIDDEN)
            shapes[mlp + "gate_up_proj.weight"] = (2 * INTERMEDIATE, HIDDEN)
        else:
            for name, n_rows in [("q_proj", query), ("k_proj", key_value), ("v_proj", key_value)]:
                shapes[f"{attention}{name}.weight"] = (n_rows, HIDDEN)
                if qkv_bias:
                    shapes[f"{attention}{name}.bias"] = (n_rows,)
            shapes[mlp + "gate_proj.weight"] = (INTERMEDIATE, HIDDEN)
            shapes[mlp + "up_proj.weight"] = (INTERMEDIATE, HIDDEN)
        if qk_norm:
            shapes[attention + "q_norm.weight"] = (head_dim,)
            shapes[attention + "k_norm.weight"] = (head_dim,)
        shapes[attention + "o_proj.weight"] = (HIDDEN, query)
        shapes[mlp + "down_proj.weight"] = (HIDDEN, INTERMEDIATE)
        norms = ["input_layernorm", "post_attention_layernorm"]
        if feed_forward_norms:
            norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        for name in norms:
            shapes[f"{prefix}{name}.weight"] = (HIDDEN,)
    shapes["model.norm.weight"] = (HIDDEN,)
    if not tied:
        shapes["lm_head.weight"] = (vocab_size, HIDDEN)
    return shapes


def llama(n_tokens: int) -> tuple[dict, Shapes]:
    config = common_config("LlamaForCausalLM", "llama", n_tokens) | {
        "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_scaling": None, "tie_word_embeddings": False,
        "attention_bias": False, "mlp_bias": False, "head_dim": HEAD_DIM, "pretraining_tp": 1}
    return config, decoder_shapes(n_tokens)


def mistral(n_tokens: int) -> tuple[dict, Shapes]:
    config = common_config("MistralForCausalLM", "mistral", n_tokens) | {
        "hidden_act": "silu", "rms_norm_eps": 1e-5, "sliding_window": None, "tie_word_embeddings": False,
        "head_dim": WIDE_HEAD_DIM}
    return config, decoder_shapes(n_tokens, WIDE_HEAD_DIM)


def qwen2(n_tokens: int) -> tuple[dict, Shapes]:
    vocab_size = n_tokens + 128
    config = common_config("Qwen2ForCausalLM", "qwen2", vocab_size) | {
        "hidden_act": "silu", "rms_norm_eps": 1e-6, "sliding_window": N_POSITIONS, "max_window_layers": N_LAYERS,
        "use_sliding_window": False, "tie_word_embeddings": True}
    return config, decoder_shapes(vocab_size, tied=True, qkv_bias=True)


def qwen3(n_tokens: int) -> tuple[dict, Shapes]:
    vocab_size = n_tokens + 64
    config = common_config("Qwen3ForCausalLM", "qwen3", vocab_size) | {
        "hidden_act": "silu", "rms_norm_eps": 1e-6, "sliding_window": None, "max_window_layers": N_LAYERS,
        "use_sliding_window": False, "tie_word_embeddings": True, "attention_bias": False, "head_dim": WIDE_HEAD_DIM,
        "rope_scaling": None}
    return config, decoder_shapes(vocab_size, WIDE_HEAD_DIM, tied=True, qk_norm=True)


def gemma(n_tokens: int) -> tuple[dict, Shapes]:
    config = common_config("GemmaForCausalLM", "gemma", n_tokens) | {
        "hidden_act": "gelu_pytorch_tanh", "hidden_activation": None, "rms_norm_eps": 1e-6, "attention_bias": False,
        "head_dim": WIDE_HEAD_DIM, "tie_word_embeddings": True}
    return config, decoder_shapes(n_tokens, WIDE_HEAD_DIM, tied=True)


def gemma2(n_tokens: int) -> tuple[dict, Shapes]:
    config = common_config("Gemma2ForCausalLM", "gemma2", n_tokens) | {
        "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6,
        "attention_bias": False, "head_dim": WIDE_HEAD_DIM, "tie_word_embeddings": True,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "query_pre_attn_scalar": WIDE_HEAD_DIM,
        "sliding_window": N_POSITIONS}
    return config, decoder_shapes(n_tokens, WIDE_HEAD_DIM, tied=True, feed_forward_norms=True)


def gemma3(n_tokens: int) -> tuple[dict, Shapes]:
    config = common_config("Gemma3ForCausalLM", "gemma3_text", n_tokens) | {
        "hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6, "attention_bias": False,
        "head_dim": WIDE_HEAD_DIM, "tie_word_embeddings": True, "attn_logit_softcapping": None,
        "final_logit_softcapping": None, "query_pre_attn_scalar": WIDE_HEAD_DIM, "rope_scaling": None,
        "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "sliding_window": 128, "sliding_window_pattern": 2}
    return config, decoder_shapes(n_tokens, WIDE_HEAD_DIM, tied=True, qk_norm=True, feed_forward_norms=True)


def phi(n_tokens: int) -> tuple[dict, Shapes]:
    vocab_size = n_tokens + 3
    config = common_config("PhiForCausalLM", "phi", vocab_size) | {
        "hidden_act": "gelu_new", "layer_norm_eps": 1e-5, "partial_rotary_factor": 0.5, "qk_layernorm": False,
        "tie_word_embeddings": False, "rope_scaling": None, "embd_pdrop": 0.0, "resid_pdrop": 0.1,
        "num_key_value_heads": N_HEADS}
    shapes: Shapes = {"model.embed_tokens.weight": (vocab_size, HIDDEN)}

    def with_bias(name: str, *dimensions: int) -> None:
        shapes[name + ".weight"] = dimensions
        shapes[name + ".bias"] = dimensions[:1]

    for layer_idx in range(N_LAYERS):
        prefix = f"model.layers.{layer_idx}."
        for name in ["q_proj", "k_proj", "v_proj", "dense"]:
            with_bias(f"{prefix}self_attn.{name}", HIDDEN, HIDDEN)
        with_bias(prefix + "mlp.fc1", INTERMEDIATE, HIDDEN)
        with_bias(prefix + "mlp.fc2", HIDDEN, INTERMEDIATE)
        with_bias(prefix + "input_layernorm", HIDDEN)
    with_bias("model.final_layernorm", HIDDEN)
    with_bias("lm_head", vocab_size, HIDDEN)
    return config, shapes


def phi3(n_tokens: int) -> tuple[dict, Shapes]:
    vocab_size = n_tokens + 16
    config = common_config("Phi3ForCausalLM", "phi3", vocab_size) | {
        "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_scaling": None, "tie_word_embeddings": False,
        "original_max_position_embeddings": N_POSITIONS, "sliding_window": N_POSITIONS, "embd_pdrop": 0.0,
        "resid_pdrop": 0.0, "attention_bias": False}
    return config, decoder_shapes(vocab_size, packed=True)


FAMILIES: dict[str, Callable[[int], tuple[dict, Shapes]]] = {
    "llama": llama, "mistral": mistral, "qwen2": qwen2, "qwen3": qwen3, "gemma": gemma, "gemma2": gemma2,
    "gemma3": gemma3, "phi": phi, "phi3": phi3,
}

# This family's weights are cut into two files with an index, as large checkpoints are.
SHARDED_FAMILY = "mistral"


def random_tensor(generator: np.random.Generator, name: str, dimensions: tuple[int, ...], norm_mean: float) -> np.ndarray:
    """Wide enough that next-token probabilities differ; a norm's weight is near its neutral value."""
    if "norm" in name and name.endswith(".weight"):
        value = generator.normal(norm_mean, 0.1, dimensions)
    elif name.endswith(".bias"):
        value = generator.normal(0, 0.1, dimensions)
    elif name.startswith(("lm_head", "model.embed_tokens")):
        value = generator.normal(0, 0.7, dimensions)
    else:
        value = generator.normal(0, dimensions[1] ** -0.5, dimensions)
    return value.astype(np.float16)


def save_weights(tensors: dict[str, np.ndarray], folder: Path, n_shards: int) -> None:
    """model.safetensors, or its shards and their index."""
    if n_shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names = list(tensors)
    weight_map = {}
    for shard_idx in range(n_shards):
        file_name = f"model-{shard_idx + 1:05}-of-{n_shards:05}.safetensors"
        shard = names[shard_idx * len(names) // n_shards:(shard_idx + 1) * len(names) // n_shards]
        save_file({name: tensors[name] for name in shard}, folder / file_name, metadata={"format": "pt"})
        weight_map |= {name: file_name for name in shard}
    index = {"metadata": {"total_size": sum(value.nbytes for value in tensors.values())}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def write_family(family: str, out: Path, tokenizer_folder: Path, seed: int) -> None:
    """One model folder."""
    folder = out / family
    folder.mkdir(parents=True, exist_ok=True)
    n_tokens = count_tokens(tokenizer_folder / "tokenizer.json")
    config, shapes = FAMILIES[family](n_tokens)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    generator = np.random.default_rng([seed, zlib.crc32(family.encode())])
    # Gemma multiplies by 1 + weight.
    norm_mean = 0.0 if family.startswith("gemma") else 1.0
    tensors = {name: random_tensor(generator, name, dimensions, norm_mean) for name, dimensions in shapes.items()}
    save_weights(tensors, folder, 2 if family == SHARDED_FAMILY else 1)
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors makes it readable by its owner alone
    for file_name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copyfile(tokenizer_folder / file_name, folder / file_name)
    print(f"{folder}: {sum(value.nbytes for value in tensors.values())} bytes of weights, "
          f"{config['vocab_size']} rows for {n_tokens} tokens")


def count_tokens(tokenizer_path: Path) -> int:
    """One more than the largest id of tokenizer.json."""
    tokenizer = json.loads(tokenizer_path.read_text(encoding="utf-8"))
    ids = list(tokenizer["model"]["vocab"].values()) + [token["id"] for token in tokenizer["added_tokens"]]
    return max(ids) + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to put one folder per family in")
    parser.add_argument("--tokenizer", type=Path, default=SHIPPED_MODEL, help="the model folder to copy the tokenizer from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", choices=FAMILIES, action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    for family in arguments.family or FAMILIES:
        write_family(family, arguments.out, arguments.tokenizer, arguments.seed)


if __name__ == "__main__":
    main()
