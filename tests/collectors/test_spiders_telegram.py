"""Previews of public Telegram channels, from a server that prints pages as t.me does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.catalog import load_city
from collectors.yaml_errors import ConfigurationError

Query = dict[str, list[str]]
FIRST = datetime(2021, 3, 1, 12, tzinfo=UTC)
PAGE = 20


def message(channel: str, number: int, text: str = "", *, at: datetime | None = None, **parts: str) -> str:
    """Return the markup of one message; a message a day unless `at` says otherwise."""
    written = (at or FIRST + timedelta(days=number)).isoformat()
    parts = {"before": "", "after": "", "meta": "", "kind": "", "views": "1.2K", **parts}
    return f"""
<div class="tgme_widget_message_wrap js-widget_message_wrap">
 <div class="tgme_widget_message text_not_supported_wrap {parts["kind"]} js-widget_message" data-post="{channel}/{number}"
  data-view="eyJjIjotMX0" data-peer="c1_-2">
  <div class="tgme_widget_message_user"><a href="https://t.me/{channel}"><i class="tgme_widget_message_user_photo"></i></a></div>
  <div class="tgme_widget_message_bubble">
   <div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name" href="https://t.me/{channel}"><span
    dir="auto">Canal Vecinal</span></a></div>
   {parts["before"]}
   <div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>
   {parts["after"]}
   <div class="tgme_widget_message_footer compact js-message_footer"><div class="tgme_widget_message_info short js-message_info">
    <span class="tgme_widget_message_views">{parts["views"]}</span><span class="copyonly"> views</span><span
    class="tgme_widget_message_meta">{parts["meta"]}<a class="tgme_widget_message_date"
    href="https://t.me/{channel}/{number}"><time datetime="{written}" class="time">12:00</time></a></span></div></div>
  </div>
 </div>
</div>"""


def reaction(emoji: str, count: str, kind: str = "") -> str:
    return f'<span class="tgme_reaction {kind}"><i class="emoji" style="background:url(x)"><b>{emoji}</b></i>{count}</span>'


EMOJI = '<tg-emoji emoji-id="53"><i class="emoji" style="background-image:url(\'//t.test/e.png\')"><b>😡</b></i></tg-emoji>'
NOTHING = '<div class="tgme_widget_message_wrap"><div class="tgme_widget_message_centered"><div class="tme_no_messages_found">'
LANDING = '<div class="tgme_page"><div class="tgme_page_title"><span>Grupo</span></div></div>'


class Channel:
    """A channel with its pages, the oldest message of a page first."""

    def __init__(self, reply: Any, messages: dict[int, str], *, more: bool = True) -> None:
        self.reply, self.messages, self.more = reply, messages, more

    def page(self, parts: list[str], before: int | None) -> Any:
        link = (
            f'<a href="/s/x?before={before}" class="tme_messages_more js-messages_more" data-before="{before}"></a>'
            if before
            else ""
        )
        body = f'<section class="tgme_channel_history js-message_history">{link}{"".join(parts)}</section>'
        head = f'<head><link rel="prev" href="/s/x?before={before}"></head>' if before else "<head></head>"
        return self.reply(f"<html>{head}<body>{body}</body></html>".encode())

    def __call__(self, path: str, query: Query) -> Any:
        if not path.startswith("/s/"):
            return None
        before = int(query["before"][0]) if "before" in query else 10**9
        shown = sorted(number for number in self.messages if number < before)[-PAGE:]
        if not shown:
            return self.page([NOTHING + "No posts found</div></div></div>"], None)
        older = self.more and any(number < shown[0] for number in self.messages)
        return self.page([self.messages[number] for number in shown], shown[0] if older else None)


def suggestions() -> dict[int, str]:
    """Return a channel of suggestions, with every form that a message may have."""
    name = "sugerencias_ate"
    signed = '<span class="tgme_widget_message_from_author" dir="auto">Señora Ñahui</span>&nbsp;'
    forwarded = '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;<span '
    forwarded += 'class="tgme_widget_message_forwarded_from_name" dir="auto">Vecino Quispe</span></div>'
    answer = f'<a class="tgme_widget_message_reply" href="https://t.me/{name}/33?single"><div class="tgme_widget_message_text '
    answer += 'js-message_reply_text" dir="auto">El texto citado</div></a>'
    other = answer.replace(f"{name}/33?single", "otro_canal/33")
    broken = '<a class="tgme_widget_message_reply" href="http://[">cita</a>'
    liked = f'<div class="tgme_widget_message_reactions js-message_reactions">{reaction("👍", "1.2K")}{reaction("💯", "34")}'
    liked += f"{reaction('⭐', '500', 'tgme_reaction_paid')}</div>"
    edited = '<span class="tgme_widget_message_edited">edited</span>&nbsp;'
    return {
        1: message(name, 1, "Channel created", kind="service_message", at=FIRST),
        32: message(
            name, 32, f"¡Basura en la avenida Los Ángeles!<br/>Tres días {EMOJI}&amp; nadie viene", after=liked, meta=signed
        ),
        33: message(name, 33, "Falta luz en el parque", meta=edited),
        34: message(name, 34, "Aquí también", before=answer),
        35: message(name, 35, "Lo mismo en mi cuadra", before=other),
        36: message(name, 36, "Me reenviaron esto: pistas rotas", before=forwarded),
        37: message(name, 37, "", views="3M"),
        38: message(name, 38, "Sin fecha").replace('datetime="', 'data-otro="'),
        39: message(name, 39, "Enlace raro", before=broken),
        40: message(name, 40, "Número raro").replace(f'data-post="{name}/40"', f'data-post="{name}/cuarenta"'),
        41: message(name, 41, "Channel photo updated", kind="service_message"),
    }


def daily(reply: Any, count: int = 75, **fields: Any) -> Channel:
    numbers = [number for number in range(3, count + 1) if number != 50]
    return Channel(reply, {number: message("muni_ate", number, f"Comunicado {number}") for number in numbers}, **fields)


def stubborn(reply: Any) -> Any:
    """Return a channel that answers every question with its newest page."""
    channel = daily(reply)
    return lambda path, query: channel(path, {})


def falling_silent(reply: Any, answer: str) -> Any:
    channel = daily(reply)
    return lambda path, query: reply(answer.encode()) if "before" in query else channel(path, query)


@pytest.fixture(scope="module")
def crawled(lab: Any) -> Any:
    reply = lab.Reply

    def landing(path: str, query: Query) -> Any:
        if path.startswith("/s/"):
            return reply(b"", status=302, headers=(("Location", path.removeprefix("/s")),))
        return reply(LANDING.encode())

    lab.web.sites |= {
        "sugerencias.test": Channel(reply, suggestions()),
        "muni.test": daily(reply),
        "barrio.test": daily(reply),
        "entero.test": daily(reply, 40),
        "sinmas.test": daily(reply, 40, more=False),
        "grupo.test": landing,
        "nadie.test": lambda path, query: None,
        "tosco.test": stubborn(reply),
        "espera.test": falling_silent(reply, f"<section class='tgme_channel_history'>{NOTHING}</div></div></div></section>"),
        "rediseno.test": lambda path, query: reply(b"<html><body><main>Canal</main></body></html>"),
        "muda.test": falling_silent(reply, "<html><body><main>Canal</main></body></html>"),
        "vacio.test": lambda path, query: reply(b""),
        "lento.test": lambda path, query: reply(b"", status=429) if path.startswith("/s/") else None,
    }
    source = lab.source
    sources = [
        source("sugerencias", "telegram", "http://sugerencias.test/sugerencias_ate", options={"entries": "manifestation"}),
        source("muni", "telegram", "http://muni.test/s/muni_ate", publisher={"official": True}),
        source("barrio", "telegram", "http://barrio.test/muni_ate/"),
        *(
            source(name, "telegram", f"http://{name}.test/muni_ate")
            for name in ("entero", "sinmas", "grupo", "nadie", "tosco", "espera", "muda", "vacio", "lento", "rediseno")
        ),
    ]
    return lab.crawl(sources)


def test_suggestions_are_people_s_messages(crawled: Any) -> None:
    items = crawled.people("sugerencias")
    assert set(items) == {f"sugerencias_ate/{number}" for number in (32, 33, 34, 35, 36, 38, 39)}
    first = items["sugerencias_ate/32"]
    assert first.text == "¡Basura en la avenida Los Ángeles!\nTres días 😡& nadie viene"
    assert first.published_at == FIRST + timedelta(days=32)
    assert first.published_raw == (FIRST + timedelta(days=32)).isoformat()
    assert first.reactions == 1234
    assert first.modified_at is None
    assert items["sugerencias_ate/33"].reactions is None


def test_answers_within_the_channel_have_a_parent(crawled: Any) -> None:
    items = crawled.people("sugerencias")
    assert items["sugerencias_ate/34"].text == "Aquí también"
    parents = {number: items[f"sugerencias_ate/{number}"].parent_id for number in (32, 34, 35, 39)}
    assert parents == {32: None, 34: "sugerencias_ate/33", 35: None, 39: None}


def test_authors_are_whoever_signed_or_was_forwarded(crawled: Any) -> None:
    keys = {item.native_id: item.author_key for item in crawled.items("sugerencias")}
    signed, forwarded = keys.pop("sugerencias_ate/32"), keys.pop("sugerencias_ate/36")
    assert signed is not None
    assert forwarded is not None
    assert signed != forwarded
    assert set(keys.values()) == {None}
    assert "Ñahui" not in crawled.written()


def test_message_without_a_date_is_kept(crawled: Any) -> None:
    assert crawled.people("sugerencias")["sugerencias_ate/38"].published_at is None
    assert crawled.health("sugerencias").undated_count == 1


def test_message_without_a_number_is_told(crawled: Any) -> None:
    assert crawled.outcome("sugerencias") == ("partial", "malformed")
    assert "1 messages without a readable number" in crawled.health("sugerencias").detail
    assert crawled.health("sugerencias").skipped_count == 1  # the photo without words; service messages are none


@pytest.mark.parametrize(("name", "kind"), [("muni", "official"), ("barrio", "article")])
def test_posts_are_the_voice_of_the_channel(crawled: Any, name: str, kind: str) -> None:
    assert {item.kind for item in crawled.items(name)} == {kind}
    assert crawled.outcome(name) == ("ok", "none")


def test_walk_ends_with_the_first_page_before_the_window(lab: Any, crawled: Any) -> None:
    # 75 is the 15th of May; the third page ends with the 4th of April, the fourth with the 15th of March.
    asked = [seen.query.get("before", [""])[0] for seen in lab.web.pages("muni.test")]
    assert asked == ["", "56", "35", "15"]
    assert {seen.path for seen in lab.web.pages("muni.test")} == {"/s/muni_ate"}
    assert min(int(item.native_id.split("/")[1]) for item in crawled.items("muni")) == 3
    assert len(crawled.items("muni")) == 72


@pytest.mark.parametrize("name", ["entero", "sinmas"])
def test_beginning_of_a_channel_is_no_fault(lab: Any, crawled: Any, name: str) -> None:
    assert crawled.outcome(name) == ("ok", "none")
    assert len(crawled.items(name)) == 38


@pytest.mark.parametrize(
    ("name", "outcome", "detail"),
    [
        ("grupo", ("failed", "unreachable"), "has no public preview"),
        ("nadie", ("failed", "http_error"), "HTTP 404"),
        ("rediseno", ("failed", "malformed"), "layout may have changed"),
        ("vacio", ("failed", "malformed"), "layout may have changed"),
        ("muda", ("partial", "malformed"), "layout may have changed"),
        ("espera", ("partial", "rate_limited"), "offered earlier messages"),
        ("tosco", ("partial", "malformed"), "repeat"),
        ("lento", ("failed", "rate_limited"), "HTTP 429"),
    ],
)
def test_faults_are_named(crawled: Any, name: str, outcome: tuple[str, str], detail: str) -> None:
    assert crawled.outcome(name) == outcome
    assert detail in crawled.health(name).detail


def test_page_that_repeats_ends_the_walk(lab: Any, crawled: Any) -> None:
    assert len(lab.web.pages("tosco.test")) == 2
    assert len({item.native_id for item in crawled.items("tosco")}) == PAGE


@pytest.mark.parametrize(
    "url", ["https://t.me/+AbCdEf123", "https://t.me/joinchat/AbCdEf", "https://t.me/", "https://t.me/muni_ate/12"]
)
def test_only_public_channels_can_be_named(lab: Any, tmp_path: Path, url: str) -> None:
    document = {**lab.city([lab.source("canal", "telegram", url)]), "synthetic": False, "hosts": {}}
    path = tmp_path / "prueba.yml"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"names no public channel; write https://t.me/NAME"):
        load_city(path)
