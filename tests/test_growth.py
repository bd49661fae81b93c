"""The measure of growth tells a reading whose cost grows with the square of the length from one that does not."""

from __future__ import annotations

import hashlib

import pytest

from tests.growth import assert_linear


def test_a_pass_over_the_text_is_linear() -> None:
    assert_linear(lambda text: hashlib.sha256(text.encode() * 100).digest(), "a ")


def test_a_pass_for_each_letter_is_not() -> None:
    with pytest.raises(AssertionError, match="8 times the text cost"):
        assert_linear(lambda text: [text.count("b") for _ in text], "a ", 20_000)
