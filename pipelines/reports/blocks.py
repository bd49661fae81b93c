"""What a page is made of, once its markup is taken off: runs of text, and the blocks that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Run:
    """A piece of text that looks alike from end to end."""

    text: str
    marks: tuple[str, ...] = ()
    """How it looks, sorted: badge, bold, code, italic, mark, quote, soft; `swatch` with the name of its colour, and no text;
    `line` where a new line may begin: a space, or nothing after one."""


Inline: TypeAlias = tuple[Run, ...]
"""One line of text, however long: white space folded, none at its ends, no line breaks but runs marked `line`."""


@dataclass(frozen=True)
class Heading:
    """A title of the page (1), of a section (2), or within one (3)."""

    level: int
    inline: Inline


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `kind` is its class in the page: lead, note, kicker ..."""

    inline: Inline
    kind: str = ""


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Inline, ...]
    ordered: bool


@dataclass(frozen=True)
class Facts:
    """Terms and what is said of each; of `tiles`, the figure is what is said and the term is what it counts."""

    facts: tuple[tuple[Inline, Inline], ...]
    kind: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    inline: Inline = ()
    header: bool = False
    columns: int = 1
    rows: int = 1
    right: bool = False
    """A figure, which stands at the right."""

    bar: tuple[tuple[str, float], ...] = ()
    """Colour and length (percent of the whole) of each part of the bar drawn in it: an ornament of what figures say."""


@dataclass(frozen=True)
class Row:
    """A row of a table; `kind` is its class in the page: sum, apart, nothing ..."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table: rows of heads, groups of rows, and rows of sums."""

    caption: Inline
    head: tuple[Row, ...]
    body: tuple[tuple[Row, ...], ...]
    foot: tuple[Row, ...]
    kind: str = ""
    untitled: bool = False
    """The caption is for those who cannot see the heading above."""

    quiet: bool = False
    """The heads are for those who cannot see the columns; elsewhere they are written small."""

    @property
    def width(self) -> int:
        """The number of its columns."""
        groups = (self.head, *self.body, self.foot)
        return max((sum(cell.columns for cell in group[0].cells) for group in groups if group), default=0)

    def rows(self) -> Iterator[Row]:
        """Yield all rows from top to bottom."""
        yield from self.head
        for group in self.body:
            yield from group
        yield from self.foot


@dataclass(frozen=True)
class Figure:
    """A drawing, whose description says what it shows; the figures that it draws stand in a table as well."""

    svg: str
    description: str
    caption: Inline = ()


@dataclass(frozen=True)
class Box:
    """Blocks that stand apart in a frame; `kind` is its class in the page: banner, amendment, unread ..."""

    blocks: tuple[Block, ...]
    kind: str = ""


Block: TypeAlias = Heading | Paragraph | Items | Facts | Table | Figure | Box


@dataclass(frozen=True)
class Section:
    """A section of the page, under its name there."""

    name: str
    title: Inline
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A page without its markup, in the order of reading."""

    title: str
    language: str
    """As in the page: es-PE."""

    stamp: str
    """What every section's title bears ("datos sintéticos"); empty where the data are real."""

    front: tuple[Block, ...]
    """What stands above the sections, the title among it."""

    sections: tuple[Section, ...]
    back: tuple[Block, ...]
    """What stands below them."""

    def section(self, name: str) -> Section | None:
        """Return the section of that name; None if the page lacks it."""
        return next((section for section in self.sections if section.name == name), None)


def plain(inline: Inline) -> str:
    """Return the words alone."""
    return "".join(run.text for run in inline)
