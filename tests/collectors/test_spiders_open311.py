"""Open311 servers that filter, page, cap and err as GeoReport v2 and its implementations do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from collectors.health import SourceProblem
from collectors.spiders.open311 import Open311Options, Slice
from collectors.spiders.open311_documents import parse_document

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "open311"
WINDOW = ("2021-01-01T00:00:00-05:00", "2021-07-20T00:00:00-05:00")
KEY = "clave-de-prueba-311"
START = datetime(2021, 1, 1, 5, tzinfo=UTC)


def request(number: int, at: datetime, **fields: Any) -> dict[str, Any]:
    return {
        "service_request_id": str(number),
        "description": f"Reclamo {number}: falta luz en la cuadra",
        "service_name": "Alumbrado",
        "requested_datetime": at.isoformat(),
        **fields,
    }


def as_xml(rows: list[dict[str, Any]]) -> bytes:
    cells = ("".join(f"<{name}>{value}</{name}>" for name, value in row.items()) for row in rows)
    listed = "".join(f"<request>{written}</request>" for written in cells)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<service_requests>{listed}</service_requests>'.encode()


class Server:
    """Answers with the newest requests of a span, at most so many; it keeps to the dates unless told otherwise."""

    def __init__(self, reply: Any, rows: list[dict[str, Any]], *, most: int = 1000, keeps: str = "times") -> None:
        self.reply, self.most, self.keeps = reply, most, keeps
        self.rows = sorted(rows, key=lambda row: row["requested_datetime"], reverse=True)

    def __call__(self, path: str, query: dict[str, list[str]]) -> Any:
        if not path.startswith("/requests."):
            return None
        start, end = (datetime.fromisoformat(query[name][0]) for name in ("start_date", "end_date"))
        if end - start > timedelta(days=90):
            return self.reply(b"<errors><error><code>400</code></error></errors>", "text/xml", 400)
        found = [row for row in self.rows if self._within(datetime.fromisoformat(row["requested_datetime"]), start, end)]
        size = min(int(query.get("page_size", ["1000"])[0]), self.most)
        begin = (int(query.get("page", ["1"])[0]) - 1) * size if self.keeps != "pages" else 0
        rows = found[begin : begin + size]
        body = json.dumps(rows).encode() if path.endswith("json") else as_xml(rows)
        return self.reply(body, "application/json" if path.endswith("json") else "text/xml; charset=utf-8")

    def _within(self, at: datetime, start: datetime, end: datetime) -> bool:
        return self.keeps == "nothing" or start <= at <= end


QUIET = [request(number, START + timedelta(days=5 * number, hours=1)) for number in range(1, 51)]  # to the end of August
ROUTINE = [request(number, START + timedelta(hours=40 * number)) for number in range(1, 121)]  # the last as the window ends
BURST = [request(5000 + step, datetime(2021, 4, 14, 12, tzinfo=UTC) + timedelta(minutes=4 * step)) for step in range(90)]
CROWD = [request(7000 + number, datetime(2021, 4, 14, 12, 30, tzinfo=UTC)) for number in range(60)]
BOMB = b"<!DOCTYPE lolz [<!ENTITY a 'SECRETO'>%b]>\n<service_requests><request>%b</request></service_requests>"
ENTITIES = b"".join(b"<!ENTITY a%d '%b'>" % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 12))
ROW = b"<service_request_id>1</service_request_id><description>%b</description>"


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply

    def answers(body: bytes, content_type: str = "text/xml", status: int = 200) -> Any:
        return lambda path, query: reply(body, content_type, status) if path.startswith("/requests.") else None

    def recorded(path: str, query: Any) -> Any:
        tokens = {"/tokens/tk%2F12%203.xml": b"<request><service_request_id>2021-0048</service_request_id></request>"}
        tokens["/tokens/tk-sin-id.xml"] = b"<request><token>tk-sin-id</token></request>"
        if path in tokens:
            return reply(b"<service_requests>" + tokens[path] + b"</service_requests>", "text/xml")
        return reply((RECORDED / "requests.xml").read_bytes(), "text/xml") if path == "/requests.xml" else None

    def keyed(path: str, query: Any, seen: Any) -> Any:
        known = seen.headers.get("authorization") == f"Bearer {KEY}"
        rows = [request(1, datetime(2021, 4, 14, tzinfo=UTC))] if known else []
        return reply(as_xml(rows), "text/xml", 200 if known else 401) if path == "/v2/requests.xml" else None

    fixmystreet = (RECORDED / "fixmystreet.json").read_bytes()
    cut = as_xml([request(1, datetime(2021, 4, 14, tzinfo=UTC)), request(2, datetime(2021, 4, 14, tzinfo=UTC))])[:-90]
    latin = as_xml([request(1, datetime(2021, 4, 14, tzinfo=UTC), description="Señal caída")]).decode().encode("cp1252")
    lab.web.sites |= {
        "tranquilo.test": Server(reply, QUIET),
        "lleno.test": Server(reply, [*ROUTINE, *BURST], most=40),
        "cincuenta.test": Server(reply, ROUTINE, most=50),
        "gentio.test": Server(reply, CROWD, most=50),
        "sordo.test": Server(reply, ROUTINE[:50], keeps="nothing"),
        "paginas.test": Server(reply, ROUTINE),
        "repite.test": Server(reply, ROUTINE, keeps="pages"),
        "grabado.test": recorded,
        "fms.test": answers(fixmystreet, "application/json"),
        "llave.test": keyed,
        "sinllave.test": keyed,
        "error.test": answers(b"<errors><error><code>400</code><description>jurisdiction_id</description></error></errors>"),
        "errorjson.test": answers(b'[{"code": "403", "description": "No"}]', "application/json"),
        "limitexml.test": answers(b"<errors><error><code>429</code></error></errors>"),
        "limite.test": answers(b"", status=429),
        "falla.test": answers(b"<errors/>", status=500),
        "html.test": answers(b"<!DOCTYPE html><html><body>Missing jurisdiction_id</body></html>", "text/html"),
        "sucio.test": answers(b"<html><body>Missing<p>jurisdiction_id</body></html>", "text/html"),
        "vacio.test": answers(b"<service_requests/>"),
        "cortado.test": answers(cut),
        "latino.test": answers(latin),
        "json.test": answers(b'{"requests": [{"service_request_id"', "application/json"),
        "bomba.test": answers(BOMB % (ENTITIES, ROW % b"&a11;")),
        "archivo.test": answers(BOMB % (b'<!ENTITY b SYSTEM "file:///etc/hostname">', ROW % b"&b;")),
    }
    json_too = {"errorjson", "json", "fms"}
    options: dict[str, dict[str, Any]] = {
        "grabado": {"permalink": "http://grabado.test/reclamo/{id}", "jurisdiction_id": "ate.test", "status": "open"},
        "fms": {"format": "json", "parameters": {"agency_responsible": "219|220"}, "service_codes": ["Pistas", "Luz"]},
        "paginas": {"page_size": 25, "format": "json"},
        "repite": {"page_size": 25},
        "lleno": {"most": 40},
        "llave": {"endpoint": "http://llave.test/v2/", "api_key": "env:CLAVE_311"},
        "sinllave": {"endpoint": "http://sinllave.test/v2/", "api_key": "env:CLAVE_AUSENTE"},
        **{name: {"format": "json"} for name in json_too - {"fms"}},
    }
    names = [host.removesuffix(".test") for host in lab.web.sites]
    sources = [lab.source(name, "open311", f"http://{name}.test/", options=options.get(name, {})) for name in names]
    return lab.crawl(sources, window=WINDOW, environ={"CLAVE_311": KEY})


def spans(lab: Any, host: str) -> list[tuple[datetime, datetime]]:
    return [
        tuple(datetime.fromisoformat(seen.query[name][0]) for name in ("start_date", "end_date"))
        for seen in lab.web.pages(host)
        if "start_date" in seen.query
    ]


def test_a_long_window_is_asked_for_in_spans_of_ninety_days(lab: Any, crawled: Any) -> None:
    asked = sorted(spans(lab, "tranquilo.test"))
    assert [(start.isoformat(), end.isoformat()) for start, end in asked] == [
        ("2021-01-01T00:00:00-05:00", "2021-04-01T00:00:00-05:00"),
        ("2021-04-01T00:00:00-05:00", "2021-06-30T00:00:00-05:00"),
        ("2021-06-30T00:00:00-05:00", "2021-07-20T00:00:00-05:00"),
    ]
    assert set(crawled.people("tranquilo")) == {str(number) for number in range(1, 40)}
    assert crawled.outcome("tranquilo") == ("ok", "none")


def test_a_full_answer_is_halved_until_nothing_is_missing(lab: Any, crawled: Any) -> None:
    expected = {row["service_request_id"] for row in (*ROUTINE, *BURST) if row["requested_datetime"] < WINDOW[1]}
    assert set(crawled.people("lleno")) == expected
    assert crawled.outcome("lleno") == ("ok", "none")
    asked = spans(lab, "lleno.test")
    assert len(asked) == len(set(asked)) < 30
    assert min(end - start for start, end in asked) < timedelta(days=1)


def test_a_limit_that_nobody_told_is_found(lab: Any, crawled: Any) -> None:
    assert len(crawled.people("cincuenta")) == 119
    assert crawled.outcome("cincuenta") == ("ok", "none")


def test_an_hour_that_is_too_full_is_told(lab: Any, crawled: Any) -> None:
    assert len(crawled.people("gentio")) == 50
    assert crawled.outcome("gentio") == ("partial", "malformed")
    assert "50 requests, the server's limit" in crawled.health("gentio").detail
    assert len(spans(lab, "gentio.test")) < 40
    assert all(end - start >= timedelta(minutes=30) for start, end in spans(lab, "gentio.test"))


def test_a_server_that_hears_no_dates_is_told_at_once(lab: Any, crawled: Any) -> None:
    assert len(spans(lab, "sordo.test")) <= 5  # what it gives is of the first span alone, which is halved once
    assert len(crawled.people("sordo")) == 50
    assert crawled.outcome("sordo") == ("partial", "malformed")
    assert "not only of the dates asked for" in crawled.health("sordo").detail


def test_pages(lab: Any, crawled: Any) -> None:
    assert len(crawled.people("paginas")) == 119
    pages = sorted((seen.query["page"][0], seen.query["page_size"][0]) for seen in lab.web.pages("paginas.test"))
    assert pages == [("1", "25")] * 3 + [("2", "25")] * 2 + [("3", "25")] * 2  # 54, 55 and 13 of them, ends included
    assert crawled.outcome("paginas") == ("ok", "none")


def test_pages_that_repeat_are_told(lab: Any, crawled: Any) -> None:
    assert len(crawled.people("repite")) == 25 + 25 + 11
    assert [seen.query["page"] for seen in lab.web.pages("repite.test")].count(["2"]) == 2
    assert crawled.outcome("repite") == ("partial", "malformed")
    assert "page 2 repeats" in crawled.health("repite").detail


def test_fields(crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("grabado")}
    assert set(by_id) == {"2021-0045", "2021-0045:status", "2021-0047", "2021-0048"}
    item = by_id["2021-0045"]
    assert item.text == "Hueco en la pista, señor & vecinos: cuidado <con> las motos"
    assert item.title == "Pistas y veredas"
    assert item.published_at == datetime(2021, 4, 14, 11, 37, 38, tzinfo=UTC)
    assert item.published_raw == "2021-04-14T06:37:38-05:00"
    assert item.modified_at == datetime(2021, 4, 20, 11, 37, 38, tzinfo=UTC)
    assert item.url == "http://grabado.test/reclamo/2021-0045"
    assert (item.parent_id, item.author_key, item.reactions) == (None, None, None)
    assert by_id["2021-0047"].published_at is None
    assert by_id["2021-0047"].published_raw == "el martes pasado"


def test_words_of_the_agency_are_context(crawled: Any) -> None:
    item = next(item for item in crawled.items("grabado") if item.native_id == "2021-0045:status")
    assert (item.kind, item.parent_id) == ("official", "2021-0045")
    assert item.text == "Cuadrilla enviada el martes; señalización repuesta."
    assert item.published_at == datetime(2021, 4, 20, 11, 37, 38, tzinfo=UTC)


def test_places_and_pictures_stay_where_they_are(crawled: Any) -> None:
    written = crawled.written()
    assert not [word for word in ("Ñandúes", "-76.89", "15103", "hueco.jpg") if word in written]


def test_tokens_and_empty_requests(lab: Any, crawled: Any) -> None:
    by_id = {item.native_id: item for item in crawled.items("grabado")}
    assert by_id["2021-0048"].text == "Basura acumulada hace días"
    assert crawled.health("grabado").skipped_count == 1
    assert crawled.outcome("grabado") == ("partial", "malformed")
    detail = crawled.health("grabado").detail
    assert "without an id" in detail
    queries = [seen.query for seen in lab.web.pages("grabado.test") if seen.path.startswith("/requests")]
    assert all(query["jurisdiction_id"] == ["ate.test"] and query["status"] == ["open"] for query in queries)
    assert {tuple(seen.query["jurisdiction_id"]) for seen in lab.web.pages("grabado.test") if "token" in seen.path} == {
        ("ate.test",)
    }


def test_fixmystreet(lab: Any, crawled: Any) -> None:
    people = crawled.people("fms")
    assert set(people) == {"9001", "9002"}
    item = people["9001"]
    assert (item.title, item.text) == ("Semáforo malogrado", "Semáforo malogrado: No prende el ámbar")
    assert item.published_at == datetime(2021, 4, 10, 13, tzinfo=UTC)  # without a zone: the city's
    assert item.author_key is not None
    assert (people["9002"].title, people["9002"].author_key) == (None, None)
    assert "Ñahui" not in crawled.written()
    assert crawled.outcome("fms") == ("partial", "malformed")
    query = lab.web.pages("fms.test")[0].query
    assert (query["agency_responsible"], query["service_code"]) == (["219|220"], ["Pistas,Luz"])


def test_a_key_is_sent_in_the_header_and_told_nowhere(lab: Any, crawled: Any) -> None:
    assert set(crawled.people("llave")) == {"1"}
    assert KEY not in crawled.written()
    assert not [seen for seen in lab.web.seen if KEY in str(seen.query)]
    assert crawled.outcome("sinllave") == ("failed", "secret_missing")
    assert lab.web.pages("sinllave.test") == []


@pytest.mark.parametrize(
    ("name", "status", "reason", "told"),
    [
        ("error", "failed", "http_error", "error 400"),
        ("errorjson", "failed", "http_error", "error 403"),
        ("limitexml", "failed", "rate_limited", "error 429"),
        ("limite", "failed", "rate_limited", "HTTP 429"),
        ("falla", "failed", "http_error", "HTTP 500"),
        ("html", "failed", "malformed", "DOCTYPE"),
        ("sucio", "failed", "malformed", "neither requests nor an error"),
        ("json", "failed", "malformed", "not a JSON document"),
        ("bomba", "failed", "malformed", "XML document"),
        ("archivo", "failed", "malformed", "DOCTYPE"),
        ("vacio", "empty", "nothing_published", ""),
    ],
)
def test_answers_that_hold_nothing(crawled: Any, name: str, status: str, reason: str, told: str) -> None:
    assert crawled.outcome(name) == (status, reason)
    assert told in crawled.health(name).detail
    assert crawled.items(name) == []


def test_an_answer_that_was_cut_is_read_up_to_the_cut(crawled: Any) -> None:
    assert "1" in crawled.people("cortado")
    assert crawled.outcome("cortado") == ("partial", "malformed")
    assert "read in part" in crawled.health("cortado").detail


def test_a_wrong_label_damages_no_letter(crawled: Any) -> None:
    assert crawled.people("latino")["1"].text == "Señal caída"
    assert crawled.outcome("latino") == ("partial", "malformed")


# ---- the parts ----


@pytest.mark.parametrize(
    "body",
    [
        b"<opt><service_requests><request><service_request_id> 7 </service_request_id></request></service_requests></opt>",
        b"<requests type='a'><!-- x --><request><lat>1</lat><service_request_id>7</service_request_id></request></requests>",
        b"<requests><service_request><service_request_id>7</service_request_id></service_request></requests>",
        b"<a:requests xmlns:a='x'><a:request><a:service_request_id>7</a:service_request_id></a:request></a:requests>",
    ],
)
def test_wrappers_of_xml(body: bytes) -> None:
    assert parse_document(body, "xml") == ([{"service_request_id": "7"}], "")


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        ([], []),
        ([{"service_request_id": 7, "lat": 1.5, "description": None}], [{"service_request_id": "7"}]),
        ({"requests": {"request": [{"service_request_id": "7"}]}}, [{"service_request_id": "7"}]),
        ({"service_requests": {"request": {"service_request_id": "7"}}}, [{"service_request_id": "7"}]),
        ({"service_requests": None}, []),
        ({"service_requests": [{"service_request_id": "7", "description": ["a"], "title": True}]}, [{"service_request_id": "7"}]),
    ],
)
def test_wrappers_of_json(found: Any, rows: Any) -> None:
    assert parse_document(json.dumps(found).encode(), "json").rows == rows


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"null", "malformed"),
        (b"3", "malformed"),
        (b"{}", "malformed"),
        (b'{"errors": [{"code": 404}]}', "http_error"),
        (b'{"error": {"code": "429"}}', "rate_limited"),
        (b'{"errors": [{"description": "x"}]}', "malformed"),
        (b'[{"code": null}]', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b"", "malformed"),
    ],
)
def test_json_that_is_no_answer(body: bytes, reason: str) -> None:
    with pytest.raises(SourceProblem) as caught:
        parse_document(body, "json")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x01",
        b"<errors><error/></errors>",
        b"<a>" * 5_000,
        BOMB % (ENTITIES, ROW % b"&a11;"),
        BOMB % (b'<!ENTITY b SYSTEM "file:///etc/hostname">', ROW % b"&b;"),
        BOMB % (b'<!ENTITY % c SYSTEM "http://fuera.test/x.dtd"> %c;', ROW % b"x"),
    ],
)
def test_xml_that_is_no_answer(body: bytes) -> None:
    with pytest.raises(SourceProblem) as caught:
        parse_document(body, "xml")
    assert caught.value.reason == "malformed"
    assert "SECRETO" not in caught.value.detail


def test_halves_meet_at_midnight_where_they_can() -> None:
    zone = ZoneInfo("America/Lima")
    days = Slice(datetime(2021, 4, 1, tzinfo=zone), datetime(2021, 4, 4, tzinfo=zone)).halves()
    assert days[0].end == days[1].start == datetime(2021, 4, 2, tzinfo=zone)
    hours = Slice(datetime(2021, 4, 1, tzinfo=zone), datetime(2021, 4, 2, tzinfo=zone)).halves()
    assert hours[0].end == hours[1].start == datetime(2021, 4, 1, 12, tzinfo=zone)


@pytest.mark.parametrize("link", ["http://a.test/", "javascript:{id}", "http://a.test/{id}/{id}"])
def test_permalinks_name_the_id_once(link: str) -> None:
    with pytest.raises(ValidationError):
        Open311Options.model_validate({"permalink": link})


def test_the_endpoint_is_what_is_asked() -> None:
    assert Open311Options.model_validate({"endpoint": "http://a.test/v2/"}).asked == "http://a.test/v2/"
    assert urlsplit(str(Open311Options.model_validate({}).asked)).hostname is None
