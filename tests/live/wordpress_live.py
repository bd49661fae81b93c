"""A real WordPress of Debian's packages, filled by its own functions and collected by `escucha collect`: made against collected.

Run by hand, as root where the packages are missing: `python tests/live/wordpress_live.py`. Everything stands in a temporary
folder and on loopback. The site is read through its REST API, then with the API closed in the two ways that hosts close it:
WordPress answers 401, or the web server answers 403. Only what stands in the window and is a person's published message on a
public article may come, and all of it must.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from wordpress_site import HOST, Site, install_packages  # noqa: E402

from pipelines.warehouse import open_warehouse  # noqa: E402

# What a visitor types, and what a reader of the site sees: WordPress makes marks curly, links clickable, and drops scripts.
TEXTS = [
    ("El camión de la basura no pasa desde el lunes 😡🗑️ y los niños juegan al lado.",) * 2,
    (
        'Dicen "obra terminada" pero falta la mitad: 5 < 10 & nadie responde 👨‍👩‍👧‍👦',
        "Dicen “obra terminada” pero falta la mitad: 5 < 10 & nadie responde 👨‍👩‍👧‍👦",
    ),
    (
        "<strong>Urgente</strong>: la pista de <em>Huaycán</em> sigue rota.\n\nYa van tres años.",
        "Urgente: la pista de Huaycán sigue rota.\nYa van tres años.",
    ),
    ("El año pasado prometieron rampas.\nNi una sola pusieron.\n¡Qué vergüenza!",) * 2,
    (
        '<a href="http://noticias.test/acta" title="acta">Lean</a> y juzguen: <blockquote>No hay caja</blockquote> ¿Y el canon?',
        "Lean y juzguen:\nNo hay caja\n¿Y el canon?",
    ),
    (
        "Ñuñoa, pingüino, cigüeña <script>x</script> suenan a las 5--6 de la tarde",
        "Ñuñoa, pingüino, cigüeña x suenan a las 5–6 de la tarde",
    ),
    ("Señores: <code>plazo = plazo - 1</code> dice la web... :)", "Señores: plazo = plazo - 1 dice la web… 🙂"),
    ("Según la ordenanza [sic] hay que pagar; vean http://municipio.test/tasas/2021",) * 2,
]
NAMES = ["Rosa Quispe", "Vecino de la cuadra ocho", "", "Peña & hijos", "Doña Ñata", "Luis", "Comité <b>Sur</b>", "María José"]
PUBLISHER = "Municipalidad de la Quebrada"
USERS = {"prensa": PUBLISHER, "cronista": "Ana Ccori", "colaborador": "Iván Núñez", "practicante": "Zoe Ñaupari"}
OPTIONS = {
    "permalink_structure": "/%year%/%monthnum%/%postname%/",
    "timezone_string": "America/Lima",
    "posts_per_rss": 10,
    "comments_notify": 0,
    "moderation_notify": 0,
    "comment_moderation": 0,
    "comment_previously_approved": 0,
    "comment_max_links": 0,
    "require_name_email": 0,
    "default_pingback_flag": 0,
    "page_comments": 1,
    "comments_per_page": 20,
    "thread_comments_depth": 5,
}
FIRST_POST, POSTS, COMMENTS = datetime(2021, 2, 1, 14, tzinfo=UTC), 126, 960
LIMA = timedelta(hours=5)
WINDOWS = [("2021-04-01", "2021-04-30"), ("2021-04-12", "2021-04-18"), ("2021-05-09", "2021-05-09"), ("2021-01-01", "2021-07-31")]
EMPTY_WINDOW = ("2020-01-01", "2020-01-31")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def local(moment: datetime) -> str:
    return (moment - LIMA).strftime("%Y-%m-%d %H:%M:%S")


def plan_posts() -> list[dict[str, Any]]:
    """Return articles of four and a half months, with some of every other kind that a site has."""
    logins, rows = list(USERS), []
    for number in range(POSTS):
        kind = "tramite" if number % 21 == 20 else "page" if number % 42 == 10 else "post"
        rows.append(
            {
                "key": f"p{number}",
                "title": f"Noticia «número» {number} & más",
                "content": f"<p>La cuadrilla avanza en el tramo {number}.</p>\n<p>Habrá desvíos.</p>",
                "status": "private" if number % 30 == 7 else "publish",
                "password": "clave" if number % 30 == 17 else "",
                "type": kind,
                "date": local(FIRST_POST + timedelta(hours=25 * number)),
                "user": logins[number % len(logins)],
                "imported": number % 6 == 5,
            }
        )
    rows[3]["date"] = "2020-11-03 09:00:00"  # an old article that people still answer
    return rows


def plan_comments(posts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return comments, a parent always before its answers, threads up to five deep and some articles much busier than others."""
    chance, rows = random.Random(2021), []
    last: dict[str, datetime] = {}
    depth: dict[str, int] = {}
    logins = list(USERS)
    for number in range(COMMENTS):
        post = posts[3 if number % 23 == 0 else min(int(chance.paretovariate(0.35)), 10_000) % POSTS]
        began = datetime.fromisoformat(post["date"]).replace(tzinfo=UTC) + LIMA
        if post is posts[3]:
            began = max(began, datetime(2021, 3, 20, tzinfo=UTC))
        moment = last.get(post["key"], began) + timedelta(seconds=chance.randint(60, 70_000))
        last[post["key"]] = moment
        here = [row for row in rows if row["post"] == post["key"] and depth[row["key"]] < 5]
        parent = chance.choice(here[-6:]) if here and number % 3 else None
        typed, shown = TEXTS[number % len(TEXTS)]
        user = logins[number // 11 % len(logins)] if number % 11 == 4 else None
        row = {
            "key": f"c{number}",
            "post": post["key"],
            "parent": parent["key"] if parent else None,
            "author": USERS[user] if user else NAMES[number % len(NAMES)],
            "user": user,
            "url": "http://vecinos.test/" if number % 40 == 1 else "",
            "typed": f"{typed} (N.º {number})",
            "shown": f"{shown} (N.º {number})",
            "date_gmt": moment.strftime("%Y-%m-%d %H:%M:%S"),
            "type": "comment",
            "edited": None,
            "fate": "approve",
        }
        if number % 37 == 5:
            row |= {
                "edited": f"Corrijo: «falta luz» en la cuadra {number}.",
                "shown": f"Corrijo: «falta luz» en la cuadra {number}.",
            }
        if number % 19 == 6:
            row["fate"] = ("hold", "spam", "trash", "deleted")[number // 19 % 4]
        elif number % 29 == 8:
            row |= {
                "typed": "Totalmente de acuerdo",
                "shown": "Totalmente de acuerdo",
                "author": f"Vecina {number}",
                "user": None,
            }
        elif number % 47 == 9 and parent is None:
            marks = f"[...] lo cuenta el portal en su nota {number} [...]"
            row |= {
                "type": ("pingback", "trackback")[number % 2],
                "author": "Otra bitácora",
                "typed": marks,
                "url": "http://otra.test/",
            }
        depth[row["key"]] = 1 + (depth[parent["key"]] if parent else 0)
        rows.append(row)
    for number, moment in enumerate(("2021-04-01 05:00:00", "2021-05-01 04:59:59", "2021-05-01 05:00:00", "2021-04-01 04:59:59")):
        text = f"Justo en el borde {number}"
        edge = {"key": f"e{number}", "post": "p0", "parent": None, "typed": text, "shown": text, "date_gmt": moment}
        rows.append(
            {**rows[0], **edge, "author": "Rosa Quispe", "user": None, "edited": None, "fate": "approve", "type": "comment"}
        )
    return rows


@dataclass(frozen=True)
class Made:
    """One comment that must come, as its reader sees it."""

    parent: str
    text: str
    at: datetime
    kind: str
    author: str


def expected(plan: dict[str, Any], ids: dict[str, Any]) -> dict[str, Made]:
    """Return native id -> what must be collected of it: published, by a person, on an article that anybody may read."""
    posts = {row["key"]: row for row in plan["posts"]}
    comments = {row["key"]: row for row in plan["comments"]}
    found = {}
    for row in plan["comments"]:
        post = posts[row["post"]]
        if row["fate"] != "approve" or row["type"] != "comment" or post["status"] != "publish" or post["password"]:
            continue
        above = row["parent"]
        while above is not None and comments[above]["fate"] == "deleted":
            above = comments[above]["parent"]  # WordPress gives the answers to whom the deleted one had answered
        parent = f"comment-{ids['comments'][above]}" if above else f"post-{ids['posts'][row['post']]}"
        at = datetime.fromisoformat(row["date_gmt"]).replace(tzinfo=UTC)
        kind = "official" if row["author"] == PUBLISHER else "manifestation"
        author = row["author"].replace("<b>", "").replace("</b>", "")
        found[f"comment-{ids['comments'][row['key']]}"] = Made(parent, row["shown"], at, kind, author)
    return found


def make_project(folder: Path, port: int) -> Path:
    """Make a project folder whose one city listens to the site at a port."""
    cities = folder / "data" / "cities"
    cities.mkdir(parents=True)
    options = {"collections": ["posts", "pages", "tramites"], "article_feeds": 500}
    source = {
        "id": "portal",
        "platform": "wordpress",
        "url": f"http://{HOST}/",
        "terms": f"http://{HOST}/terminos/",
        "legal_basis": "Prueba",
        "approved_by": "Prueba",
        "approved_on": "2021-03-24",
        "retention_days": 90,
        "publisher": {"name": PUBLISHER, "kind": "municipality", "official": False, "authors": [PUBLISHER]},
        "expect": {"min": 0, "max": 5000},
        "budget": {"requests": 2000},
        "options": options,
    }
    city = {
        "id": "vivo", "name": "Vivo", "country": "PE", "official_code": "150103", "timezone": "America/Lima",
        "contact": "buzon@municipio.test", "synthetic": True, "hosts": {"*.test": f"127.0.0.1:{port}"}, "sources": [source],
    }  # fmt: skip
    (cities / "vivo.yml").write_text(json.dumps(city, ensure_ascii=False), encoding="utf-8")
    return folder


def collect(project: Path, first: str, last: str) -> str:
    command = [sys.executable, "-m", "pipelines.cli", "collect", "vivo", "--from", first, "--to", last, "--json"]
    done = subprocess.run([*command, "--project", str(project)], cwd=ROOT, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        raise RuntimeError(done.stderr)
    return done.stdout


LATEST = """
select native_id, parent_id, text, published_at, kind, author_key
from manifestation join manifestation_text using (manifestation_id, version)
where native_id like 'comment-%'
qualify row_number() over (partition by manifestation_id order by version_number desc) = 1
"""
HEALTH = "select status, reason, detail, request_count from source_health order by batch_number desc limit 1"


def compare(project: Path, first: str, last: str, made: dict[str, Made]) -> bool:
    """Collect one window, print made against collected, and return whether they are the same."""
    collect(project, first, last)
    start = datetime.fromisoformat(first).replace(tzinfo=UTC) + LIMA
    end = datetime.fromisoformat(last).replace(tzinfo=UTC) + LIMA + timedelta(days=1)
    with open_warehouse(project / "data" / "warehouse.duckdb") as warehouse:
        rows = {row[0]: row for row in warehouse.query(LATEST)}
        ((status, reason, detail, requests),) = warehouse.query(HEALTH)
    wanted = {key: row for key, row in made.items() if start <= row.at < end}
    come = {key: row for key, row in rows.items() if row[3] is None or start <= row[3] < end}
    both = wanted.keys() & come.keys()
    wrong = {
        "texts": [key for key in both if come[key][2] != wanted[key].text],
        "parents": [key for key in both if come[key][1] != wanted[key].parent],
        "dates": [key for key in both if come[key][3] != wanted[key].at],
        "kinds": [key for key in both if come[key][4] != wanted[key].kind],
        "authors": _authors_apart(both, wanted, come),
    }
    missing, extra = sorted(wanted.keys() - come.keys()), sorted(come.keys() - wanted.keys())
    told = ", ".join(f"{name} {len(both) - len(keys)} of {len(both)}" for name, keys in wrong.items())
    say(f"  {first} to {last}: made {len(wanted)}, collected {len(come)}, missing {len(missing)}, too many {len(extra)}")
    say(f"    equal: {told}")
    say(f"    {status}/{reason}, {requests} requests{': ' + detail[:400] if detail else ''}")
    for name, keys in wrong.items():
        for key in sorted(keys)[:3]:
            say(f"    {name} of {key}: made {wanted[key]}, collected {come[key][1:5]}")
    for name, keys in (("missing", missing), ("too many", extra)):
        if keys:
            say(f"    {name}: {', '.join(keys[:12])}{' ...' if len(keys) > 12 else ''}")
    return not missing and not extra and not any(wrong.values())


def _authors_apart(both: set[str], wanted: dict[str, Made], come: dict[str, tuple[Any, ...]]) -> list[str]:
    """Return the comments whose pseudonym is not the one that their author's name has everywhere else."""
    keys: dict[str, Counter[Any]] = {}
    for key in both:
        keys.setdefault(wanted[key].author, Counter())[come[key][5]] += 1
    usual = {author: found.most_common(1)[0][0] for author, found in keys.items()}
    shared = {key for key, count in Counter(usual.values()).items() if count > 1}
    return [key for key in both if come[key][5] != usual[wanted[key].author] or come[key][5] in shared]


def main() -> int:
    """Return 0 if everything that must come came, and nothing else."""
    for line in install_packages():
        say(line)
    folder = Path(tempfile.mkdtemp(prefix="wordpress-live-"))
    folder.chmod(0o755)
    site = Site(folder)
    try:
        site.start()
        site.fill({"install": "El Portal de la Quebrada", "options": OPTIONS})
        posts = plan_posts()
        plan = {"users": USERS, "posts": posts, "comments": plan_comments(posts)}
        ids = site.fill(plan)
        made = expected(plan, ids)
        fates = Counter(row["fate"] if row["type"] == "comment" else row["type"] for row in plan["comments"])
        say(f"WordPress {ids['version']}: {len(posts)} articles, {len(plan['comments'])} comments ({dict(fates)})")
        say(f"{len(made)} comments must come")
        return 0 if _scenarios(site, folder, plan, ids, made) else 1
    finally:
        site.stop()
        shutil.rmtree(folder)


def _scenarios(site: Site, folder: Path, plan: dict[str, Any], ids: dict[str, Any], made: dict[str, Made]) -> bool:
    same = []
    for door, told in (
        ("open", "REST open"),
        ("unauthorised", "REST answers 401 (rest_authentication_errors)"),
        ("forbidden", "nginx answers 403 at /wp-json"),
    ):
        say(f"{told}: HTTP {site.fetch(door, '/wp-json/wp/v2/comments')[0]}")
        for number, window in enumerate((*WINDOWS, EMPTY_WINDOW)):
            same.append(compare(make_project(folder / f"{door}-{number}", site.ports[door]), *window, made))
    return all(same)


if __name__ == "__main__":
    sys.exit(main())
