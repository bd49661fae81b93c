"""The network: a BERT encoder with mean pooling and one small head a task. Plain torch, so that it exports to plain ONNX."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

HIDDEN, HEADS, FEED_FORWARD, POSITIONS, EPSILON = 384, 12, 1536, 512, 1e-12
"""The shape of multilingual-e5-small."""

_LAYER_NAMES = {
    "query": "q", "key": "k", "value": "v", "output": "ao", "attention_norm": "aln", "inner": "fi", "outer": "fo", "norm": "oln",
}  # fmt: skip


def half_precision() -> torch.autocast:
    """Compute in bfloat16 where the processor can: one without AVX-512 imitates it, fifteen times slower than full precision."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Layer(nn.Module):
    """One transformer layer, norms after the residuals. Attention is written out: fused attention is slower on a CPU here."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(HIDDEN, HIDDEN) for _ in range(4))
        self.attention_norm = nn.LayerNorm(HIDDEN, eps=EPSILON)
        self.inner, self.outer = nn.Linear(HIDDEN, FEED_FORWARD), nn.Linear(FEED_FORWARD, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """Map (texts, tokens, hidden) to the same shape; `bias` (texts, 1, 1, tokens) is added to the attention scores."""
        texts, tokens, _ = states.shape
        query, key, value = (
            part(states).view(texts, tokens, HEADS, HIDDEN // HEADS).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-1, -2) / math.sqrt(HIDDEN // HEADS) + bias
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(texts, tokens, HIDDEN)
        states = self.attention_norm(states + self.dropout(self.output(mixed)))
        return self.norm(states + self.dropout(self.outer(functional.gelu(self.inner(states)))))


class Encoder(nn.Module):
    """Token ids to one vector a text."""

    def __init__(self, pieces: int, layers: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(pieces, HIDDEN)
        self.positions = nn.Embedding(POSITIONS, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=EPSILON)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(layers))

    def states(self, ids: Tensor, mask: Tensor) -> list[Tensor]:
        """Return the states after the embedding and after each layer, (texts, tokens, hidden) each.

        `ids` and `mask` are (texts, tokens); mask is 1 where a token stands and 0 where the row is filled up.
        """
        places = self.positions.weight[: ids.shape[1]]
        states = [self.dropout(self.norm(self.words(ids) + places))]
        bias = (1.0 - mask.to(states[0].dtype))[:, None, None, :] * -1e4
        for layer in self.layers:
            states.append(layer(states[-1], bias))
        return states

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the mean of the last states over the tokens, (texts, hidden)."""
        return pool(self.states(ids, mask)[-1], mask)


def pool(states: Tensor, mask: Tensor) -> Tensor:
    """Average (texts, tokens, hidden) over the tokens that stand."""
    weights = mask.to(states.dtype).unsqueeze(-1)
    return (states * weights).sum(1) / weights.sum(1)


class Network(nn.Module):
    """Encoder and heads."""

    def __init__(self, pieces: int, layers: int, tasks: Mapping[str, Sequence[str]], dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = Encoder(pieces, layers, dropout)
        self.heads = nn.ModuleDict({task: nn.Linear(HIDDEN, len(labels)) for task, labels in tasks.items()})
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return task -> logits (texts, labels)."""
        return self.read(self.encoder(ids, mask))

    def read(self, pooled: Tensor) -> dict[str, Tensor]:
        """Return task -> logits from the pooled states (texts, hidden)."""
        pooled = self.dropout(pooled)
        return {task: head(pooled) for task, head in self.heads.items()}


def load_source(network: Network, path: Path, layers: Sequence[int]) -> None:
    """Fill the encoder from `pruned.safetensors`, taking the named layers of the source in that order."""
    source = load_file(path)
    encoder = network.encoder
    own = {
        "words.weight": source["emb.word"],
        "positions.weight": source["emb.pos"] + source["emb.type"][0],
        "norm.weight": source["emb.ln.w"],
        "norm.bias": source["emb.ln.b"],
    }
    for place, origin in enumerate(layers):
        for name, short in _LAYER_NAMES.items():
            own[f"layers.{place}.{name}.weight"] = source[f"l{origin}.{short}.w"]
            own[f"layers.{place}.{name}.bias"] = source[f"l{origin}.{short}.b"]
    encoder.load_state_dict(own)


def save_network(network: Network, path: Path) -> None:
    """Write the weights as safetensors, whole or not at all."""
    partial = path.with_suffix(".part")
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, partial)
    partial.replace(path)


def load_network(path: Path, tasks: Mapping[str, Sequence[str]], dropout: float = 0.1) -> Network:
    """Read a network that `save_network` wrote; its number of layers and pieces follow from the file."""
    weights = load_file(path)
    layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layers."))
    network = Network(weights["encoder.words.weight"].shape[0], layers, tasks, dropout)
    network.load_state_dict(weights)
    return network
