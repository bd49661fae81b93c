"""The words of `words.yml`, by which a look at an address knows terms, comments and columns."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from collectors.catalog import Closed
from collectors.yaml_errors import load_yaml, validate_document

WORDS_FILE = Path(__file__).with_name("words.yml")


class ColumnWords(Closed):
    """Headings, in the order in which they are looked for."""

    text: tuple[str, ...]
    date: tuple[str, ...]
    id: tuple[str, ...]
    author: tuple[str, ...]
    title: tuple[str, ...]


class Words(Closed):
    """The whole file."""

    comments: tuple[str, ...]
    terms: tuple[str, ...]
    columns: ColumnWords


@cache
def load_words() -> Words:
    """Load the words.

    Raises:
        ConfigurationError: naming every problem of the file.
    """
    return validate_document(Words, load_yaml(WORDS_FILE), WORDS_FILE)
