"""What is left alone because somebody asked for it: addresses, domains and authors, for collection and afterwards.

The list is `data/exclusions.yml`. It holds no name in clear: an author stands there as the same keyed pseudonym that the
warehouse has, which `keyed_author` makes from the name and the secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from posixpath import normpath
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field
from w3lib.url import canonicalize_url

from collectors.catalog import Closed, Identifier, WebAddress
from collectors.network import site_of
from collectors.pseudonyms import keyed_url, keyed_value, pseudonym
from collectors.yaml_errors import load_yaml, validate_document

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


class Exclusion(Closed):
    """Why something is left alone."""

    reason: str = Field(min_length=3, description="Who asked for it and why, without a name; for whoever audits the list.")
    since: date = Field(description="From when on (YYYY-MM-DD).")


class ExcludedUrl(Exclusion):
    """Everything under one address."""

    url: WebAddress = Field(
        description="The address; what stands below it is excluded with it. With parameters: the same path with at least these."
    )


def _check_domain(domain: str) -> str:
    name = site_of(_ascii(domain))
    if not _NAME.fullmatch(name):
        raise ValueError("must be a host name alone, as in diario.pe")
    return name


class ExcludedDomain(Exclusion):
    """A host and every host below it."""

    domain: Annotated[str, AfterValidator(_check_domain)] = Field(description="Host name; its subdomains are excluded with it.")


class ExcludedAuthor(Exclusion):
    """One author within one source."""

    source: Identifier = Field(description="Id of the source; the same person has another key in each.")
    author_key: str = Field(pattern=r"^[0-9a-f]{32}$", description="The author's key, made by `keyed_author`; never the name.")


class Exclusions(Closed):
    """The whole list; empty by default."""

    urls: tuple[ExcludedUrl, ...] = ()
    domains: tuple[ExcludedDomain, ...] = ()
    authors: tuple[ExcludedAuthor, ...] = ()

    def excludes_url(self, url: str | None) -> bool:
        """Tell whether an address is excluded; None, and what is no web address, is not."""
        if url is None or not (self._domains or self._addresses):
            return False
        try:
            address = _address(url)
        except ValueError:
            return False
        labels = address.host.partition(":")[0].split(".")
        if any(".".join(labels[start:]) in self._domains for start in range(len(labels))):
            return True
        return any(address.lies_under(excluded) for excluded in self._addresses)

    def excludes_author(self, source_id: str, author_key: str | None) -> bool:
        """Tell whether an author's messages in a source are excluded; None, an unsigned message, is not."""
        return (source_id, author_key) in self._authors

    def names_site(self, url: str) -> bool:
        """Tell whether the list names an address or a domain on the site of an address, or the whole site."""
        try:
            host = _address(url).host
        except ValueError:
            return False
        named = [address.host for address in self._addresses] + list(self._domains)
        return any(name == host or name.endswith(f".{host}") or host.endswith(f".{name}") for name in named)

    def names_author_of(self, source_id: str) -> bool:
        """Tell whether the list names an author of a source."""
        return any(source == source_id for source, _ in self._authors)

    @cached_property
    def _domains(self) -> frozenset[str]:
        return frozenset(entry.domain for entry in self.domains)

    @cached_property
    def _addresses(self) -> tuple[_Address, ...]:
        return tuple(_address(entry.url) for entry in self.urls)

    @cached_property
    def _authors(self) -> frozenset[tuple[str, Any]]:
        return frozenset((entry.source, entry.author_key) for entry in self.authors)


class Stored(NamedTuple):
    """What a stored item can be recognised by."""

    source_id: str
    native_id: str | None
    url: str | None
    author_key: str | None
    url_keys: tuple[str, ...] = ()


class StoredExclusions:
    """The list as it applies to what is stored already, where links that name a person stand only as keys."""

    def __init__(self, exclusions: Exclusions, secret: bytes, addresses: Mapping[str, Sequence[str]]) -> None:
        """Take the list.

        Args:
            exclusions: the list.
            secret: the key with which the items were stored.
            addresses: source id -> the addresses that the source is read from; excluded, they take all of its items along.
        """
        self._list, self._secret = exclusions, secret
        self._whole = {source for source, urls in addresses.items() if any(map(exclusions.excludes_url, urls))}
        forms = (form for entry in exclusions.urls for form in _forms(entry.url))
        self._native = {keyed_url(secret, form) for form in forms}
        self._wanted: dict[str, list[frozenset[str]]] = {}

    def name(self, item: Stored) -> bool:
        """Tell whether the list names an item: its author, its address, its domain or that of its source."""
        return (
            item.source_id in self._whole
            or self._list.excludes_author(item.source_id, item.author_key)
            or self._list.excludes_url(item.url)
            or item.native_id in self._native
            or (bool(item.url_keys) and any(wanted <= set(item.url_keys) for wanted in self._keys_of(item.source_id)))
        )

    def _keys_of(self, source_id: str) -> list[frozenset[str]]:
        """Return for each address and domain of the list the keys that a link below it has all of."""
        if source_id not in self._wanted:
            marks = [{_domain_mark(entry.domain)} for entry in self._list.domains]
            for entry in self._list.urls:
                address = _address(entry.url)
                marks.append(_parameter_marks(address) or {_path_mark(address.host, address.path)})
            self._wanted[source_id] = [frozenset(_keyed(self._secret, source_id, mark) for mark in found) for found in marks]
        return self._wanted[source_id]


def link_keys(secret: bytes, source_id: str, url: str) -> tuple[str, ...]:
    """Return what stands for a link that is not kept because it names a person: keys of its domains, folders and parameters.

    They are of the source, like an author's: the same link in another source has others. None of what is no address.
    """
    try:
        address = _address(url)
    except ValueError:
        return ()
    labels = address.host.partition(":")[0].split(".")
    marks = {_domain_mark(".".join(labels[start:])) for start in range(len(labels))}
    marks |= {_path_mark(address.host, path) for path in (address.path, *_folders(address.path))}
    marks |= _parameter_marks(address)
    return tuple(sorted(_keyed(secret, source_id, mark) for mark in marks))


def _folders(path: str) -> list[str]:
    """Return the paths that a path stands below: "/a/b" below "/a/", "/a" and "/"."""
    ends = [position for position, character in enumerate(path) if character == "/"]
    return [path[:end] for end in ends if end] + [path[: end + 1] for end in ends]


def _domain_mark(domain: str) -> str:
    return f"domain\n{domain}"


def _path_mark(host: str, path: str) -> str:
    return f"path\n{host}\n{path}"


def _parameter_marks(address: _Address) -> set[str]:
    return {f"parameter\n{address.host}\n{address.path}\n{name}\n{value}" for name, value in address.parameters}


def _keyed(secret: bytes, source_id: str, mark: str) -> str:
    return keyed_value(secret, f"link\n{source_id}\n{mark}")


def _forms(url: str) -> list[str]:
    """Return the ways in which a platform may have written an address as the id of an item."""
    address, parts = _address(url), urlsplit(canonicalize_url(url.strip()))
    query = f"?{parts.query}" if parts.query else ""
    path = address.path.rstrip("/")
    hosts = (address.host, f"www.{address.host}")
    return [f"{scheme}://{host}{path}{end}{query}" for scheme in _PORTS for host in hosts for end in ("", "/")]


def load_exclusions(path: Path) -> Exclusions:
    """Load and check a list of exclusions; an absent file is an empty list.

    Raises:
        ConfigurationError: naming every problem of the file with its line, what is wrong and what is allowed.
    """
    if not path.exists():
        return Exclusions()
    return validate_document(Exclusions, load_yaml(path), path)


def keyed_author(secret: bytes, source_id: str, name: str) -> str:
    """Return what stands for an author in the list: the pseudonym that the warehouse has for the name within the source."""
    return pseudonym(secret, source_id, name)


def _ascii(host: str) -> str:
    """Return a host name as DNS has it: small letters, `ñ` and accents encoded, no dot at its end."""
    name = host.strip().lower().rstrip(".")
    try:
        return name.encode("idna").decode() if name else ""
    except UnicodeError:
        return name


class _Address(NamedTuple):
    """An address as addresses are compared: no scheme, no `www.`, no fragment, steps like `..` taken, escapes made one."""

    host: str
    path: str
    parameters: frozenset[tuple[str, str]]

    def lies_under(self, other: _Address) -> bool:
        """Tell whether this address is the other one or stands below it."""
        if self.host != other.host or not self.parameters >= other.parameters:
            return False
        below = self.path.startswith(other.path) and (other.path.endswith("/") or self.path[len(other.path) :].startswith("/"))
        return self.path == other.path or (below and not other.parameters)


def _address(url: str) -> _Address:
    """Return the parts of an address that are compared.

    Raises:
        ValueError: if it is no address.
    """
    parts = urlsplit(canonicalize_url(url.strip()))
    port = f":{parts.port}" if parts.port not in (None, _PORTS.get(parts.scheme)) else ""
    path = normpath("/" + parts.path.lstrip("/"))
    step = "/" if parts.path.endswith(("/", "/.", "/..")) and path != "/" else ""
    parameters = frozenset(parse_qsl(parts.query, keep_blank_values=True))
    return _Address(site_of(_ascii(parts.hostname or "")) + port, path + step, parameters)
