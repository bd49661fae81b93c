"""From drafts to what each site shows, and to the truth that is stored apart from it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from collectors.items import manifestation_id
from pipelines.pilot.cores import Piece
from pipelines.pilot.drafts import Draft
from pipelines.pilot.month import Composer
from pipelines.pilot.plan import PlannedSource
from pipelines.pilot.records import (
    Article,
    Message,
    Served,
    Site,
    article_native_id,
    article_url,
    instant,
    message_url,
    native_id,
    write_instant,
)

FIRST_NUMBER, NUMBERS_PER_SOURCE = 100_000, 11_000
ARTICLES_FROM = timedelta(days=7)
"""Articles begin this long before the month, so that early messages have something to hang below."""
REPLY_SHARE = 0.22
TOPIC_SHARE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is planted about one item; empty strings where it does not apply."""

    manifestation_id: str
    source_id: str
    native_id: str
    counted: bool
    reason: str
    channel: str
    category: str
    issue: str
    sentiment: str
    intent: str
    target: str
    core: str
    versions: int
    datum_kind: str = ""
    datum: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One source with its truth."""

    served: Served
    truth: tuple[Truth, ...]


def publish(composer: Composer, source: PlannedSource, drafts: Sequence[Draft]) -> Shown:
    """Lay out one source.

    Args:
        composer: plan and material.
        source: the source.
        drafts: its own drafts; mirrors by link need the source that they mirror laid out before.
    """
    plan = composer.plan
    site = Site(
        source=source.id,
        host=source.host,
        path=source.path,
        wire=source.wire,
        title=plan.titles[source.id],
        options=source.options,
    )
    pieces, articles = _articles(composer, source)
    ordered = _numbered(drafts, composer, source)
    if source.threaded:
        _hang(ordered, articles, pieces, plan.stream("threads", source.id))
    by_id = {article.id: article for article in articles}
    parents = _parents(ordered, source, plan.stream("replies", source.id))
    messages: list[Message] = []
    truth = []
    if source.tells_articles:
        truth = [_article_truth(composer, site, article, piece) for article, piece in zip(articles, pieces, strict=True)]
    for draft in ordered:
        versions = _messages(composer, draft, parents.get(draft))
        messages += versions
        truth.append(_truth(site, draft, versions, by_id.get(draft.article or 0), composer))
    return Shown(Served(site, tuple(articles), tuple(messages)), tuple(truth))


def _articles(composer: Composer, source: PlannedSource) -> tuple[list[Piece], list[Article]]:
    rng = composer.plan.stream("articles", source.id)
    name = "official" if source.official else "articles"
    pool = [piece for piece in composer.material.context[name] if piece.title]
    rng.shuffle(pool)
    pieces = [pool[number % len(pool)] for number in range(source.articles)]
    first, span = composer.calendar.start - ARTICLES_FROM, timedelta(days=36)
    articles = []
    for number, piece in enumerate(pieces):
        moment = first + span * number / max(source.articles, 1) + timedelta(minutes=rng.randint(0, 240) if number else 0)
        title, text = composer.writer.fill_piece((piece.title, piece.text), rng)
        articles.append(
            Article(
                id=FIRST_NUMBER // 100 + number * 3 + composer.plan.sources.index(source) * 500,
                title=title[:1].upper() + title[1:],
                text="" if source.topics else text[:1].upper() + text[1:],
                author=composer.plan.own_names.get(source.id, composer.plan.newsroom),
                published=write_instant(moment.replace(second=0)),
                slug=_slug(title),
            )
        )
    return pieces, articles


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFD", title.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-")


def _numbered(drafts: Sequence[Draft], composer: Composer, source: PlannedSource) -> list[Draft]:
    rng = composer.plan.stream("numbers", source.id)
    number = FIRST_NUMBER + NUMBERS_PER_SOURCE * composer.plan.sources.index(source)
    ordered = sorted(drafts, key=lambda draft: draft.moment)
    for draft in ordered:
        number += rng.randint(1, 9)
        draft.number = number
    return ordered


def _hang(drafts: Sequence[Draft], articles: Sequence[Article], pieces: Sequence[Piece], rng: Random) -> None:
    """Hang every message below an article that was there before it, mostly one on its own topic."""
    topics = {article.id: piece.topic for article, piece in zip(articles, pieces, strict=True)}
    hung: Counter[int] = Counter()
    for draft in drafts:
        if draft.answers is not None:
            draft.article = draft.answers.article
            continue
        earlier = [article for article in articles if instant(article.published) <= draft.moment]
        most = draft.source.most_answers
        earlier = [article for article in earlier if most is None or hung[article.id] < most][-25:]
        on_topic = [article for article in earlier if draft.core is not None and topics[article.id] == draft.core.category]
        draft.article = rng.choice(on_topic if on_topic and rng.random() < TOPIC_SHARE else earlier).id
        hung[draft.article] += 1


def _parents(drafts: Sequence[Draft], source: PlannedSource, rng: Random) -> dict[Draft, Draft]:
    parents = {draft: draft.answers for draft in drafts if draft.answers is not None}
    threads: dict[int | None, list[Draft]] = {}
    for draft in drafts:
        thread = threads.setdefault(draft.article, [])
        if thread and draft not in parents and draft.dated and rng.random() < REPLY_SHARE:
            parents[draft] = rng.choice(thread[-30:])
        thread.append(draft)
    return parents


def _messages(composer: Composer, draft: Draft, parent: Draft | None) -> list[Message]:
    source, rng = draft.source, composer.plan.stream("shown", draft.source.id, draft.number)
    original = draft.same_link_as
    message = Message(
        id=_id(draft),
        text=draft.text,
        author=draft.author,
        published=write_instant(draft.moment) if draft.dated else None,
        date_shown=draft.date_shown,
        article=draft.article,
        parent=None if parent is None else _id(parent),
        title=rng.choice(composer.plan.subjects) if source.subjects else None,
        url=None if original is None else _link(composer, original),
        reactions=int(rng.expovariate(0.25)) if source.reactions else None,
    )
    if draft.older_text is None:
        return [message]
    changed = write_instant(draft.moment + timedelta(minutes=rng.randint(2, 900))) if source.wire == "atom" else None
    return [replace(message, text=draft.older_text), replace(message, modified=changed)]


def _id(draft: Draft) -> str:
    return draft.source.id_format.format(number=draft.number)


def _link(composer: Composer, draft: Draft) -> str:
    """Return the permalink of a message of another source."""
    source = draft.source
    _, articles = _articles(composer, source)
    article = next(article for article in articles if article.id == draft.article)
    site = Site(source=source.id, host=source.host, path=source.path, wire=source.wire, title="", options={})
    message = Message(id=_id(draft), text=draft.text, author=draft.author, published=None)
    return message_url(site, message, article)


def _article_truth(composer: Composer, site: Site, article: Article, piece: Piece) -> Truth:
    native, url = article_native_id(site, article), article_url(site, article)
    kind = "official" if composer.plan.source(site.source).official else "article"
    return Truth(
        manifestation_id=manifestation_id(site.source, native, url, article.text),
        source_id=site.source,
        native_id=native,
        counted=False,
        reason=kind if composer.calendar.holds(instant(article.published)) else "outside",
        channel="online",
        category="",
        issue="",
        sentiment="",
        intent="",
        target="",
        core=piece.id,
        versions=1,
    )


def _truth(site: Site, draft: Draft, versions: Sequence[Message], article: Article | None, composer: Composer) -> Truth:
    message, core = versions[-1], draft.core
    native = native_id(site, message)
    kind, value = draft.datum or ("", "")
    return Truth(
        manifestation_id=manifestation_id(site.source, native, message_url(site, message, article), message.text),
        source_id=site.source,
        native_id=native,
        counted=not draft.reason,
        reason=draft.reason if not draft.dated or composer.calendar.holds(draft.moment) else "outside",
        channel="attention_office" if site.source == composer.plan.attention_office.source else "online",
        category=core.category if core else "",
        issue=core.issue if core else "",
        sentiment=core.sentiment if core else "",
        intent=core.intent if core else "",
        target=core.target if core else "",
        core=draft.origin,
        versions=len(versions),
        datum_kind=kind,
        datum=value,
    )
