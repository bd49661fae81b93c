"""Step 2: keep the subword pieces that Spanish needs, with their rows of the embedding, and write the tokenizer.

    python -m models.training.vocabulary --out build/training --shared ../shared --pieces 32000

Pieces are counted over the training texts, as written and in small letters, and over the Spanish word list of `wordfreq`
(training only, never shipped). Kept are the four special pieces, every single character that Spanish writing uses, then the most
frequent pieces. Scores stay as they were, so most texts are segmented as by the full vocabulary.
"""

from __future__ import annotations

import argparse
import json
import string
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import wordfreq
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.normalizers import NFKC
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing

from models.rewriting import rewrite
from models.training.corpus import iterate_texts

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
"""The first four pieces, in the order of the source."""

ALPHABET = string.ascii_letters + string.digits + string.punctuation + "áéíóúüñÁÉÍÓÚÜÑçÇàèòÀÈÒïâêôãõ¿¡«»“”‘’–—…·€£$%°ºª"
"""Characters that must never be unknown, alone and after a space."""


def build_tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """Return a unigram tokenizer that writes `<s> ... </s>` around the pieces of a text."""
    tokenizer = Tokenizer(Unigram(pieces, unk_id=SPECIALS.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = NFKC()
    tokenizer.pre_tokenizer = Metaspace(prepend_scheme="always", split=False)
    tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return tokenizer


def count_pieces(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    """Count the pieces over texts rewritten as the model reads them, and again in small letters."""
    counts: Counter[int] = Counter()
    for text in texts:
        plain = rewrite(text)
        for form in {plain, plain.lower()}:
            counts.update(tokenizer.encode(form, add_special_tokens=False).ids)
    return counts


def choose(pieces: list[tuple[str, float]], counts: Counter[int], size: int) -> list[int]:
    """Return the sorted indices of the pieces to keep."""
    forced = {form for letter in ALPHABET for form in (letter, "▁" + letter)} | {"▁"}
    kept = set(range(len(SPECIALS))) | {index for index, (piece, _) in enumerate(pieces) if piece in forced}
    for index, _ in counts.most_common():
        if len(kept) >= size:
            break
        kept.add(index)
    return sorted(kept)


def main() -> None:
    """Write `tokenizer.json` and `pruned.safetensors`, and print how much of the text the kept pieces cover."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared texts")
    parser.add_argument("--pieces", type=int, default=32_000, help="how many pieces to keep")
    options = parser.parse_args()
    pieces = [(piece, score) for piece, score in json.loads((options.out / "pieces.json").read_text())["pieces"]]
    full = build_tokenizer(pieces)
    counts = count_pieces(full, iterate_texts(options.shared))
    words = wordfreq.top_n_list("es", 150_000)
    for rank, word in enumerate(words):
        for index in full.encode(word, add_special_tokens=False).ids:
            counts[index] += 1 + 20_000 // (rank + 1_000)
    kept = choose(pieces, counts, options.pieces)
    build_tokenizer([pieces[index] for index in kept]).save(str(options.out / "tokenizer.json"), pretty=False)
    tensors = load_file(options.out / "source.safetensors")
    tensors["emb.word"] = np.ascontiguousarray(tensors["emb.word"][kept])
    save_file(tensors, options.out / "pruned.safetensors")
    covered = sum(counts[index] for index in kept) / sum(counts.values())
    print(f"{len(kept)} of {len(pieces)} pieces kept, {covered:.2%} of the counted tokens covered")


if __name__ == "__main__":
    main()
