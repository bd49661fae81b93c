"""Open311 GeoReport v2: the requests of a span of time, in XML.

Facts from wiki.open311.org/GeoReport_v2 ("GET Service Requests"): `start_date` and `end_date` in W3C form; a span of at most
ninety days; a server may cap its answer, and this one does at a hundred requests, the newest first; errors are documents with a
code.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from pipelines.pilot.records import Message, Served, instant
from pipelines.pilot.wire import ZONE, Answer, Query

MOST = 100
LONGEST = timedelta(days=90)


class Open311Site:
    """Answers for one server, whose base address is the source's."""

    def __init__(self, served: Served) -> None:
        """Order the requests once, the newest first."""
        self.site = served.site
        self.requests = sorted(served.messages, key=lambda message: (message.published or "", message.id), reverse=True)
        names = sorted({message.title for message in served.messages if message.title})
        self.services = {name: f"{number:03d}" for number, name in enumerate(names, start=1)}

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer the requests of a span, or one request."""
        if not path.startswith(f"{self.site.path}requests"):
            return None
        asked = path.removeprefix(f"{self.site.path}requests")
        if asked == ".xml":
            return self._span(query)
        found = [message for message in self.requests if asked == f"/{message.id}.xml"]
        return self._document(found) if found else _error(404, "service_request_id no existe")

    def _span(self, query: Query) -> Answer:
        newest = instant(self.requests[0].published or "") if self.requests else datetime.now(UTC)
        try:
            end = _moment(query, "end_date") or newest
            start = _moment(query, "start_date") or end - LONGEST
        except ValueError:
            return _error(400, "start_date y end_date van en el formato de W3C")
        if end - start > LONGEST:
            return _error(400, "el periodo pasa de 90 días")
        codes = set(",".join(query.get("service_code", ())).split(",")) - {""}
        found = [message for message in self.requests if start <= instant(message.published or "") <= end]
        kept = [message for message in found if not codes or self.services.get(message.title or "") in codes]
        return self._document(kept if query.get("status", ("open",))[-1] == "open" else [])

    def _document(self, messages: list[Message]) -> Answer:
        rows = "".join(map(self._request, messages[:MOST]))
        return _xml(f"<service_requests>\n{rows}</service_requests>\n")

    def _request(self, message: Message) -> str:
        moment = instant(message.published or "").astimezone(ZONE).isoformat()
        cells = {
            "service_request_id": message.id,
            "status": "open",
            "service_name": message.title or "",
            "service_code": self.services.get(message.title or "", ""),
            "description": message.text,
            "requestor_name": message.author,
            "requested_datetime": moment,
            "updated_datetime": moment,
        }
        written = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in cells.items() if value)
        return f"<request>{written}</request>\n"


def _moment(query: Query, name: str) -> datetime | None:
    """Read an instant of the query; one without an offset is on the clock of the sites.

    Raises:
        ValueError: if it is none.
    """
    if name not in query:
        return None
    given = datetime.fromisoformat(query[name][-1])
    return given if given.tzinfo else given.replace(tzinfo=ZONE)


def _error(status: int, told: str) -> Answer:
    return _xml(
        f"<errors><error><code>{status}</code><description>{escape(told)}</description></error></errors>\n", status=status
    )


def _xml(body: str, *, status: int = 200) -> Answer:
    return Answer(f'<?xml version="1.0" encoding="utf-8"?>\n{body}'.encode(), "text/xml; charset=utf-8", status)
