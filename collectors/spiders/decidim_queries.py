"""What is asked of Decidim's GraphQL API, in the words of each version.

Facts from "About the GraphQL API" (the page `/api/docs` of every Decidim site) and from the types that the gems declare
(github.com/decidim/decidim, `lib/decidim/api` of core, comments, proposals, debates, meetings, blogs, budgets, accountability).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from collectors.graphql import Part, as_objects, as_text, write_part, write_string
from collectors.period import Period


class Listing(NamedTuple):
    """What one type of component lists."""

    collection: str
    """Field of the component: a connection."""

    type: str
    kind: str
    """First part of the native id."""

    text: str
    single: str | None
    """Field of the component that finds one item; None where there is none."""

    inner: str | None = None
    """List in each node that holds the items, where the nodes are not the items themselves."""

    of_people: bool = False
    """True: an item is a person's message unless it is official; False: it is context, and only its comments count."""


LISTINGS = {
    "Proposals": Listing("proposals", "Proposal", "proposal", "body", "proposal", of_people=True),
    "Debates": Listing("debates", "Debate", "debate", "description", "debate", of_people=True),
    "Meetings": Listing("meetings", "Meeting", "meeting", "description", "meeting"),
    "Blogs": Listing("posts", "Post", "post", "body", "post"),
    "Budgets": Listing("budgets", "Project", "project", "description", None, inner="projects"),
    "Accountability": Listing("results", "Result", "result", "description", "result"),
}
"""By the `__typename` of the component."""

SPACES = {
    "processes": ("participatoryProcesses", "ParticipatoryProcess"),
    "assemblies": ("assemblies", "Assembly"),
    "conferences": ("conferences", "Conference"),
    "initiatives": ("initiatives", "Initiative"),
}
"""Folder in the address -> field of the root, type."""

_STRINGS = Part("LocalizedString", dict.fromkeys(("locale", "text", "machineTranslated")))
_TRANSLATED = Part("TranslatedField", {"translations": _STRINGS})
_AUTHOR = Part("Author", dict.fromkeys(("name", "nickname", "deleted")))
_COMMENT = ("id", "body", "formattedBody", "createdAt", "updatedAt", "upVotes", "hasComments", "url")
_PROPOSAL = ("official", "createdInMeeting", "withdrawn", "state", "voteCount", "likesCount", "endorsementsCount")


@dataclass
class Shape:
    """How a site was found to be asked; what one refusal taught holds for the rest of the walk."""

    missing: set[tuple[str, str]] = field(default_factory=set)
    page_size: int = 25
    levels: int = 4
    """A comment and three levels of answers, which is as deep as Decidim's threads go."""

    filtered: bool = True

    def shrink(self) -> bool:
        """Ask for less at once: sites differ in their limits of recursion, depth and complexity; False if there is no less."""
        if self.levels > 2:
            self.levels = 2
        elif self.page_size > 5:
            self.page_size = max(5, self.page_size // 2)
        else:
            return False
        return True


class Component(NamedTuple):
    """A component of a participatory space."""

    id: str
    typename: str
    path: str
    """Folder of the space in the address, as in "processes/presupuesto"."""

    @property
    def listing(self) -> Listing:
        """What it lists."""
        return LISTINGS[self.typename]


def days_to_ask(period: Period, lookback_days: int) -> tuple[date, date]:
    """Return the first day on which a proposal may have been published, and the first on which it may not any more.

    A day is added at the end because the filter counts days in the site's zone.
    """
    return period.first_date - timedelta(days=lookback_days + 1), period.last_date + timedelta(days=2)


def spaces_query(folder: str, shape: Shape) -> str:
    """Write the query for every space of one kind and its components; "" if the site has no such kind."""
    root, typename = SPACES[folder]
    components = Part("ComponentInterface", dict.fromkeys(("id", "__typename")))
    space = Part(typename, {"id": None, "slug": None, "components": components})
    return write_part(Part("Query", {root: space}), shape.missing)


def page_query(component: Component, after: str | None, days: tuple[date, date], shape: Shape) -> str:
    """Write the query for one page of a component; "" if the site's API does not list it.

    Args:
        component: of a type in `LISTINGS`.
        after: cursor; None for the first page.
        days: see `days_to_ask`.
        shape: how the site was found to be asked.
    """
    listing = component.listing
    arguments = [f"first: {shape.page_size}"] + ([f"after: {write_string(after)}"] if after else [])
    if listing.kind == "proposal" and shape.filtered:
        since, before = (write_string(day.isoformat()) for day in days)
        arguments.append(f"filter: {{ publishedSince: {since}, publishedBefore: {before} }}")
    items = _items(listing, shape)
    node = Part("Budget", {"id": None, listing.inner: items}) if listing.inner else items
    info = Part("PageInfo", dict.fromkeys(("hasNextPage", "endCursor")))
    connection = Part("Connection", {"pageInfo": info, "edges": Part("Edge", {"node": node})})
    return _in_component(component, f"{listing.collection}({', '.join(arguments)})", connection, shape)


def thread_query(component: Component, item: str, comment: str, shape: Shape) -> str:
    """Write the query for the answers to one comment; "" if the site's API has no way to one item."""
    if component.listing.single is None:
        return ""
    answers = Part("Comment", {"id": None, "comments": _comments(shape.levels - 1)})
    found = Part(component.listing.type, {f"comments(singleCommentId: {write_string(comment)})": answers})
    return _in_component(component, f"{component.listing.single}(id: {write_string(item)})", found, shape)


def components_of(space: dict[str, Any], folder: str) -> Iterator[Component]:
    """Yield the components of a space that list what people write on."""
    number = as_text(space.get("id"))
    slug = as_text(space.get("slug")) or (f"i-{number}" if folder == "initiatives" else number)
    for found in as_objects(space.get("components")):
        typename, component = as_text(found.get("__typename")), as_text(found.get("id"))
        if typename in LISTINGS and component:
            yield Component(component, typename, f"{folder}/{slug}")


def _comments(levels: int) -> Part:
    below: dict[str, Part | None] = {"comments": _comments(levels - 1)} if levels > 1 else {}
    return Part("Comment", {**dict.fromkeys(_COMMENT), "author": _AUTHOR, **below})


def _items(listing: Listing, shape: Shape) -> Part:
    own = {"proposal": ("publishedAt", *_PROPOSAL), "post": ("publishedAt",), "debate": ("startTime",)}
    values = dict.fromkeys(("id", "createdAt", "updatedAt", "url", *own.get(listing.kind, ())))
    author: dict[str, Part | None] = {"author": _AUTHOR} if listing.of_people else {}
    texts: dict[str, Part | None] = {"title": _TRANSLATED, listing.text: _TRANSLATED}
    return Part(listing.type, {**values, **texts, **author, "comments": _comments(shape.levels)})


def _in_component(component: Component, name: str, part: Part, shape: Shape) -> str:
    selection = write_part(Part(component.typename, {name: part}), shape.missing)
    return f"{{ component(id: {write_string(component.id)}) {{ ... on {component.typename} {selection} }} }}" if selection else ""
