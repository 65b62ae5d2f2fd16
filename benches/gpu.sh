#!/usr/bin/env bash
# What only a machine with an NVIDIA GPU can show, in one command: candle and ONNX Runtime with CUDA write the texts that
# they write on the CPU, what the mask kernel costs next to copying the logits, and what a step costs at several batch
# sizes.
#
# Needs the CUDA toolkit with nvcc, and Python with pip for ONNX Runtime (onnxruntime-gpu and its CUDA libraries).
# Models with random weights are made by scripts/model/random_llama.py; give their folders as DIR=TOKENIZER to add them.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 -m pip install --target .ort "onnxruntime-gpu[cuda,cudnn]==1.31.1"
libraries=$(find "$PWD/.ort/nvidia" -type d -name lib | paste -sd:)
export LD_LIBRARY_PATH="$libraries:${LD_LIBRARY_PATH:-}"
cargo build --release -p formwork-bench --features cuda --bin decode --bin mask_path

models=()
for model in "$@"; do models+=(--model "$model"); done
texts=$(mktemp -d)
for device in cpu cuda; do
    target/release/decode "${models[@]}" --device "$device" --texts "$texts/$device.jsonl"
done
if cmp "$texts/cpu.jsonl" "$texts/cuda.jsonl"; then
    echo "CPU and CUDA write the same texts"
else
    diff "$texts/cpu.jsonl" "$texts/cuda.jsonl" | head -20
fi
for vocab in cl100k o200k; do
    target/release/mask_path --device cuda --vocab "$vocab"
done
