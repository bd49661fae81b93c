"""What a crawl remembers of each thing that it met, in few bytes: its memory must not grow with the pages that it reads."""

from __future__ import annotations

from hashlib import blake2b

_BYTES = 16
_FREE = bytes(_BYTES)


class Digests:
    """A set of texts that keeps 16 bytes of each, in a table of 24 to 48 bytes a text.

    Python's own set takes some 200 bytes for an address. Two of a billion texts share a digest once in 10^20 times.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._table = bytearray(_BYTES * 1024)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, *parts: str) -> bool:
        """Add a text, given in one or more parts, and tell whether it is new."""
        digest = blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=_BYTES).digest()
        place = self._place(self._table, digest)
        if self._table[place : place + _BYTES] == digest:
            return False
        self._table[place : place + _BYTES] = digest
        self._count += 1
        if self._count * _BYTES * 3 > len(self._table) * 2:
            self._grow()
        return True

    @staticmethod
    def _place(table: bytearray, digest: bytes) -> int:
        """Return where a digest stands, or the free place where it belongs."""
        slots = len(table) // _BYTES
        slot = int.from_bytes(digest[:8], "little") % slots
        while (found := table[slot * _BYTES : (slot + 1) * _BYTES]) != digest and found != _FREE:
            slot = (slot + 1) % slots
        return slot * _BYTES

    def _grow(self) -> None:
        table = bytearray(2 * len(self._table))
        for start in range(0, len(self._table), _BYTES):
            digest = bytes(self._table[start : start + _BYTES])
            if digest != _FREE:
                place = self._place(table, digest)
                table[place : place + _BYTES] = digest
        self._table = table
