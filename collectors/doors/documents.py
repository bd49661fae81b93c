"""What is no page: tables, workshop minutes, exported chats, sitemaps, answers of Open311; bytes -> doors, pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from scrapy.http import Response

from collectors.catalog import PENDING
from collectors.chats import parse_chat
from collectors.doors.model import Door, Rank, plain
from collectors.doors.wording import load_words
from collectors.health import SourceProblem
from collectors.layouts import load_layouts
from collectors.sitemaps import parse_sitemap
from collectors.spiders.base import header
from collectors.spiders.whatsapp import find_chat
from collectors.table_formats import read_csv, read_json, read_jsonl, read_parquet, read_workbook, write_cell
from collectors.tables import TableForm, recognise
from collectors.text import plain_letters

_TABLES = (".csv", ".tsv", ".xlsx", ".ods", ".json", ".jsonl", ".parquet", ".gz", ".zip")
_TABLE_TYPES = ("text/csv", "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_OPEN311 = re.compile(rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?<(service_requests|services)\b")


def document_doors(response: Response) -> list[Door]:
    """Return the doors of an answer that is neither a page nor a feed; none if it is not known."""
    body, url = response.body, response.url
    base = urljoin(url, ".")
    found = _OPEN311.match(body[:2_000])
    if found:
        told = f"an answer of Open311 (GeoReport v2): <{found[1].decode()}>"
        return [Door(platform="open311", url=base, rank=Rank.API, evidence=(told,), kind="municipality")]
    if _is_open311_json(body):
        told, options = "an answer of Open311 (GeoReport v2) in JSON", {"format": "json"}
        return [Door(platform="open311", url=base, rank=Rank.API, evidence=(told,), options=options, kind="municipality")]
    if b"<urlset" in body[:2_000] or b"<sitemapindex" in body[:2_000]:
        return list(_sitemap_door(body, url))
    name = PurePosixPath(unquote(urlsplit(url).path)).name or "table.csv"
    kind = header(response, "Content-Type").partition(";")[0].strip().lower()
    if name.lower().endswith(_TABLES) or kind in _TABLE_TYPES:
        return [table_door(body, name=name, url=url, trusted=False)]
    return []


def _sitemap_door(body: bytes, url: str) -> Iterator[Door]:
    try:
        listed = parse_sitemap(body, url=url)
    except SourceProblem:
        return
    told = f"a sitemap: {len(listed.pages)} pages, {len(listed.sitemaps)} further sitemaps"
    options = {"articles": {"sitemap": url}}
    yield Door(platform="structured", url=urljoin(url, "/"), rank=Rank.STRUCTURED, evidence=(told,), options=options)


def _is_open311_json(body: bytes) -> bool:
    if body.lstrip()[:1] != b"[":
        return False
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return bool(rows) and isinstance(rows[0], dict) and bool({"service_request_id", "service_code"} & set(rows[0]))


def local_door(body: bytes, *, url: str) -> Door:
    """Return the door of a file of the project.

    Args:
        body: the file.
        url: its path inside the project folder, `/` between the folders.

    Raises:
        SourceProblem: if no collector reads such a file.
    """
    name = PurePosixPath(url).name
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in (".docx", ".odt"):
        told = "a document: minutes of a workshop, if it is written on the template (data/templates/acta.docx)"
        return Door(platform="minutes", url=url, rank=Rank.API, evidence=(told,), channel="in_person", kind="municipality")
    if suffix in (".txt", ".zip"):
        chat = _chat_door(body, name=name, url=url)
        if chat is not None or suffix == ".txt":
            if chat is None:
                raise SourceProblem(
                    "malformed", f"{name}: no exported chat; a table is a .csv, .xlsx, .ods, .json or .parquet file"
                )
            return chat
    if suffix not in _TABLES:
        raise SourceProblem(
            "malformed", f"{name}: no collector reads such a file; read are {', '.join(_TABLES)}, .docx, .odt, .txt"
        )
    return table_door(body, name=name, url=url, trusted=True)


def _chat_door(body: bytes, *, name: str, url: str) -> Door | None:
    try:
        chat = parse_chat(find_chat(body, name=name), name=name, order=None, official=())
    except SourceProblem:
        return None
    count = sum(line.kind == "message" for line in chat.lines)
    if not count:
        return None
    consent = {
        name: f"{PENDING}: {what}" for name, what in (("announced_on", "AAAA-MM-DD"), ("by", "cargo"), ("document", "acta"))
    }
    needs = ("the group's consent: when it was told, by whom, and where that is written down; without it, the talk is private",)
    return Door(
        platform="whatsapp",
        url=url,
        rank=Rank.API,
        evidence=(f"an exported chat with {count} messages",),
        options={"consent": consent},
        needs=needs,
    )


def table_door(body: bytes, *, name: str, url: str, trusted: bool) -> Door:
    """Return the door of a table, its columns mapped by their headings as far as these are known words.

    Args:
        body: the file.
        name: its name.
        url: its address or path.
        trusted: False: a file from elsewhere, whose workbook is not opened here.
    """
    try:
        headings = [plain(one) for one in read_headings(body, name=name, trusted=trusted)]
    except SourceProblem as problem:
        headings, told = [], plain(problem.detail)
    else:
        told = f"a table of {len(headings)} columns: {', '.join(headings)}"
    options = map_columns(headings)
    needs = ("the heading of the column with the message (`options.columns.text`)",) if PENDING in str(options) else ()
    return Door(platform="file", url=url, rank=Rank.API, evidence=(plain(told),), options=options, needs=needs)


def read_headings(body: bytes, *, name: str, trusted: bool) -> list[str]:
    """Return the headings of a table, or the keys of its first record.

    Raises:
        SourceProblem: `malformed` if it cannot be read.
    """
    document = recognise(body, TableForm(text=("",), needed=(), optional=()), name=name)
    name = document.name
    if document.format in ("xlsx", "ods", "parquet") and not trusted:
        raise SourceProblem("malformed", f"{name}: a workbook from elsewhere is not opened to look at it")
    if document.format == "csv":
        return [cell.strip() for cell in _first(read_csv(document.body, name=name, encoding=None, delimiter=None), [])]
    if document.format in ("xlsx", "ods"):
        rows = read_workbook(document.body, name=name, sheet=None)
        filled = ((line, cells) for line, cells in rows if any(write_cell(cell).strip() for cell in cells))
        return [text for cell in _first(filled, []) if (text := write_cell(cell).strip())]
    readers = {
        "json": lambda: read_json(document.body, name=name, encoding=None, records=None),
        "jsonl": lambda: read_jsonl(document.body, name=name, encoding=None),
        "parquet": lambda: read_parquet(document.body, name=name),
    }
    record = _first(readers[document.format](), {})
    return [str(key) for key in record] if isinstance(record, dict) else []


def _first(rows: Iterator[tuple[int, Any]], default: Any) -> Any:
    return next((cells for _, cells in islice(rows, 1)), default)


def map_columns(headings: Sequence[str]) -> dict[str, Any]:
    """Return the options that map these headings: a layout that is known by name, or the columns whose words are known."""
    for name, layout in sorted(load_layouts().items()):
        form = layout.form()
        if {*form.text, *form.needed} <= set(headings):
            return {"layout": name}
    free = {_fold(heading): heading for heading in reversed(headings) if heading}
    columns: dict[str, Any] = {}
    words: Mapping[str, Sequence[str]] = load_words().columns.model_dump()
    for field in ("text", "date", "id", "author", "title"):
        found = _pick(free, words[field])
        if found is not None:
            columns[field] = [found] if field == "text" else found
            free = {folded: heading for folded, heading in free.items() if heading != found}
    if "text" not in columns:
        columns = {"text": [f"{PENDING}: columna del mensaje"], **columns}
    return {"columns": columns}


def _pick(free: Mapping[str, str], words: Sequence[str]) -> str | None:
    """Return the heading that is one of the words, else the first that begins with one."""
    exact = next((free[word] for word in words if word in free), None)
    begins = (heading for folded, heading in free.items() for word in words if len(word) > 3 and folded.startswith(word))
    return exact or next(begins, None)


def _fold(heading: str) -> str:
    return " ".join(plain_letters(heading).split())
