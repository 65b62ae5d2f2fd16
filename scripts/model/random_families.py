"""Writes tiny model folders with random weights for the decoder families that the candle adapter loads, and the logits
that transformers computes with them.

    python random_families.py --out ../../.cache/random-models

Needs torch and transformers. The folders are what `save_pretrained` writes, with the shipped model's tokenizer and a
file `expected.safetensors`: `tokens`, and `logits` behind each of them. Each setting that changes what is computed is in
one of them; the names say which family it is.
"""

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

COMMON = {
    "vocab_size": 2048, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
# transformers' versions disagree where the factor is not the ratio of the two context lengths.
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 8.0}
LINEAR = {"rope_type": "linear", "factor": 8.0}

MODELS = {
    "llama": {},
    "llama-bias": {"attention_bias": True, "mlp_bias": True, "head_dim": 12, "tie_word_embeddings": True},
    "llama-llama3": {"head_dim": 16, "rope_theta": 500.0, "rope_scaling": LLAMA3},
    "llama-linear": {"rope_scaling": LINEAR},
    "llama-yarn": {"head_dim": 16, "rope_scaling": YARN},
    "mistral": {"sliding_window": 5, "head_dim": 12},
    "mistral-full": {"sliding_window": None},
    "qwen2": {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 2},
    "qwen2-full": {"use_sliding_window": False, "tie_word_embeddings": True},
    "qwen3": {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1, "attention_bias": True,
              "head_dim": 16},
    "qwen3-yarn": {"head_dim": 16, "rope_theta": 1e6, "rope_scaling": YARN},
    "gemma": {"head_dim": 16, "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh"},
    "gemma2": {"head_dim": 12, "query_pre_attn_scalar": 24, "sliding_window": 4, "attn_logit_softcapping": 3.0,
               "final_logit_softcapping": 5.0},
    "gemma3_text": {"head_dim": 16, "query_pre_attn_scalar": 20, "sliding_window": 4, "sliding_window_pattern": 2,
                    "rope_theta": 1e6, "rope_local_base_freq": 1e3, "rope_scaling": LINEAR},
    "phi": {"partial_rotary_factor": 0.5},
    "phi-norm": {"partial_rotary_factor": 0.25, "qk_layernorm": True, "num_attention_heads": 2,
                 "num_key_value_heads": 1},
    "phi3": {"sliding_window": 6},
    "phi3-partial": {"sliding_window": None, "partial_rotary_factor": 0.5},
}

# This model's weights are cut into several files with an index, as large checkpoints are.
SHARDED_MODEL = "mistral"
N_TOKENS = 40
SHIPPED_MODEL = Path(__file__).resolve().parents[2] / "crates" / "formwork-cli" / "model"


def randomize(model: torch.nn.Module) -> None:
    """Wide enough that next-token probabilities differ, and norms and biases are not neutral."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn_like(weight)
            if weight.dim() == 1:
                weight.add_(0.3 * noise)
            else:
                weight.copy_(noise if "embed" in name else 1.5 * weight.shape[1] ** -0.5 * noise)


def write_model(name: str, folder: Path) -> None:
    """One model folder."""
    config = AutoConfig.for_model(name.split("-")[0], **(COMMON | MODELS[name]))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    randomize(model)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size="100KB" if name == SHARDED_MODEL else "1GB")
    for file_name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copyfile(SHIPPED_MODEL / file_name, folder / file_name)
    tokens = torch.randint(3, COMMON["vocab_size"], (1, N_TOKENS))
    with torch.no_grad():
        logits = model(tokens, use_cache=False).logits
    save_file({"tokens": tokens[0].contiguous(), "logits": logits[0].contiguous()}, folder / "expected.safetensors")
    print(f"{folder}: logits from {logits.min():.1f} to {logits.max():.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to put one folder per model in")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", choices=MODELS, action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    for name in arguments.model or MODELS:
        torch.manual_seed(arguments.seed)
        write_model(name, arguments.out / name)


if __name__ == "__main__":
    main()
