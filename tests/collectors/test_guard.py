"""Every way by which a crawl could be led to a server inside: none of them reaches it, and each is told."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collectors.addresses import check_web_address
from collectors.catalog import load_city
from collectors.period import Period
from pipelines.append import append_source
from pipelines.warehouse import open_warehouse

FEED = b"<rss version='2.0'><channel><item><guid>1</guid><description>Falta luz</description></item></channel></rss>"
MESSAGES = {"entries": "manifestation"}
LINKED = {"markup": "selectors", "article_links": "a", "next_page": "a.sigue", "comment": {"item": "p", "text": "b"}}

NAMES = [
    *("127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "0", "0.0.0.0", "127.255.255.254"),
    *("2130706433", "017700000001", "0177.0.0.1", "0x7f000001", "0x7f.0.0.1", "0x7f.1"),
    *("[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::80ff:fffe]", "[fe80::1]", "[fc00::1]"),
    *("localhost", "LOCALHOST", "localhost.", "canario.localhost", "canario.localhost."),
    *("127。0。0。1", "127．0．0．1", "１２７.0.0.1", "①②⑦.0.0.1"),
    *("bueno.test@127.0.0.1", "bueno.test:80@127.0.0.1", "bueno.test%2f@127.0.0.1"),
    *("169.254.169.254", "100.64.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "224.0.0.1", "255.255.255.255"),
]
"""Hosts of an address, each of which means this machine or another that is not of the internet."""

ANSWERS = {
    "privado.example": ["10.0.0.1"],
    "propio.example": ["127.0.0.1"],
    "mapeado.example": ["::ffff:127.0.0.1"],
    "seis.example": ["::1"],
    "mixto.example": ["192.0.0.9", "127.0.0.1"],
    "mixto-al-reves.example": ["127.0.0.1", "192.0.0.9"],
}
"""Answers of a hostile DNS; 192.0.0.9 counts as public (RFC 7723) and is nobody's."""

DRIVER = f"""
import socket, sys
from pathlib import Path
real, answers, asked = socket.getaddrinfo, {ANSWERS!r}, []
def lying(host, port, *rest, **named):
    name = str(host)
    asked.append(name)
    if name == "cambia.example":  # another answer each time: the first is public
        addresses = ["192.0.0.9" if asked.count(name) == 1 else "127.0.0.1"]
    else:
        addresses = answers.get(name)
    if addresses is None:
        return real(host, port, *rest, **named)
    return [found for address in addresses for found in real(address, port, 0, socket.SOCK_STREAM)]
socket.getaddrinfo = lying
import collectors.crawl as crawl
settings = crawl.crawl_settings
crawl.crawl_settings = lambda *given, **named: {{**settings(*given, **named), "DOWNLOAD_TIMEOUT": 2}}
crawl.main(Path(sys.argv[1]))
"""


class Canary:
    """A server of this machine, by both families, that nobody may connect to; it counts who does."""

    def __init__(self) -> None:
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port: int = self.sockets[0].getsockname()[1]
        if socket.has_dualstack_ipv6():
            self.sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        self.hits = 0
        for listener in self.sockets:
            threading.Thread(target=self._count, args=(listener,), daemon=True).start()

    def _count(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.hits += 1
            connection.close()

    def close(self) -> None:
        for listener in self.sockets:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    listener = Canary()
    yield listener
    listener.close()


def test_the_canary_would_tell(canary: Canary) -> None:
    before = canary.hits
    for listener in canary.sockets:
        socket.create_connection(listener.getsockname()[:2], timeout=5).close()
    for _ in range(100):
        if canary.hits == before + len(canary.sockets):
            break
        threading.Event().wait(0.05)
    assert canary.hits == before + len(canary.sockets)
    canary.hits = before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_city_can_name_it(name: str, scheme: str) -> None:
    with pytest.raises(ValueError, match=r"must be|must not|port"):
        check_web_address(f"{scheme}://{name}/feed.xml")


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "data:text/xml,x", "ftp://a.pe/x", "s3://a/b", "gopher://a.pe/", "//a.pe/"]
)
def test_no_city_can_name_another_scheme(url: str) -> None:
    with pytest.raises(ValueError, match="must be an http or https address"):
        check_web_address(url)


def host_of(kind: str, number: int) -> str:
    return f"{kind}-{number}"


@pytest.fixture(scope="module")
def redirected(lab: Any, canary: Canary) -> Any:
    """Robots.txt and feeds that redirect to each of the names: the first may lead to other hosts, the second may not."""
    reply = lab.Reply

    def to(location: str, first: str) -> Any:
        def site(path: str, query: Any) -> Any:
            if path == first:
                return reply(b"", status=302, headers=(("Location", location),))
            return reply(FEED, "application/rss+xml") if path == "/feed.xml" else None

        return site

    sources = []
    for number, name in enumerate(NAMES):
        where = f"http://{name}:{canary.port}/{number}".encode().decode("latin-1")
        for kind, first in (("robots", "/robots.txt"), ("feed", "/feed.xml")):
            host = f"{host_of(kind, number)}.test"
            lab.web.sites[host] = to(where, first)
            sources.append(lab.source(host_of(kind, number), "feed", f"http://{host}/feed.xml", options=MESSAGES))
    return lab.crawl(sources)


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_no_robots_txt_leads_to_it(lab: Any, redirected: Any, canary: Canary, number: int) -> None:
    host = host_of("robots", number)
    assert [seen.path for seen in lab.web.seen if seen.host == f"{host}.test"] == ["/robots.txt"]
    assert redirected.outcome(host) == ("failed", "robots_unreachable")
    assert redirected.health(host).request_count >= 2  # where it leads was asked for, and got nowhere
    assert canary.hits == 0


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_no_page_leads_to_it(lab: Any, redirected: Any, canary: Canary, number: int) -> None:
    host = host_of("feed", number)
    assert [seen.path for seen in lab.web.pages(f"{host}.test")] == ["/feed.xml"]
    assert redirected.outcome(host) == ("failed", "unreachable")
    assert "leads to" in redirected.health(host).detail
    assert canary.hits == 0


@pytest.mark.parametrize("name", ["127.0.0.1", "2130706433", "0x7f.1", "::1", "::ffff:7f00:1", "2002:7f00:1::", "localhost"])
def test_the_resolver_says_what_it_refused(redirected: Any, name: str) -> None:
    assert f"refused to connect to {name}: it resolves to an address that is not public" in redirected.log


@pytest.fixture(scope="module")
def lied_to(lab: Any, canary: Canary) -> Any:
    names = [*ANSWERS, "cambia.example"]
    sources = [
        lab.source(name.partition(".")[0], "feed", f"http://{name}:{canary.port}/feed.xml", options=MESSAGES, delay_seconds=1)
        for name in names
    ]
    return lab.crawl(sources, city={"synthetic": False, "hosts": {}}, driver=DRIVER)


@pytest.mark.parametrize("name", [*ANSWERS, "cambia.example"])
def test_no_answer_of_a_name_server_leads_to_it(lied_to: Any, canary: Canary, name: str) -> None:
    source_id = name.partition(".")[0]
    assert lied_to.outcome(source_id) == ("failed", "robots_unreachable")
    assert lied_to.health(source_id).request_count >= 1
    assert f"refused to connect to {name}" in lied_to.log
    assert canary.hits == 0


def rss(inner: str) -> bytes:
    return f"<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel>{inner}</channel></rss>".encode()


ENTRY = "<item><guid>1</guid><link>http://HOST/1</link><description>Falta luz</description></item>"
OTHER_WAYS: dict[str, tuple[str, dict[str, Any], str]] = {
    # way: platform, options (CANARY is where it leads), the path whose answer leads there
    **{f"estado-{status}": ("feed", MESSAGES, "/") for status in (301, 302, 303, 307, 308)},
    **{f"esquema-{scheme}": ("feed", MESSAGES, "/") for scheme in ("file", "data", "ftp", "s3", "gopher", "javascript")},
    "puerto-cero": ("feed", MESSAGES, "/"),
    "otro-puerto": ("feed", MESSAGES, "/"),
    "meta": ("feed", MESSAGES, "/"),
    "cabecera-refresh": ("feed", MESSAGES, "/"),
    "siguiente-de-canal": ("feed", MESSAGES, "/"),
    "comentarios-de-canal": ("feed", {"entries": "article", "comments": True}, "/"),
    "siguiente-de-json": ("feed", MESSAGES, "/"),
    "siguiente-de-indice": ("page", LINKED, "/"),
    "articulo-de-indice": ("page", LINKED, "/"),
    "mapa": ("structured", {"articles": {"sitemap": "http://mapa.test/m.xml"}}, "/m.xml"),
    "mapa-de-mapas": ("structured", {"articles": {"sitemap": "http://mapa-de-mapas.test/m.xml"}}, "/m.xml"),
    "articulo-de-canal": ("structured", {"articles": {"feed": "http://articulo-de-canal.test/f.xml"}}, "/f.xml"),
    "raiz-de-wordpress": ("wordpress", {}, "/wp-json/wp/v2/posts"),
}


def leading(way: str, target: str, reply: Any) -> Any:
    """Return the answer that leads to a target by one of the other ways."""
    kind, _, what = way.partition("-")
    schemes = {"data": "data:text/xml,<rss/>", "javascript": "javascript:alert(1)", "file": "file:///etc/hostname"}
    if kind == "estado":
        return reply(b"", status=int(what), headers=(("Location", target),))
    if kind == "esquema":
        return reply(b"", status=302, headers=(("Location", schemes.get(what, target.replace("http:", f"{what}:"))),))
    if way == "puerto-cero":
        return reply(b"", status=302, headers=(("Location", "http://puerto-cero.test:0/nuevo"),))
    if way == "otro-puerto":  # of a mapped host: it leads to the port that the map names, whatever the address says
        port = target.rsplit(":", 1)[1].strip("/")
        return reply(b"", status=302, headers=(("Location", f"http://otro-puerto.test:{port}/nuevo"),))
    bodies = {
        "meta": f"<html><meta http-equiv='refresh' content='0; url={target}'></html>".encode(),
        "siguiente-de-canal": rss(f"<atom:link rel='next' href='{target}'/>{ENTRY}"),
        "comentarios-de-canal": rss(
            f"<item><guid>1</guid><description>x</description><w:commentRss xmlns:w='http://wellformedweb.org/CommentAPI/'>{target}"
            "</w:commentRss></item>"
        ),
        "siguiente-de-json": f'{{"version": "https://jsonfeed.org/version/1.1", "next_url": "{target}", "items": [{{"id": "1", '
        '"content_text": "Falta luz"}]}'.encode(),
        "siguiente-de-indice": f"<a href='/1'>1</a><a class='sigue' href='{target}'>sigue</a>".encode(),
        "articulo-de-indice": f"<a href='{target}'>1</a>".encode(),
        "mapa": f"<urlset><url><loc>{target}</loc></url></urlset>".encode(),
        "mapa-de-mapas": f"<sitemapindex><sitemap><loc>{target}</loc></sitemap></sitemapindex>".encode(),
        "articulo-de-canal": rss(ENTRY.replace("http://HOST/1", target)),
    }
    if way == "cabecera-refresh":
        return reply(FEED.replace(b"rss", b"html"), headers=(("Refresh", f"0; url={target}"),))
    if way == "raiz-de-wordpress":
        return reply(b"{}", status=404, headers=(("Link", f'<{target}wp-json/>; rel="https://api.w.org/"'),))
    return reply(bodies[way])


@pytest.fixture(scope="module")
def led(lab: Any, canary: Canary) -> Any:
    target = f"http://127.0.0.1:{canary.port}/"
    sources = []
    for way, (platform, options, leads) in OTHER_WAYS.items():
        answer = leading(way, target, lab.Reply)
        lab.web.sites[f"{way}.test"] = lambda path, query, leads=leads, answer=answer: answer if path == leads else None
        sources.append(lab.source(way, platform, f"http://{way}.test/", options=options))
    return lab.crawl(sources)


TOLD = {
    **dict.fromkeys((way for way in OTHER_WAYS if way.startswith("estado")), ("unreachable", "leads to 127.0.0.1")),
    **dict.fromkeys((way for way in OTHER_WAYS if way.startswith("esquema")), ("malformed", "not a readable feed")),
    "esquema-javascript": ("unreachable", "ValueError"),  # no address at all, to Scrapy
    "puerto-cero": ("http_error", "HTTP 404"),
    "otro-puerto": ("http_error", "HTTP 404"),
    "meta": ("malformed", "not a readable feed"),
    "cabecera-refresh": ("malformed", "not a readable feed"),
    "siguiente-de-canal": ("unreachable", "leads to 127.0.0.1"),
    "comentarios-de-canal": ("none", "1 feeds of comments on another host, not read"),
    "siguiente-de-json": ("unreachable", "leads to 127.0.0.1"),
    "siguiente-de-indice": ("http_error", "leads to 127.0.0.1"),
    "articulo-de-indice": ("malformed", "every link to an article leads to another host: 127.0.0.1"),
    "mapa": ("malformed", "every address leads to another host than the source's: 127.0.0.1"),
    "mapa-de-mapas": ("malformed", "every address leads to another host than the source's: 127.0.0.1"),
    "articulo-de-canal": ("malformed", "every address leads to another host than the source's: 127.0.0.1"),
    "raiz-de-wordpress": ("unreachable", "leads to 127.0.0.1"),
}


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_no_other_way_leads_to_it(lab: Any, led: Any, canary: Canary, way: str) -> None:
    assert lab.web.pages(f"{way}.test"), "its answer was never asked for"
    reason, told = TOLD[way]
    assert (led.health(way).reason, told in led.health(way).detail) == (reason, True), led.health(way)
    assert canary.hits == 0


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that this machine gave itself, and its key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cifrado.test")])
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC).replace(tzinfo=None)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1))
    alternative = x509.SubjectAlternativeName([x509.DNSName("cifrado.test")])
    signed = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    folder = tmp_path_factory.mktemp("tls")
    certificate, secret = folder / "c.pem", folder / "k.pem"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(*private))
    return certificate, secret


class _Encrypted(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(FEED)))
        self.end_headers()
        self.wfile.write(FEED)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def test_a_certificate_that_nobody_vouches_for_is_refused(lab: Any, self_signed: tuple[Path, Path]) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Encrypted)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that breaks off is what is wanted
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    port = server.server_address[1]
    try:
        trusting = ssl.create_default_context(cafile=str(self_signed[0]))
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=10)
        trusting.check_hostname = False
        connection.request("GET", "/de-confianza")
        assert connection.getresponse().read() == FEED  # the server is fine for those who trust its certificate
        connection.close()
        source = lab.source("cifrado", "feed", "https://cifrado.test/feed.xml", options=MESSAGES)
        crawled = lab.crawl([source], hosts={"cifrado.test": f"127.0.0.1:{port}"})
    finally:
        server.shutdown()
        server.server_close()
    assert crawled.outcome("cifrado") == ("failed", "robots_unreachable")
    assert crawled.health("cifrado").request_count == 3  # three attempts for robots.txt, none for anything else
    assert _Encrypted.asked == ["/de-confianza"]


TOKEN = "ficha-canario-7f3a9c51"


@pytest.fixture(scope="module")
def keyed(lab: Any) -> Any:
    """An API that wants a key, sends whoever asks to other hosts, and shows the key in its answer."""
    reply = lab.Reply
    row = b'[{"service_request_id": "7", "requested_datetime": "2021-04-05T10:00:00-05:00", "description": "Falta luz"}]'

    def api(path: str, query: Any, seen: Any) -> Any:
        told = seen.headers.get("authorization", "")
        if path == "/robots.txt":
            return None
        if "-fuera" in seen.host:
            return reply(b"", status=302, headers=(("Location", "http://ladron.test/requests.json"),))
        if seen.host == "llave-www.test":
            return reply(b"", status=302, headers=(("Location", f"http://www.llave-www.test{path}"),))
        if "-eco" in seen.host:
            return reply(f"error: {told}".encode(), "application/json", status=500)
        return reply(row, "application/json")

    names = ("llave-bien", "llave-fuera", "llave-www", "llave-eco")
    lab.web.sites |= dict.fromkeys([*(f"{name}.test" for name in names), "www.llave-www.test", "ladron.test"], api)
    options = {"format": "json", "api_key": "env:LLAVE_CANARIO"}
    sources = [lab.source(name, "open311", f"http://{name}.test/", options=options) for name in names]
    return lab.crawl(sources, environ={"LLAVE_CANARIO": TOKEN})


def test_a_key_reaches_the_host_that_it_is_for(lab: Any, keyed: Any) -> None:
    assert keyed.outcome("llave-bien") == ("ok", "none")
    assert {seen.headers.get("authorization") for seen in lab.web.pages("llave-bien.test")} == {f"Bearer {TOKEN}"}


def test_a_key_reaches_no_second_host(lab: Any, keyed: Any) -> None:
    assert lab.web.pages("llave-fuera.test")
    assert lab.web.pages("ladron.test") == []
    assert lab.web.pages("www.llave-www.test")
    carriers = {seen.host for seen in lab.web.seen if TOKEN in f"{seen.headers}{seen.path}{seen.query}{seen.body!r}"}
    assert carriers == {"llave-bien.test", "llave-fuera.test", "llave-www.test", "llave-eco.test"}


def test_no_referer_tells_where_a_crawl_comes_from(lab: Any, keyed: Any, led: Any) -> None:
    assert len(lab.web.seen) > 50
    assert [seen.headers["referer"] for seen in lab.web.seen if "referer" in seen.headers] == []


def test_a_key_is_written_nowhere(lab: Any, keyed: Any, tmp_path: Path) -> None:
    city = load_city(keyed.spool.parent / "prueba.yml")
    period = Period(
        datetime.fromisoformat("2021-04-01T00:00:00-05:00"), datetime.fromisoformat("2021-05-01T00:00:00-05:00"), city.zone
    )
    with open_warehouse(tmp_path / "warehouse.duckdb") as warehouse:
        outcomes = [append_source(warehouse, city, keyed.spool, source.id, period) for source in city.sources]
    assert sum(outcome.added_count for outcome in outcomes) >= 1
    files = [path for folder in (keyed.spool.parent, tmp_path) for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"crawl.log", "request.json", "warehouse.duckdb", "llave-eco.health.json"}
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
