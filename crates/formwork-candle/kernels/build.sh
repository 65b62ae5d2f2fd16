#!/usr/bin/env bash
# Makes mask.ptx from mask.cu. Needs nvcc and ptxas of CUDA 12 or 13 on PATH; no GPU. The driver compiles the PTX for its
# device, so one file serves all of them from compute capability 7.5 on.
set -euo pipefail
cd "$(dirname "$0")"
nvcc --ptx --gpu-architecture=compute_75 --std=c++17 -O3 -o mask.ptx mask.cu
# The newest instructions are not used, so older drivers may take it as well; comments tell of the toolkit alone.
sed -i -e 's/^\.version .*/.version 7.0/' -e '/^[[:space:]]*\/\//d' mask.ptx
ptxas -arch=sm_75 -o /dev/null mask.ptx
