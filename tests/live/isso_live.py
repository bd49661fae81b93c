"""A real Isso server, filled through its own API and collected by the product: is what was made what was collected?

Run by hand: `python tests/live/isso_live.py`. It installs Isso from PyPI into a fresh environment in a temporary folder.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import venv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

PAGES = ["/2026/pistas-huayc%C3%A1n/", "/2026/parque/", "/2026/mercado.html", "/2026/agua/"]
TEXTS = [
    "El camión de la basura no pasa desde el lunes 😡🗑️ y los niños juegan al lado.",
    "Señores de la municipalidad: ¿cuándo arreglan la pista? Ya van tres años…",
    "Gracias por el parque nuevo 🌳👏🏽 quedó muy bonito, mañana llevo a mi mamá.",
    "El año pasado prometieron rampas.\nNi una sola pusieron.\n¡Qué vergüenza!",
    'Dicen "obra terminada" pero falta la mitad: 5 < 10 & nadie responde 👨‍👩‍👧‍👦',
    "Ñuñoa, pingüino, cigüeña; así suena el altavoz del mercado a las cinco de la mañana 📢",
]
AUTHORS = ["Rosa", "Vecino de la cuadra ocho", None, "Peña & hijos", "Doña Ñata"]
CONFIG = """[general]
dbpath = {folder}/comments.db
host = http://127.0.0.1:{port}/
latest-enabled = {latest}
[server]
listen = http://127.0.0.1:{port}/
[guard]
enabled = false
"""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def load_lab() -> Any:
    """Return the module that runs crawls for the tests: synthetic cities in the real crawl process."""
    spec = importlib.util.spec_from_file_location("lab", ROOT / "tests" / "collectors" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    lab = importlib.util.module_from_spec(spec)
    sys.modules["lab"] = lab
    spec.loader.exec_module(lab)
    return lab


def install(folder: Path) -> Path:
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "isso"], check=True)
    shown = subprocess.run([python, "-m", "pip", "show", "isso"], check=True, capture_output=True, text=True).stdout
    say(" ".join(shown.splitlines()[:2]))
    return folder / "env" / "bin" / "isso"


class Server:
    """One Isso server on loopback."""

    def __init__(self, isso: Path, folder: Path, *, latest: bool) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = folder / "isso.cfg"
        config.write_text(CONFIG.format(folder=folder, port=self.port, latest=str(latest).lower()), encoding="utf-8")
        self.log = (folder / f"isso-{self.port}.log").open("wb")
        self.process = subprocess.Popen([isso, "-c", config, "run"], stdout=self.log, stderr=self.log)
        for _ in range(100):
            try:
                self.ask("GET", "/?uri=/")
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("Isso did not start")

    def ask(self, method: str, path: str, body: object = None, cookie: str = "") -> tuple[Any, str]:
        """Return the JSON (or text) of an answer and the cookie that came with it."""
        quoted = urllib.parse.quote(path, safe="/?=&%")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{quoted}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if cookie:
            request.add_header("Cookie", cookie)
        with urllib.request.urlopen(request, timeout=20) as reply:
            raw, given = reply.read().decode(), (reply.headers.get("Set-Cookie") or "").partition(";")[0]
        try:
            return json.loads(raw), given
        except ValueError:
            return raw, given

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def make_comments(server: Server, count: int) -> dict[str, dict[str, Any]]:
    """Post comments and answers, delete one that was answered; return id -> what the server answered, with the text as typed."""
    made: dict[str, dict[str, Any]] = {}
    for number in range(count):
        page = PAGES[number % len(PAGES)]
        here = [int(known) for known, row in made.items() if row["page"] == page]
        # Two of three answer somebody, the last answers of all; the very last comment is of the first level again.
        parent = here[number % len(here)] if here and number % 3 and number != count - 1 else None
        text = f"{TEXTS[number % len(TEXTS)]} N.º {number}"
        body = {"author": AUTHORS[number % len(AUTHORS)], "text": text, "parent": parent, "title": "Noticia"}
        row, _ = server.ask("POST", f"/new?uri={urllib.parse.quote(page)}", body)
        made[str(row["id"])] = {**row, "page": page, "typed": text}
    wrong, cookie = server.ask("POST", f"/new?uri={PAGES[1]}", {"text": "Me equivoqué de página", "title": "Noticia"})
    answer, _ = server.ask("POST", f"/new?uri={PAGES[1]}", {"text": "No importa, vecino 🙂", "parent": wrong["id"]})
    made[str(answer["id"])] = {**answer, "page": PAGES[1], "typed": "No importa, vecino 🙂"}
    server.ask("DELETE", f"/id/{wrong['id']}", cookie=cookie)
    return made


def compare(lab: Any, server: Server, folder: Path, made: dict[str, dict[str, Any]], options: dict[str, Any]) -> bool:
    now = datetime.now(UTC)
    window = ((now - timedelta(days=1)).isoformat(), (now + timedelta(days=1)).isoformat())
    options = {"api": "http://comentarios.test/", **options}
    source = lab.make_source("isso", "isso", "http://vecinos.test/", options=options)
    crawled = lab.begin_crawl(folder, SimpleNamespace(port=server.port), [source], window=window).wait(600)
    if crawled.returncode or not (crawled.spool / "isso.health.json").is_file():
        raise RuntimeError(crawled.log)
    people = crawled.people("isso")
    both = [(row, people[number]) for number, row in made.items() if number in people]
    texts = all(item.text == row["typed"] for row, item in both)
    parents = all(item.parent_id == (str(row["parent"]) if row["parent"] else f"page:{row['page']}") for row, item in both)
    dates = all(
        item.published_at is not None and abs(item.published_at.timestamp() - row["created"]) < 1e-5 for row, item in both
    )
    told = "/".join("yes" if same else "no" for same in (texts, parents, dates))
    say(f"made {len(made)}, collected {len(people)}, equal texts/parents/dates: {told}")
    say(f"  {crawled.outcome('isso')}, {crawled.health('isso').request_count} requests")
    for row, item in both:
        if item.text != row["typed"]:
            say(f"  {row['id']}: {row['typed']!r} became {item.text!r}")
    return texts and parents and dates and set(people) == set(made) and crawled.outcome("isso") == ("ok", "none")


def main() -> int:
    folder, lab = Path(tempfile.mkdtemp(prefix="isso-live-")), load_lab()
    try:
        isso = install(folder)
        server = Server(isso, folder, latest=True)
        try:
            made = make_comments(server, 120)
            newest, _ = server.ask("GET", "/latest?limit=1")
            say(f"the one latest comment is an answer: {'yes' if newest[0]['parent'] else 'no'}")
            say("/latest, all threads at once:")
            whole = compare(lab, server, folder / "latest", made, {})
        finally:
            server.stop()
        server = Server(isso, folder, latest=False)
        try:
            say("/latest closed, thread by thread:")
            return (
                0 if compare(lab, server, folder / "pages", made, {"pages": [*PAGES, "/2026/sin-comentarios/"]}) and whole else 1
            )
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
