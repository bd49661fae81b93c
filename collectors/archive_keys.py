"""Under which name the raw archive knows a request: the same when it is written and when it is looked up, and without keys."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from collectors.secrets import HIDDEN, hide_secret_bytes, hide_secrets

if TYPE_CHECKING:
    from scrapy import Request

_PARAMETER = re.compile(r"(?<=[?&])(access_token|api_?key|api_secret|client_secret|password)=[^&#]*", re.IGNORECASE)


def hidden_url(url: str) -> str:
    """Return an address without keys: those that were loaded, and parameters whose name says that they are one."""
    return _PARAMETER.sub(rf"\1={HIDDEN}", hide_secrets(url))


def request_digest(request: Request) -> str:
    """Return what tells a request from others: method, address and body without keys (32 hex characters)."""
    head = f"{request.method} {hidden_url(request.url)}\n".encode()
    return hashlib.sha256(head + hide_secret_bytes(request.body)).hexdigest()[:32]
