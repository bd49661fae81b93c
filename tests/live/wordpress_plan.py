"""What the live WordPress is filled with, and what of it must be collected."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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
        if number % 19 == 6:
            row["fate"] = ("hold", "spam", "trash", "deleted")[number // 19 % 4]
        if number % 37 == 5:
            row |= {
                "edited": f"Corrijo: «falta luz» en la cuadra {number}.",
                "shown": f"Corrijo: «falta luz» en la cuadra {number}.",
            }
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
    below_hidden: bool
    """Whether a comment that it answers, at whatever depth, was taken down: no page of the site shows it then."""


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
        hidden, around = False, above
        while around is not None:
            hidden |= comments[around]["fate"] in ("hold", "spam", "trash")
            around = comments[around]["parent"]
        found[f"comment-{ids['comments'][row['key']]}"] = Made(parent, row["shown"], at, kind, author, hidden)
    return found
