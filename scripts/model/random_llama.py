"""Writes a Llama folder of a given size with random weights, for measuring decoders: what it generates is noise.

    python random_llama.py --size 50m --out /tmp/models/50m
    python random_llama.py --size 500m --out /tmp/models/500m

The folder has config.json, model.safetensors (16-bit floats) and model.onnx, which points into the weights. It has no
tokenizer: the vocabulary is as wide as a tokenizer that formwork-tokenizers carries, named in the table below.
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np

import export_onnx

# hidden, intermediate, layers, heads, key-value heads, vocabulary
SIZES = {
    "50m": (384, 1024, 8, 6, 2, 100_277),    # cl100k
    "500m": (896, 4864, 22, 14, 2, 200_019),  # o200k
}
N_POSITIONS = 4096
STANDARD_DEVIATION = 0.02


def config(size: str) -> dict:
    hidden, intermediate, n_layers, n_heads, n_key_value_heads, vocab_size = SIZES[size]
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocab_size, "hidden_size": hidden,
        "intermediate_size": intermediate, "num_hidden_layers": n_layers, "num_attention_heads": n_heads,
        "num_key_value_heads": n_key_value_heads, "max_position_embeddings": N_POSITIONS, "rope_theta": 10000.0,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": True, "hidden_act": "silu", "torch_dtype": "float16",
    }


def shapes(config: dict) -> dict[str, tuple[int, ...]]:
    hidden, intermediate = config["hidden_size"], config["intermediate_size"]
    key_value = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    result: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (config["vocab_size"], hidden)}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        result |= {
            prefix + "input_layernorm.weight": (hidden,),
            prefix + "self_attn.q_proj.weight": (hidden, hidden),
            prefix + "self_attn.k_proj.weight": (key_value, hidden),
            prefix + "self_attn.v_proj.weight": (key_value, hidden),
            prefix + "self_attn.o_proj.weight": (hidden, hidden),
            prefix + "post_attention_layernorm.weight": (hidden,),
            prefix + "mlp.gate_proj.weight": (intermediate, hidden),
            prefix + "mlp.up_proj.weight": (intermediate, hidden),
            prefix + "mlp.down_proj.weight": (hidden, intermediate),
        }
    return result | {"model.norm.weight": (hidden,)}


def write_weights(path: Path, shapes: dict[str, tuple[int, ...]], seed: int) -> int:
    """Writes tensor after tensor, so that no more than one is in memory. The number of parameters."""
    header, offset = {}, 0
    for name, shape in shapes.items():
        n_bytes = 2 * int(np.prod(shape))
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + n_bytes]}
        offset += n_bytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    generator = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for shape in shapes.values():
            if len(shape) == 1:
                tensor = np.ones(shape, np.float16)
            else:
                tensor = (generator.standard_normal(shape, np.float32) * STANDARD_DEVIATION).astype(np.float16)
            file.write(tensor.tobytes())
    return offset // 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    settings = config(args.size)
    (args.out / "config.json").write_text(json.dumps(settings, indent=2))
    n_parameters = write_weights(args.out / "model.safetensors", shapes(settings), args.seed)
    model = export_onnx.build(args.out, half=False)
    (args.out / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    print(f"{args.out}: {n_parameters / 1e6:.1f} million parameters")


if __name__ == "__main__":
    main()
