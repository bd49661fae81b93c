"""Step 5: write a trained network as an int8 ONNX encoder and numpy heads.

    python -m models.training.export --out build/training --name accurate-clean --profile accurate

Matrix products get int8 weights, one scale an output; activations are scaled to 8 bits while running, over the one text that a
run holds, so a text reads the same in every batch. Weights use 7 of the 8 bits (`reduce_range`): processors without VNNI add
pairs of products in 16 bits, and eight bits would overflow there in silence. The embedding table is int8 with a scale a row.

A few channels of the inner states are far larger than the rest and would take the 8 bits for themselves. They are multiplied
apart, in full precision (the decomposition of LLM.int8(), Dettmers et al. 2022, with channels chosen beforehand on our own
phrases).
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional

from models.training.batches import encode, load_tokenizer
from models.training.corpus import TASKS, load_training
from models.training.network import HEADS, HIDDEN, Layer, Network, load_network

LENGTH = 128
"""Positions that the exported encoder knows: the length of a window at run time."""


class _Table(nn.Module):
    """An embedding in int8 with one scale a row."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        scale = weights.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
        self.register_buffer("rows", (weights / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        return self.rows[ids].float() * self.scale[ids]  # type: ignore[index]


Peaks = Mapping[int, Tensor]
"""`id` of a linear layer -> (inputs,) the largest absolute value that each of its input channels took."""


@torch.inference_mode()
def find_peaks(network: Network, rows: Sequence[Sequence[int]]) -> Peaks:
    """Return what the inputs of every linear layer of the encoder reach on these texts."""
    peaks: dict[int, Tensor] = {}

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found = inputs[0].abs().flatten(0, -2).amax(0)
        peaks[id(module)] = torch.maximum(peaks[id(module)], found) if id(module) in peaks else found

    linear = [module for module in network.encoder.modules() if isinstance(module, nn.Linear)]
    hooks = [module.register_forward_pre_hook(note) for module in linear]
    for row in rows:
        ids = torch.tensor([list(row)])
        network.encoder(ids, torch.ones_like(ids))
    for hook in hooks:
        hook.remove()
    return peaks


class _Apart(nn.Module):
    """A linear layer whose largest input channels are multiplied apart, in full precision."""

    def __init__(self, linear: nn.Linear, peaks: Tensor | None, count: int) -> None:
        super().__init__()
        chosen = torch.zeros(0, dtype=torch.long) if peaks is None else peaks.topk(count).indices.sort().values
        self.main = nn.Linear(linear.in_features, linear.out_features)
        self.main.weight.data, self.main.bias.data = linear.weight.data.clone(), linear.bias.data.clone()
        self.main.weight.data[:, chosen] = 0
        keep = torch.ones(linear.in_features)
        keep[chosen] = 0
        self.register_buffer("keep", keep)
        self.register_buffer("chosen", chosen)
        self.apart = nn.Linear(len(chosen), linear.out_features, bias=False) if len(chosen) else None
        if self.apart is not None:
            self.apart.weight.data = linear.weight.data[:, chosen].clone()

    def forward(self, states: Tensor) -> Tensor:
        if self.apart is None:
            return self.main(states)
        return self.main(states * self.keep) + self.apart(states[..., self.chosen])  # type: ignore[operator,index]


APART = {"inner": 4, "outer": 8}
"""How many input channels of these layers are multiplied apart."""


class _Attention(torch.autograd.Function):
    """Attention of one text without filling, in ONNX one node of onnxruntime instead of eight that copy their inputs."""

    @staticmethod
    def forward(_: object, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Take and return states (1, tokens, 384)."""
        query, key, value = (part.view(1, -1, HEADS, HIDDEN // HEADS).transpose(1, 2) for part in (query, key, value))
        seen = (query @ key.transpose(-1, -2)).softmax(-1) @ value
        return seen.transpose(1, 2).reshape(1, -1, HIDDEN)

    @staticmethod
    def symbolic(graph: Any, query: Any, key: Any, value: Any) -> Any:
        """Write the node; the query is scaled beforehand."""
        node = graph.op("com.microsoft::MultiHeadAttention", query, key, value, num_heads_i=HEADS, scale_f=1.0)
        node.setType(query.type())
        return node


class _OneText(nn.Module):
    """A layer for one text without filling: no mask, and one product for query, key and value."""

    def __init__(self, layer: Layer, peaks: Peaks) -> None:
        super().__init__()
        self.layer = layer
        self.inner = _Apart(layer.inner, peaks.get(id(layer.inner)), APART["inner"])
        self.outer = _Apart(layer.outer, peaks.get(id(layer.outer)), APART["outer"])
        shrink = 1 / math.sqrt(HIDDEN // HEADS)
        self.triple = nn.Linear(HIDDEN, 3 * HIDDEN)
        parts = (layer.query, layer.key, layer.value)
        self.triple.weight.data = torch.cat(
            [part.weight.data * factor for part, factor in zip(parts, (shrink, 1, 1), strict=True)]
        )
        self.triple.bias.data = torch.cat([part.bias.data * factor for part, factor in zip(parts, (shrink, 1, 1), strict=True)])

    def forward(self, states: Tensor) -> Tensor:
        seen = _Attention.apply(*self.triple(states).split(HIDDEN, -1))  # type: ignore[no-untyped-call]
        states = self.layer.attention_norm(states + self.layer.output(seen))
        return self.layer.norm(states + self.outer(functional.gelu(self.inner(states))))


class OneTextEncoder(nn.Module):
    """Ids (1, tokens) of one text to its vector (1, 384)."""

    def __init__(self, network: Network, peaks: Peaks) -> None:
        super().__init__()
        encoder = network.encoder
        self.words = _Table(encoder.words.weight.data)
        self.register_buffer("places", encoder.positions.weight.data[:LENGTH].clone())
        self.norm = encoder.norm
        self.layers = nn.ModuleList(_OneText(layer, peaks) for layer in encoder.layers)  # type: ignore[arg-type]

    def forward(self, ids: Tensor) -> Tensor:
        """Return the mean of the last states."""
        states = self.norm(self.words(ids) + self.places[: ids.shape[1]])  # type: ignore[index]
        for layer in self.layers:
            states = layer(states)
        return states.mean(1)


def export_encoder(
    network: Network, path: Path, *, peaks: Peaks | None = None, reduce_range: bool = True, quantise: bool = True
) -> None:
    """Write the encoder of a network as ONNX, whole or not at all; `peaks` chooses the channels that are multiplied apart."""
    module = OneTextEncoder(network.eval(), peaks or {}).eval()
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        torch.onnx.export(
            module,
            (torch.ones((1, 8), dtype=torch.long),),
            str(plain),
            input_names=["ids"],
            output_names=["vector"],
            dynamic_axes={"ids": {1: "tokens"}},
            opset_version=17,
            custom_opsets={"com.microsoft": 1},
            dynamo=False,
        )
        made = Path(folder) / "made.onnx"
        if quantise:
            products = [node.name for node in onnx.load(str(plain)).graph.node if node.op_type == "MatMul"]
            quantize_dynamic(
                plain,
                made,
                per_channel=True,
                reduce_range=reduce_range,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["MatMul"],
                nodes_to_exclude=[name for name in products if "/apart/" in name],
            )
        else:
            made = plain
        model = onnx.load(str(made))
        model.producer_name, model.producer_version, model.doc_string = "escucha", "", ""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_bytes(model.SerializeToString(deterministic=True))
        partial.replace(path)


def export_heads(network: Network, path: Path, temperatures: dict[str, float]) -> None:
    """Write `heads.npz`: weights, bias, temperature and labels of every task."""
    arrays: dict[str, Any] = {}
    for task, labels in TASKS.items():
        head: nn.Linear = network.heads[task]  # type: ignore[assignment]
        arrays[f"{task}.weights"] = head.weight.detach().numpy().T.astype(np.float32)
        arrays[f"{task}.bias"] = head.bias.detach().numpy().astype(np.float32)
        arrays[f"{task}.temperature"] = np.float32(temperatures.get(task, 1.0))
        arrays[f"{task}.labels"] = np.array(labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)  # type: ignore[arg-type]


def main() -> None:
    """Export one network to a profile's folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared texts")
    parser.add_argument("--name", required=True, help="name of the network in the folder")
    parser.add_argument("--profile", required=True, help="folder to make inside OUT/artifacts")
    options = parser.parse_args()
    network = load_network(options.out / f"{options.name}.safetensors", TASKS)
    folder = options.out / "artifacts" / options.profile
    phrases = [row.text for row in load_training(options.shared, variant="clean") if row.source == "phrases"]
    rows = encode(load_tokenizer(options.out), phrases[::8], LENGTH)
    export_encoder(network, folder / "encoder.onnx", peaks=find_peaks(network.eval(), rows))
    export_heads(network, folder / "heads.npz", {})
    print(f"{folder}: {(folder / 'encoder.onnx').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
