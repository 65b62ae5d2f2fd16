"""What does a Llama decoder compute? The forward pass for training, in JAX.

Parameters live in a flat dictionary under the names that Hugging Face gives them, matrices as `[output, input]`, so
exporting is writing the dictionary. Embeddings are tied: there is no `lm_head.weight`.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

Parameters = dict[str, jax.Array]


@dataclass(frozen=True)
class ModelShape:
    """The sizes that config.json repeats. 1.97 million parameters."""

    vocab_size: int = 2048
    hidden_size: int = 192
    intermediate_size: int = 512
    num_hidden_layers: int = 4
    num_attention_heads: int = 6
    num_key_value_heads: int = 2
    head_dim: int = 32
    max_position_embeddings: int = 1024
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5


def parameter_shapes(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor in the file."""
    hidden, query = shape.hidden_size, shape.num_attention_heads * shape.head_dim
    key_value = shape.num_key_value_heads * shape.head_dim
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (shape.vocab_size, hidden)}
    for layer_idx in range(shape.num_hidden_layers):
        prefix = f"model.layers.{layer_idx}."
        shapes[prefix + "input_layernorm.weight"] = (hidden,)
        shapes[prefix + "self_attn.q_proj.weight"] = (query, hidden)
        shapes[prefix + "self_attn.k_proj.weight"] = (key_value, hidden)
        shapes[prefix + "self_attn.v_proj.weight"] = (key_value, hidden)
        shapes[prefix + "self_attn.o_proj.weight"] = (hidden, query)
        shapes[prefix + "post_attention_layernorm.weight"] = (hidden,)
        shapes[prefix + "mlp.gate_proj.weight"] = (shape.intermediate_size, hidden)
        shapes[prefix + "mlp.up_proj.weight"] = (shape.intermediate_size, hidden)
        shapes[prefix + "mlp.down_proj.weight"] = (hidden, shape.intermediate_size)
    shapes["model.norm.weight"] = (hidden,)
    return shapes


def initial_parameters(shape: ModelShape, seed: int) -> Parameters:
    """Ones for norms, small normal numbers elsewhere; what writes to the residual stream starts smaller."""
    generator = np.random.default_rng(seed)
    parameters = {}
    for name, dimensions in parameter_shapes(shape).items():
        if len(dimensions) == 1:
            value = np.ones(dimensions)
        else:
            deviation = 0.05 if "embed" in name else dimensions[1] ** -0.5
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                deviation /= (2 * shape.num_hidden_layers) ** 0.5
            value = generator.normal(0, deviation, dimensions)
        parameters[name] = jnp.asarray(value, jnp.float32)
    return parameters


def rms_norm(x: jax.Array, weight: jax.Array, epsilon: float) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + epsilon) * weight


def rotate(x: jax.Array, cosine: jax.Array, sine: jax.Array) -> jax.Array:
    """Rotary position embedding in the half-split layout of the Hugging Face checkpoints."""
    first, second = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


def forward(parameters: Parameters, tokens: jax.Array, shape: ModelShape) -> jax.Array:
    """Logits `[batch, length, vocab_size]` of token ids `[batch, length]`, from position 0."""
    n_batch, length = tokens.shape
    n_groups = shape.num_attention_heads // shape.num_key_value_heads
    frequencies = shape.rope_theta ** (-jnp.arange(0, shape.head_dim, 2) / shape.head_dim)
    angles = jnp.arange(length)[:, None, None] * frequencies
    cosine, sine = jnp.cos(angles), jnp.sin(angles)
    causal = jnp.tril(jnp.ones((length, length), bool))

    x = parameters["model.embed_tokens.weight"][tokens]
    for layer_idx in range(shape.num_hidden_layers):
        prefix = f"model.layers.{layer_idx}."

        def linear(name: str, value: jax.Array) -> jax.Array:
            return value @ parameters[f"{prefix}{name}.weight"].T

        h = rms_norm(x, parameters[prefix + "input_layernorm.weight"], shape.rms_norm_eps)
        query = linear("self_attn.q_proj", h).reshape(n_batch, length, shape.num_attention_heads, shape.head_dim)
        key = linear("self_attn.k_proj", h).reshape(n_batch, length, shape.num_key_value_heads, shape.head_dim)
        value = linear("self_attn.v_proj", h).reshape(n_batch, length, shape.num_key_value_heads, shape.head_dim)
        query, key = rotate(query, cosine, sine), rotate(key, cosine, sine)
        query = query.reshape(n_batch, length, shape.num_key_value_heads, n_groups, shape.head_dim)
        scores = jnp.einsum("bqhgd,bkhd->bhgqk", query, key) * shape.head_dim**-0.5
        weights = jax.nn.softmax(jnp.where(causal, scores, -1e9), axis=-1)
        mixed = jnp.einsum("bhgqk,bkhd->bqhgd", weights, value).reshape(n_batch, length, -1)
        x = x + linear("self_attn.o_proj", mixed)

        h = rms_norm(x, parameters[prefix + "post_attention_layernorm.weight"], shape.rms_norm_eps)
        x = x + linear("mlp.down_proj", jax.nn.silu(linear("mlp.gate_proj", h)) * linear("mlp.up_proj", h))
    x = rms_norm(x, parameters["model.norm.weight"], shape.rms_norm_eps)
    return x @ parameters["model.embed_tokens.weight"].T
