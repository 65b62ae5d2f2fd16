"""Writes model.onnx beside the weights of a Llama folder, for ONNX Runtime.

    python export_onnx.py ../../crates/formwork-cli/model

The graph has the inputs and outputs that exporters commonly give a decoder with a cache: `input_ids`,
`attention_mask`, `position_ids` and `past_key_values.N.key` / `.value` of shape (batch, key-value heads, past, head
size) go in, `logits` and `present.N.key` / `.value` come out. All of them are 64-bit whole numbers or 32-bit floats;
`--half` makes the logits and the cache 16-bit floats, computed in 32 bits.

No weight is copied: each is external data that points into the folder's own safetensors files, so both must lie in the
same folder. Matrices are transposed and widened in the graph; ONNX Runtime does that once, when it loads the file.

Which positions see which follows from the inputs' values: a key's position is the sum of the attention mask up to it,
less one. So padding on the left is right, and no shape is computed.
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 18, 10
ELEMENT_TYPES = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16, "BF16": TensorProto.BFLOAT16}
# What is added to the score of a position that must not be seen.
HIDDEN_SCORE = float(np.finfo(np.float32).min)


def read_headers(folder: Path) -> dict[str, dict]:
    """Where each weight lies: file, offset in it, length, element type and shape."""
    weights = {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            (n_header,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(n_header))
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            start, end = entry["data_offsets"]
            weights[name] = {
                "file": path.name, "offset": 8 + n_header + start, "length": end - start,
                "type": ELEMENT_TYPES[entry["dtype"]], "shape": entry["shape"],
            }
    return weights


def rope_theta(config: dict) -> float:
    """The base of the rotary frequencies; scaled ones are refused."""
    parameters = config.get("rope_parameters") or {}
    scaling = config.get("rope_scaling") or {}
    kind = scaling.get("rope_type", scaling.get("type", parameters.get("rope_type", "default")))
    if kind != "default":
        raise SystemExit(f"rope scaling of type {kind} is not supported")
    return float(parameters.get("rope_theta", config.get("rope_theta", 10000.0)))


class Graph:
    """Nodes and initializers as they are added; each method gives the name of its result."""

    def __init__(self, weights: dict[str, dict]):
        self.weights = weights
        self.nodes, self.initializers, self.known = [], [], {}

    def op(self, kind: str, *inputs: str, output: str | None = None, **attributes) -> str:
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=f"node_{len(self.nodes)}", **attributes))
        return output

    def split_halves(self, x: str) -> tuple[str, str]:
        index = len(self.nodes)
        outputs = [f"half_{index}_0", f"half_{index}_1"]
        self.nodes.append(helper.make_node("Split", [x], outputs, name=f"node_{index}", axis=-1, num_outputs=2))
        return outputs[0], outputs[1]

    def constant(self, value, dtype) -> str:
        array = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.known:
            self.known[key] = f"constant_{len(self.known)}"
            self.initializers.append(numpy_helper.from_array(array, self.known[key]))
        return self.known[key]

    def ints(self, *values: int) -> str:
        return self.constant(list(values), np.int64)

    def floats(self, value) -> str:
        return self.constant(value, np.float32)

    def weight(self, name: str) -> str:
        """A weight as 32-bit floats."""
        if name in self.known:
            return self.known[name]
        entry = self.weights.get(name)
        if entry is None:
            raise SystemExit(f"the folder's weights have no {name}")
        tensor = TensorProto(name=name, data_type=entry["type"], dims=entry["shape"])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", entry["file"]), ("offset", entry["offset"]), ("length", entry["length"])):
            tensor.external_data.add(key=key, value=str(value))
        self.initializers.append(tensor)
        wide = name if entry["type"] == TensorProto.FLOAT else self.op("Cast", name, to=TensorProto.FLOAT)
        self.known[name] = wide
        return wide

    def linear(self, x: str, name: str) -> str:
        """Weights are stored as (outputs, inputs)."""
        result = self.op("MatMul", x, self.op("Transpose", self.weight(f"{name}.weight"), perm=[1, 0]))
        bias = f"{name}.bias"
        return self.op("Add", result, self.weight(bias)) if bias in self.weights else result

    def norm(self, x: str, name: str, eps: float) -> str:
        mean = self.op("ReduceMean", self.op("Mul", x, x), self.ints(-1), keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, self.floats(eps)))
        return self.op("Mul", self.op("Div", x, root), self.weight(name))

    def rotate(self, x: str, cos: str, sin: str) -> str:
        low, high = self.split_halves(x)
        turned_low = self.op("Sub", self.op("Mul", low, cos), self.op("Mul", high, sin))
        turned_high = self.op("Add", self.op("Mul", high, cos), self.op("Mul", low, sin))
        return self.op("Concat", turned_low, turned_high, axis=-1)


def build(folder: Path, half: bool) -> onnx.ModelProto:
    config = json.loads((folder / "config.json").read_text())
    if config.get("model_type") != "llama":
        raise SystemExit(f"model type {config.get('model_type')} is not supported, only llama is")
    n_layers, n_heads = config["num_hidden_layers"], config["num_attention_heads"]
    n_kv_heads = config.get("num_key_value_heads") or n_heads
    head_dim = config.get("head_dim") or config["hidden_size"] // n_heads
    eps = config["rms_norm_eps"]
    outer = TensorProto.FLOAT16 if half else TensorProto.FLOAT

    graph = Graph(read_headers(folder))
    op = graph.op

    def widened(x: str) -> str:
        return op("Cast", x, to=TensorProto.FLOAT) if half else x

    frequencies = rope_theta(config) ** -(np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim))
    positions = op("Cast", "position_ids", to=TensorProto.FLOAT)
    angles = op("Mul", op("Unsqueeze", positions, graph.ints(2)), graph.floats(frequencies))
    cos, sin = op("Cos", angles), op("Sin", angles)
    # Keys are (batch, key-value heads, positions, ..), queries have the heads of one group as one more dimension.
    key_cos, key_sin = (op("Unsqueeze", x, graph.ints(1)) for x in (cos, sin))
    query_cos, query_sin = (op("Unsqueeze", x, graph.ints(1, 2)) for x in (cos, sin))

    key_positions = op("Sub", op("CumSum", "attention_mask", graph.constant(1, np.int64)), graph.constant(1, np.int64))
    is_before = op("LessOrEqual", op("Unsqueeze", key_positions, graph.ints(1)),
                   op("Unsqueeze", "position_ids", graph.ints(2)))
    is_text = op("Cast", op("Unsqueeze", "attention_mask", graph.ints(1)), to=TensorProto.BOOL)
    hidden = op("Where", op("And", is_before, is_text), graph.floats(0.0), graph.floats(HIDDEN_SCORE))
    hidden = op("Unsqueeze", hidden, graph.ints(1, 2))

    x = op("Gather", graph.weight("model.embed_tokens.weight"), "input_ids")
    caches = []
    for layer in range(n_layers):
        prefix = f"model.layers.{layer}"
        normed = graph.norm(x, f"{prefix}.input_layernorm.weight", eps)
        query = graph.linear(normed, f"{prefix}.self_attn.q_proj")
        query = op("Reshape", query, graph.ints(0, 0, n_kv_heads, n_heads // n_kv_heads, head_dim))
        query = graph.rotate(op("Transpose", query, perm=[0, 2, 3, 1, 4]), query_cos, query_sin)
        states = {}
        for kind, letter in (("key", "k"), ("value", "v")):
            state = graph.linear(normed, f"{prefix}.self_attn.{letter}_proj")
            state = op("Reshape", state, graph.ints(0, 0, n_kv_heads, head_dim))
            state = op("Transpose", state, perm=[0, 2, 1, 3])
            if kind == "key":
                state = graph.rotate(state, key_cos, key_sin)
            past, present = f"past_key_values.{layer}.{kind}", f"present.{layer}.{kind}"
            caches.append((past, present))
            if half:
                state = op("Concat", past, op("Cast", state, to=TensorProto.FLOAT16), axis=2, output=present)
                state = widened(state)
            else:
                state = op("Concat", past, state, axis=2, output=present)
            states[kind] = op("Unsqueeze", state, graph.ints(2))
        scores = op("MatMul", op("Mul", query, graph.floats(head_dim ** -0.5)),
                    op("Transpose", states["key"], perm=[0, 1, 2, 4, 3]))
        shares = op("Softmax", op("Add", scores, hidden), axis=-1)
        mixed = op("Transpose", op("MatMul", shares, states["value"]), perm=[0, 3, 1, 2, 4])
        mixed = op("Reshape", mixed, graph.ints(0, 0, n_heads * head_dim))
        x = op("Add", x, graph.linear(mixed, f"{prefix}.self_attn.o_proj"))

        normed = graph.norm(x, f"{prefix}.post_attention_layernorm.weight", eps)
        gate = graph.linear(normed, f"{prefix}.mlp.gate_proj")
        gate = op("Mul", gate, op("Sigmoid", gate))
        inner = op("Mul", gate, graph.linear(normed, f"{prefix}.mlp.up_proj"))
        x = op("Add", x, graph.linear(inner, f"{prefix}.mlp.down_proj"))

    x = graph.norm(x, "model.norm.weight", eps)
    tied = config.get("tie_word_embeddings", False) or "lm_head.weight" not in graph.weights
    logits = graph.linear(x, "model.embed_tokens" if tied else "lm_head")
    op("Cast" if half else "Identity", logits, output="logits", **({"to": outer} if half else {}))

    def value(name: str, element_type: int, *shape) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, element_type, list(shape))

    inputs = [
        value("input_ids", TensorProto.INT64, "batch", "length"),
        value("attention_mask", TensorProto.INT64, "batch", "total"),
        value("position_ids", TensorProto.INT64, "batch", "length"),
        *(value(past, outer, "batch", n_kv_heads, "past", head_dim) for past, _ in caches),
    ]
    outputs = [
        value("logits", outer, "batch", "length", config["vocab_size"]),
        *(value(present, outer, "batch", n_kv_heads, "total", head_dim) for _, present in caches),
    ]
    body = helper.make_graph(graph.nodes, "decoder", inputs, outputs, graph.initializers)
    return helper.make_model(
        body, producer_name="formwork", ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="config.json and *.safetensors; model.onnx is written there")
    parser.add_argument("--half", action="store_true", help="16-bit logits and cache")
    args = parser.parse_args()
    path = args.folder / "model.onnx"
    path.write_bytes(build(args.folder, args.half).SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path))
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
