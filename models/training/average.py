"""Average the weights of several networks into one.

    python -m models.training.average --out build/training --networks clean-1,clean-2 --name clean-0

Networks that were fine-tuned from the same source lie in one basin: their mean reads better than each, at the cost of one
("model soups", Wortsman et al. 2022).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.training.corpus import TASKS
from models.training.network import load_network, save_network


def average(networks: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Return the weighted mean of each weight.

    Raises:
        ValueError: if the networks do not have the same weights, or the shares do not add up to 1.
    """
    if len({tuple((name, tuple(value.shape)) for name, value in one.items()) for one in networks}) != 1:
        raise ValueError("these networks are not of one shape")
    if len(shares) != len(networks) or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"{len(networks)} networks need as many shares that add up to 1, not {list(shares)}")
    return {
        name: torch.stack([one[name] * share for one, share in zip(networks, shares, strict=True)]).sum(0) for name in networks[0]
    }


def main() -> None:
    """Write the mean of the named networks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--networks", required=True, type=lambda text: text.split(","), help="names of networks in the folder")
    parser.add_argument("--shares", type=lambda text: [float(share) for share in text.split(",")], help="by default all alike")
    parser.add_argument("--name", required=True, help="name of the mean")
    options = parser.parse_args()
    networks = [load_network(options.out / f"{name}.safetensors", TASKS) for name in options.networks]
    shares = options.shares or [1 / len(networks)] * len(networks)
    networks[0].load_state_dict(average([network.state_dict() for network in networks], shares))
    save_network(networks[0], options.out / f"{options.name}.safetensors")


if __name__ == "__main__":
    main()
