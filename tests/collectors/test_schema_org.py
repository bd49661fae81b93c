"""schema.org data as pages write it: JSON-LD that is nearly JSON, microdata with references, and the threads in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from parsel import Selector

from collectors.schema_org import Thread
from collectors.schema_org.json_ld import MAX_CHARACTERS, parse_json_ld, parse_script
from collectors.schema_org.markup import MAX_VISITS, MICRODATA, RDFA, parse_markup
from collectors.schema_org.thread import read_thread

PAGE = "http://diario.test/nota-1/"
WHOLE = {"@type": "Comment", "text": "Señores, ya"}


def thread(*documents: Any) -> Thread:
    return read_thread(documents, url=PAGE)


def marked(html: str, names: Any = MICRODATA) -> Thread:
    nodes, whole = parse_markup(Selector(text=html, type="html"), names)
    assert whole
    return read_thread(nodes, url=PAGE)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('{"a": 1}', [{"a": 1}]),
        ('\ufeff\n [{"a": 1}] ', [[{"a": 1}]]),
        ('<!-- {"a": 1} -->', [{"a": 1}]),
        ('//<![CDATA[\n{"a": 1}\n//]]>', [{"a": 1}]),
        ('/*<![CDATA[*/ {"a": 1} /*]]>*/', [{"a": 1}]),
        ('<![CDATA[ {"a": "]]"} ]]>', [{"a": "]]"}]),
        ('{"a": 1};', [{"a": 1}]),
        ('{"a": 1}\n{"b": 2}', [{"a": 1}, {"b": 2}]),
        ('{"a": [1, 2,],\n}', [{"a": [1, 2]}]),
        ('{"a": "uno,}", "b": "dos,]",}', [{"a": "uno,}", "b": "dos,]"}]),
        ('{"a": "una\nlínea\tmás"}', [{"a": "una\nlínea\tmás"}]),
        ('{\n // la nota\n "a": "http://x.test/ //no"}', [{"a": "http://x.test/ //no"}]),
        ("{&quot;a&quot;: &quot;uno&quot;}", [{"a": "uno"}]),
        ('{"a": "di \\"ya\\"",}', [{"a": 'di "ya"'}]),
        ("  ", []),
    ],
)
def test_scripts_that_are_nearly_json(script: str, found: list[Any]) -> None:
    assert parse_script(script) == (found, True)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('{"a": 1} {"b": ', [{"a": 1}]),
        ("{'a': 1}", []),
        ("<p>Mantenimiento</p>", []),
        ("[" * 100_000, []),
        ('{"comment":' * 50_000, []),
        ('{"a": 1' + "0" * 5_000 + "}", []),
        ('{"a": "sin final', []),
    ],
)
def test_scripts_that_are_not_json_are_told(script: str, found: list[Any]) -> None:
    assert parse_script(script) == (found, False)


def test_what_is_longer_than_any_page_needs_is_not_read() -> None:
    long = '{"text": "' + "x" * MAX_CHARACTERS + '"}'
    documents, problems = parse_json_ld([json.dumps(WHOLE), long, json.dumps(WHOLE), "{"])
    assert documents == [WHOLE, WHOLE]
    assert len(problems) == 2
    assert f"{MAX_CHARACTERS:,}" in problems[0]
    assert not any("xxx" in problem for problem in problems)


def test_deep_nesting_is_walked() -> None:
    deep: dict[str, Any] = {"@type": "Comment", "text": "Al fondo"}
    for _ in range(50_000):
        deep = {"comment": [deep]}
    assert [message.text for message in thread(deep).messages] == ["Al fondo"]


def test_nodes_that_hold_themselves() -> None:
    ring: dict[str, Any] = {"@type": "Comment", "text": "Eco"}
    ring["comment"] = [ring]
    assert [message.text for message in thread(ring).messages] == ["Eco"]


def test_nested_answers_know_what_they_answer() -> None:
    found = thread(
        {
            "@type": "NewsArticle",
            "headline": "Pistas",
            "comment": [
                {"@type": "Comment", "text": "Uno", "comment": {"@type": "Comment", "text": "Uno y medio"}},
                {"@type": "http://schema.org/Comment", "text": "Dos"},
            ],
        }
    )
    assert [(message.text, message.parent) for message in found.messages] == [("Uno", None), ("Uno y medio", 0), ("Dos", None)]
    assert found.article is not None
    assert (found.article.title, found.article.text) == ("Pistas", "Pistas")


def test_references_within_a_graph() -> None:
    graph = {
        "@graph": [
            {"@id": "#c2", "@type": "Comment", "text": "Respuesta", "author": {"@id": "#rosa"}},
            {"@id": "#nota", "@type": "BlogPosting", "headline": "Nota", "comment": [{"@id": "#c1"}]},
            {"@id": "#c1", "@type": "Comment", "text": "Primero", "comment": [{"@id": "http://diario.test/nota-1/#c2"}]},
            {"@id": "#rosa", "@type": "Person", "name": "Rosa"},
            {"@id": "#c3", "@type": "Comment", "text": "Tercero", "parentItem": {"@id": "#c1"}},
        ]
    }
    told = {message.key: message for message in thread(graph).messages}
    assert set(told) == {"#c1", "#c2", "#c3"}
    messages = thread(graph).messages
    parents = {message.key: messages[message.parent].key if message.parent is not None else None for message in messages}
    assert parents == {"#c1": None, "#c2": "#c1", "#c3": "#c1"}
    assert told["#c2"].author == "Rosa"


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Rosa Quispe", "Rosa Quispe"),
        ({"@type": "Person", "name": "Rosa &amp; Luis"}, "Rosa & Luis"),
        ([{"@type": "Person", "name": ["Ñusta"]}, "Otro"], "Ñusta"),
        ({"alternateName": "vecina12"}, "vecina12"),
        ({"@value": "Rosa"}, None),
        ("http://diario.test/u/rosa", None),
        ({"name": None}, None),
        (7.5, "7.5"),
        ([], None),
        (None, None),
    ],
)
def test_authors(author: Any, name: str | None) -> None:
    assert thread(WHOLE | {"author": author}).messages[0].author == name


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"upvoteCount": 3}, 3),
        ({"upvoteCount": "12"}, 12),
        ({"upvoteCount": 0}, 0),
        ({"upvoteCount": 4.0}, 4),
        ({"upvoteCount": "muchos"}, None),
        ({"upvoteCount": True}, None),
        ({"interactionStatistic": {"interactionType": "https://schema.org/LikeAction", "userInteractionCount": 5}}, 5),
        (
            {
                "interactionStatistic": [
                    {"interactionType": {"@type": "CommentAction"}, "userInteractionCount": 9},
                    {"interactionType": {"@type": "http://schema.org/LikeAction"}, "userInteractionCount": "6"},
                ]
            },
            6,
        ),
        ({"interactionStatistic": ["nada", None]}, None),
        ({}, None),
    ],
)
def test_votes(fields: dict[str, Any], count: int | None) -> None:
    assert thread(WHOLE | fields).messages[0].reactions == count


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<p>Una</p><p>Dos &amp; tres</p>", "Una\nDos & tres"),
        ("&lt;p&gt;Una&lt;/p&gt;", "Una"),
        ("Una\nDos", "Una\nDos"),
        ("5 < 6 y 7 > 3 <3", "5 < 6 y 7 > 3 <3"),
        ("Año &ntilde;o&ntilde;o", "Año ñoño"),
        ("<script>mal()</script>Bien", "Bien"),
        ({"@value": "Con lengua", "@language": "es"}, "Con lengua"),
        (["", "Segundo"], "Segundo"),
        (42, "42"),
        (["uno", "dos"], "uno"),
    ],
)
def test_texts(raw: Any, text: str) -> None:
    assert thread({"@type": "Comment", "text": raw}).messages[0].text == text


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"url": "http://diario.test/nota-1/#comment-7"}, "#comment-7"),
        ({"url": "http://diario.test/nota-1/comentarios-2/#comment-7"}, "#comment-7"),
        ({"@id": "#c9"}, "#c9"),
        ({"url": PAGE, "@id": "http://diario.test/comentario/31"}, "/comentario/31"),
        ({"url": "/ver?c=5"}, "/ver?c=5"),
        ({"@id": "https://otro.test/c/8"}, "https://otro.test/c/8"),
        ({"@id": "_:b0", "identifier": 81}, "#81"),
        ({"identifier": {"@type": "PropertyValue", "value": "a-81"}}, "#a-81"),
        ({"url": "http://diario.test/nota-1/#comments"}, None),
        ({"url": PAGE}, None),
        ({"url": "http://[mal"}, "http://[mal"),
        ({}, None),
    ],
)
def test_what_names_a_comment(fields: dict[str, Any], key: str | None) -> None:
    assert thread(WHOLE | fields).messages[0].key == key


def test_a_name_that_two_comments_share_is_none() -> None:
    rows = [WHOLE | {"@id": "#c1"}, {"@type": "Comment", "text": "Otra cosa", "url": f"{PAGE}#c1"}, WHOLE | {"@id": "#c2"}]
    assert [message.key for message in thread(rows).messages] == [None, None, "#c2"]


def test_questions_of_the_publisher_are_no_messages() -> None:
    question = {"@id": "#q1", "@type": "Question", "name": "¿Horario?", "acceptedAnswer": {"@type": "Answer", "text": "De 8 a 5"}}
    assert thread({"@graph": [question, {"@type": "FAQPage", "mainEntity": [{"@id": "#q1"}]}]}).messages == []
    asked = thread({"@type": "QAPage", "mainEntity": question}).messages
    assert [(message.text, message.parent) for message in asked] == [("¿Horario?", None), ("De 8 a 5", 0)]


def test_stubs_and_deleted_posts_are_withheld() -> None:
    found = thread(
        {
            "@type": "DiscussionForumPosting",
            "headline": "Basura",
            "url": "http://diario.test/tema/5",
            "comment": [
                {"@type": "Comment", "text": "Sigue"},
                {"@type": "Comment", "text": "Borrado", "creativeWorkStatus": "Deleted"},
            ],
        }
    )
    assert [(message.key, message.withheld, message.parent) for message in found.messages] == [
        ("/tema/5", True, None),
        (None, False, 0),
        (None, True, 0),
    ]


MICRO = """<article itemscope itemtype="https://schema.org/NewsArticle" itemref="cuerpo voces">
<h1 itemprop="headline">Bus nuevo</h1><meta itemprop="datePublished" content="2021-04-10T08:00:00-05:00"></article>
<div id="cuerpo"><div itemprop="articleBody"><p>Llega el bus.</p><p>Ya.</p></div></div>
<section id="voces"><div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="comment-1">
<a itemprop="url" href="#comment-1">#</a><span itemprop="author" itemscope itemtype="https://schema.org/Person">
<span itemprop="name">Luis Mamani</span></span><time itemprop="dateCreated" datetime="2021-04-10T23:30:00-05:00">x</time>
<div itemprop="text"><p>Pasa lleno</p><p>siempre</p></div><span itemprop="upvoteCount">12</span>
<ul><li itemscope itemtype="https://schema.org/Comment" id="comment-2"><b itemprop="author">Rosa</b>
<span itemprop="text description">Cierto</span></li></ul></div></section>"""


def test_microdata_with_references_and_answers_in_the_markup() -> None:
    found = marked(MICRO)
    assert found.article is not None
    assert (found.article.title, found.article.text) == ("Bus nuevo", "Llega el bus.\nYa.")
    first, second = found.messages
    assert (first.key, first.author, first.text, first.reactions) == ("#comment-1", "Luis Mamani", "Pasa lleno\nsiempre", 12)
    assert (first.published, first.parent) == ("2021-04-10T23:30:00-05:00", None)
    assert (second.key, second.author, second.text, second.parent) == ("#comment-2", "Rosa", "Cierto", 0)


RDFA_PAGE = """<div vocab="https://schema.org/"><div typeof="BlogPosting"><h1 property="headline">Parque</h1>
<div property="comment" typeof="Comment" resource="#c1">
<span property="author" typeof="Person"><span property="name">Ana</span></span>
<time property="dateCreated" datetime="2021-04-11">x</time><p property="schema:text">Hermoso</p>
<div property="comment" typeof="schema:Comment" resource="#c2"><p property="text">De noche no</p></div></div></div></div>
<meta property="og:title" content="Parque">"""


def test_rdfa_lite() -> None:
    found = marked(RDFA_PAGE, RDFA)
    assert [(one.key, one.author, one.text, one.published, one.parent) for one in found.messages] == [
        ("#c1", "Ana", "Hermoso", "2021-04-11", None),
        ("#c2", None, "De noche no", None, 0),
    ]
    assert found.article is not None
    assert found.article.title == "Parque"


def test_items_that_refer_to_one_part_of_the_page_cost_a_bounded_amount() -> None:
    shared = "<i></i>" * 3_000
    items = '<div itemscope itemtype="https://schema.org/Comment" itemref="todo"><p itemprop="text">x</p></div>' * 300
    nodes, whole = parse_markup(Selector(text=f'<div id="todo">{shared}</div>{items}', type="html"), MICRODATA)
    assert not whole
    assert len(nodes) == 300
    assert MAX_VISITS < 3_000 * 300


def test_an_item_that_refers_to_itself() -> None:
    page = '<div id="a" itemscope itemtype="https://schema.org/Comment" itemref="a b"><p id="b" itemprop="text">Eco</p></div>'
    assert [message.text for message in marked(page).messages] == ["Eco"]
