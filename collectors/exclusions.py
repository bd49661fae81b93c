"""What is left alone because somebody asked for it: addresses, domains and authors, for collection and afterwards.

The list is `data/exclusions.yml`. It holds no name in clear: an author stands there as the same keyed pseudonym that the
warehouse has, which `keyed_author` makes from the name and the secret.
"""

from __future__ import annotations

import re
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
from collectors.pseudonyms import pseudonym
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

    @cached_property
    def _domains(self) -> frozenset[str]:
        return frozenset(entry.domain for entry in self.domains)

    @cached_property
    def _addresses(self) -> tuple[_Address, ...]:
        return tuple(_address(entry.url) for entry in self.urls)

    @cached_property
    def _authors(self) -> frozenset[tuple[str, Any]]:
        return frozenset((entry.source, entry.author_key) for entry in self.authors)


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
