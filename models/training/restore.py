"""Turn a shipped artefact back into a network, so that training can go on from it without the hours that it took.

    python -m models.training.restore --out build/training --name clean-0

The weights come back as the int8 file holds them: within a quarter of a percent of what was exported. Only the first `LENGTH`
positions are in the file; the others are filled with the last one, which no window reaches.
"""

from __future__ import annotations

import argparse
import math
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from models.embedded import ARTIFACTS
from models.heads import load_heads
from models.training.corpus import TASKS
from models.training.export import LENGTH
from models.training.network import HEADS, HIDDEN, POSITIONS, Network, save_network


class _File:
    """The arrays of an exported encoder, found by the nodes that use them."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(str(path)).graph
        self._arrays = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        self._arrays |= {  # equal arrays are stored once, the others stand for it
            node.output[0]: self._arrays[node.input[0]] for node in graph.node if node.op_type == "Identity"
        }
        self._nodes = {node.name: node for node in graph.node}
        self.layers = sum(1 for name in self._nodes if name.endswith("/triple/MatMul_quant"))

    def array(self, name: str) -> Tensor:
        return torch.tensor(np.asarray(self._arrays[name], np.float32))

    def constants(self, node: str) -> list[Tensor]:
        """Return the stored inputs of a node, in order."""
        return [self.array(name) for name in self._nodes[node].input if name in self._arrays]

    def product(self, node: str) -> Tensor:
        """Return a quantised product's weights (outputs, inputs), in full precision."""
        rows, zero = self.constants(f"{node}_quant")
        scale = self.constants(f"{node}_quant_scales_mul")[0]
        return ((rows - zero) * scale).T


def _read_apart(file: _File, prefix: str) -> Tensor:
    """Return the weights of a layer whose largest input channels are multiplied apart."""
    weights = file.product(f"{prefix}/main/MatMul")
    chosen = file.constants(f"{prefix}/Gather")[0].long()
    weights[:, chosen] = file.constants(f"{prefix}/apart/MatMul")[0].T
    return weights


def _read_layer(file: _File, place: int) -> dict[str, Tensor]:
    at, name = f"/layers.{place}", f"encoder.layers.{place}"
    shrink = math.sqrt(HIDDEN // HEADS)
    found: dict[str, Tensor] = {}
    parts = file.product(f"{at}/triple/MatMul").split(HIDDEN), file.constants(f"{at}/triple/Add")[0].split(HIDDEN)
    for part, weights, bias, factor in zip(("query", "key", "value"), *parts, (shrink, 1, 1), strict=True):
        found |= {f"{name}.{part}.weight": weights * factor, f"{name}.{part}.bias": bias * factor}
    found[f"{name}.output.weight"] = file.product(f"{at}/output/MatMul")
    found[f"{name}.output.bias"] = file.constants(f"{at}/output/Add")[0]
    for part in ("inner", "outer"):
        found[f"{name}.{part}.weight"] = _read_apart(file, f"{at}/{part}")
        found[f"{name}.{part}.bias"] = file.constants(f"{at}/{part}/main/Add")[0]
    for part in ("attention_norm", "norm"):
        found[f"{name}.{part}.weight"], found[f"{name}.{part}.bias"] = file.constants(f"{at}/{part}/LayerNormalization")
    return found


def restore_network(folder: Path) -> Network:
    """Return the network of a profile's folder: its encoder and its heads, without temperatures."""
    file = _File(folder / "encoder.onnx")
    places = file.array("places")
    weights = {
        "encoder.words.weight": file.array("words.rows") * file.array("words.scale"),
        "encoder.positions.weight": torch.cat([places, places[-1:].expand(POSITIONS - LENGTH, -1)]),
        "encoder.norm.weight": file.array("norm.weight"),
        "encoder.norm.bias": file.array("norm.bias"),
    }
    for place in range(file.layers):
        weights |= _read_layer(file, place)
    for task, head in load_heads(folder / "heads.npz").items():
        weights |= {f"heads.{task}.weight": torch.tensor(head.weights.T), f"heads.{task}.bias": torch.tensor(head.bias)}
    network = Network(weights["encoder.words.weight"].shape[0], file.layers, TASKS)
    network.load_state_dict(weights)
    return network


def main() -> None:
    """Write the network of a shipped profile into the folder of a training run, with its tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--artifacts", type=Path, default=ARTIFACTS, help="folder of the shipped artefacts")
    parser.add_argument("--profile", default="accurate")
    parser.add_argument("--name", required=True, help="name of the network in the folder of the run")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    shutil.copy(options.artifacts / "tokenizer.json", options.out / "tokenizer.json")
    network = restore_network(options.artifacts / options.profile)
    save_network(network, options.out / f"{options.name}.safetensors")
    print(f"{options.name}: {len(network.encoder.layers)} layers")


if __name__ == "__main__":
    main()
