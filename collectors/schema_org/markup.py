"""Microdata and RDFa Lite -> nodes of the same shape as JSON-LD: properties by name, `@type`, `@id`.

Facts from the HTML standard (html.spec.whatwg.org/multipage/microdata.html: items, `itemref`, the value of each element) and
RDFa Lite 1.1 (w3.org/TR/rdfa-lite: `typeof`, `property`, `resource`). A node here also says `#id`, the id of its element,
and `#around`, the node that its element stands in without being a property of it. An attribute `content` counts on
any element, as pages write it so. The work done on one page is bounded, whatever refers to what.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from parsel import Selector

from collectors.text import MarkupError, html_to_text

MAX_VISITS = 200_000
"""Most elements that are looked at; `itemref` lets many items share one part of the page."""

MAX_CHARACTERS = 20_000_000
"""Most markup that is turned into texts; an element inside another is turned again."""

_ADDRESSES = {"a": "href", "area": "href", "link": "href", "img": "src", "audio": "src", "video": "src", "iframe": "src"}
_ADDRESSES |= {"embed": "src", "source": "src", "track": "src", "object": "data"}
_SHORTER = {"time": "datetime", "data": "value", "meter": "value"}


class Names(NamedTuple):
    """How one syntax names its attributes."""

    scope: str
    kind: str
    name: str
    identity: str
    reference: str | None


MICRODATA = Names("itemscope", "itemtype", "itemprop", "itemid", "itemref")
RDFA = Names("typeof", "typeof", "property", "resource", None)


@dataclass
class _Page:
    """What is known of one page while it is read."""

    names: Names
    by_id: dict[str, Any]
    nodes: dict[Any, dict[str, Any]] = field(default_factory=dict)
    visits: int = 0
    characters: int = 0
    cut: bool = False


def parse_markup(page: Selector, names: Names) -> tuple[list[dict[str, Any]], bool]:
    """Return the nodes of a page that are no property of another, and whether all of it was read.

    Args:
        page: the page.
        names: MICRODATA or RDFA.
    """
    scopes = [found.root for found in page.xpath(f"//*[@{names.scope}]")]
    if not scopes:
        return [], True
    state = _Page(names, {element.get("id"): element for element in _with_id(page)} if names.reference else {})
    state.nodes = {element: _node(element, names) for element in scopes}
    roots = []
    for element in scopes:
        around = _around(element, state.nodes)
        if element.get(names.name) is None or around is None:
            roots.append(state.nodes[element])
            state.nodes[element]["#around"] = around
        _fill(element, state)
    return roots, not state.cut


def _with_id(page: Selector) -> list[Any]:
    return [found.root for found in page.xpath("//*[@id]")]


def _node(element: Any, names: Names) -> dict[str, Any]:
    node: dict[str, Any] = {"@type": (element.get(names.kind) or "").split(), "#id": element.get("id")}
    if element.get(names.identity):
        node["@id"] = element.get(names.identity)
    return node


def _around(element: Any, nodes: dict[Any, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the node of the nearest item around an element; None if there is none."""
    above = element.getparent()
    while above is not None and above not in nodes:
        above = above.getparent()
    return nodes[above] if above is not None else None


def _fill(element: Any, state: _Page) -> None:
    """Give a node its properties: those below its element, and those that it refers to."""
    names, node = state.names, state.nodes[element]
    referred = (element.get(names.reference) or "").split() if names.reference else []
    pending = [state.by_id[name] for name in reversed(referred) if name in state.by_id] + list(reversed(element))
    seen = {element}
    while pending:
        one = pending.pop()
        if one in seen or not isinstance(one.tag, str):
            continue
        seen.add(one)
        state.visits += 1
        if state.visits > MAX_VISITS:
            state.cut = True
            return
        if one.get(names.name):
            value = state.nodes[one] if one in state.nodes else _value(one, state)
            for name in one.get(names.name).split():
                node.setdefault(_plain(name), []).append(value)
        if one not in state.nodes:
            pending += reversed(one)


def _plain(name: str) -> str:
    """Return the name of a property without vocabulary and prefix."""
    return name.rstrip("/").rpartition("/")[2].rpartition("#")[2].rpartition(":")[2]


def _value(element: Any, state: _Page) -> str:
    given = element.get("content")
    if given is None:
        given = element.get(_SHORTER.get(element.tag) or _ADDRESSES.get(element.tag) or "content")
    if given is not None or element.tag == "meta":
        return given or ""
    markup = Selector(root=element, type="html").get()
    state.characters += len(markup)
    if state.characters > MAX_CHARACTERS:
        state.cut = True
        return ""
    try:
        return html_to_text(markup)
    except MarkupError:
        state.cut = True
        return ""
