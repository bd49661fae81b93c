"""The synthetic month as composed: it is what the plan says, the same everywhere, and apart from its truth."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.items import manifestation_id
from collectors.minutes import parse_minutes
from collectors.office import read_blocks
from collectors.text import normalise_for_comparison
from pipelines.pilot.compose import DATA, compose, write_month
from pipelines.pilot.cores import CoresError, load_material
from pipelines.pilot.drafts import Calendar
from pipelines.pilot.month import Composer, PlanError, write_countable
from pipelines.pilot.plan import SENTIMENTS, Plan, load_plan
from pipelines.pilot.records import Message, Served, load_served, native_id
from pipelines.pilot.wording import Wish, WordingError, Writer, same_words

PILOT = DATA / "pilot"
WORKSHOPS = PILOT / "cores" / "workshops"
FIRST_INSTANT, LAST_INSTANT = "2021-04-01T05:00:00Z", "2021-05-01T04:59:59Z"
Row = dict[str, str]
Current = dict[tuple[str, str], Message]


def read_rows(path: Path) -> list[Row]:
    """Read a CSV file of the pilot."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_table(path: Path) -> list[Row]:
    """Read a table of tabs that was written by hand."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan as shipped."""
    return load_plan(PILOT / "plan.yml")


@pytest.fixture(scope="module")
def truth() -> list[Row]:
    """The truth as shipped."""
    return read_rows(PILOT / "truth" / "truth.csv")


@pytest.fixture(scope="module")
def served() -> list[Served]:
    """What is served, as shipped."""
    return [load_served(path) for path in sorted((PILOT / "served").glob("*.jsonl"))]


@pytest.fixture(scope="module")
def current(served: list[Served]) -> Current:
    """(source, native id) -> the current version of each message."""
    return {(source.site.source, native_id(source.site, message)): message for source in served for message in source.messages}


def counted_online(truth: list[Row]) -> Iterator[Row]:
    """Yield the rows of the truth that make up the 5,796."""
    return (row for row in truth if row["counted"] == "true" and row["channel"] == "online")


def key(row: Row) -> tuple[str, str]:
    """Return what a row and its message are joined by."""
    return row["source_id"], row["native_id"]


def test_composing_again_gives_the_shipped_bytes(tmp_path: Path, plan: Plan) -> None:
    write_month(compose(DATA), plan, tmp_path)
    composed = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(composed) == len(plan.sources) + len(plan.workshops.sessions) + 3
    differing = [str(name) for name, content in composed.items() if (PILOT / name).read_bytes() != content]
    assert differing == [], "run `python -m pipelines.pilot.compose` and commit what it writes"
    assert {path.stem for path in (PILOT / "served").iterdir()} == {source.id for source in plan.sources}


def test_neither_hash_seed_nor_zone_nor_locale_changes_a_byte(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipelines.pilot.compose import *; "
        "write_month(compose(DATA), load_plan(DATA / 'pilot' / 'plan.yml'), Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment, cwd=DATA.parent, timeout=120)
    for name in ("labels.csv", "truth/truth.csv", "served/foro-ate.jsonl", "minutes/acta-vitarte.docx", "minutes/acta-ceres.odt"):
        assert (tmp_path / name).read_bytes() == (PILOT / name).read_bytes(), name


def test_planted_counts_are_the_published_ones(truth: list[Row]) -> None:
    rows = list(counted_online(truth))
    categories = Counter(row["category"] for row in rows)
    rollup = categories["transporte"] + sum(row["issue"] in ("pistas_veredas", "huecos") for row in rows)
    assert (len(rows), rollup) == (5_796, 372)
    assert (categories["salud"], categories["seguridad_ciudadana"], categories["economia_empleo"]) == (105, 104, 30)
    assert Counter(row["sentiment"] for row in rows if row["category"] == "salud") == {"pos": 37, "neg": 42, "neu": 26}


def test_every_group_and_source_has_its_planned_number(plan: Plan, truth: list[Row]) -> None:
    rows = list(counted_online(truth))
    for group in plan.groups:
        for sentiment in SENTIMENTS:
            found = [row for row in rows if row["category"] == group.category and row["sentiment"] == sentiment]
            # A group without issues is its whole category, which no other group may then share.
            found = [row for row in found if not group.issues or row["issue"] in group.issues]
            assert len(found) == getattr(group, sentiment), (group.category, group.issues, sentiment)
    sources = Counter(row["source_id"] for row in rows)
    assert {source.id: sources[source.id] for source in plan.sources} == {source.id: source.count for source in plan.sources}


def test_what_surrounds_the_month_has_its_planned_number(plan: Plan, truth: list[Row]) -> None:
    online = [row for row in truth if row["channel"] == "online" and row["counted"] == "false"]
    reasons = Counter(row["reason"] for row in online)
    around, outside = plan.around, plan.around.outside
    assert set(reasons) == {"article", "official", "mirror", "own_repeat", "spam", "test", "outside", "undated", "other_language"}
    assert reasons["mirror"] == around.permalink_mirrors + around.instant_mirrors
    assert (reasons["own_repeat"], reasons["spam"], reasons["test"]) == (around.own_repeats, around.spam, around.test)
    assert (reasons["undated"], reasons["other_language"]) == (around.undated, around.other_languages)
    from_cores = [row for row in online if row["reason"] == "outside" and row["category"]]
    assert len(from_cores) == outside.before + outside.after + outside.at_start_minus_one_second + outside.at_end
    written_by = Counter(row["core"].partition("/")[0] for row in online)
    assert written_by["articles"] == sum(
        source.articles for source in plan.sources if not source.official and source.tells_articles
    )
    official = sum(source.articles for source in plan.sources if source.official)
    assert written_by["official"] == official + sum(around.own_answers.values())
    assert sum(int(row["versions"]) == 2 for row in truth) == around.edits


def test_attention_office_is_a_channel_of_its_own(plan: Plan, truth: list[Row]) -> None:
    desk = [row for row in truth if row["channel"] == "attention_office"]
    assert {row["source_id"] for row in desk} == {"oficina-atencion"}
    assert sum(row["counted"] == "true" for row in desk) == plan.attention_office.requests == 190


def test_every_row_of_the_minutes_is_planted_in_a_channel_of_its_own(plan: Plan, truth: list[Row]) -> None:
    planted = [row for row in truth if row["channel"] == "in_person"]
    assert {row["source_id"] for row in planted} == {plan.workshops.source} == {"talleres-zonales"}
    for session in plan.workshops.sessions:
        stem, suffix = session.file.split(".")
        rows = read_table(WORKSHOPS / f"{stem}.tsv")
        entries = parse_minutes(
            read_blocks((PILOT / "minutes" / session.file).read_bytes(), name=session.file), name=session.file
        )
        own = {row["native_id"]: row for row in planted if row["native_id"].startswith(f"{stem}:")}
        assert [entry.native_id for entry in entries.entries] == list(own), suffix
        assert entries.told == []
        assert [entry.text for entry in entries.entries if not entry.official] == [row["texto"] for row in rows]
        assert [entry.text for entry in entries.entries if entry.official] == [row["acuerdo"] for row in rows if row["acuerdo"]]
        labels = [(row["category"], row["issue"], row["sentiment"]) for row in own.values() if row["counted"] == "true"]
        assert labels == [(row["category"], row["issue"], row["sentiment"]) for row in rows]
        assert {row["reason"] for row in own.values() if row["counted"] == "false"} == {"official"}
    assert len(plan.workshops.sessions) == 4
    assert sum(row["counted"] == "true" for row in planted) == 83


def test_no_two_countable_texts_are_equal(truth: list[Row], current: Current) -> None:
    texts = [current[key(row)].text for row in truth if row["counted"] == "true" and row["channel"] != "in_person"]
    said = {same_words(row["texto"]) for file in WORKSHOPS.glob("*.tsv") for row in read_table(file)}
    assert said.isdisjoint(same_words(text) for text in texts)
    assert len({normalise_for_comparison(text) for text in texts}) == len(texts) == 5_796 + 190
    assert len({same_words(text) for text in texts}) == len(texts)
    assert [text for text in texts if "{" in text or "}" in text] == [], "an unfilled slot"


def test_countable_dates_lie_in_the_month_and_touch_both_edges(truth: list[Row], current: Current) -> None:
    shown = [current[key(row)].published or "" for row in counted_online(truth)]
    assert (min(shown), max(shown)) == (FIRST_INSTANT, LAST_INSTANT)
    outside = [current[key(row)].published or "" for row in truth if row["reason"] == "outside" and row["category"]]
    assert {"2021-04-01T04:59:59Z", "2021-05-01T05:00:00Z"} <= set(outside)
    assert [date for date in outside if not date or FIRST_INSTANT <= date <= LAST_INSTANT] == []


def test_undated_items_show_no_date_or_an_unreadable_one(truth: list[Row], current: Current) -> None:
    undated = [current[key(row)] for row in truth if row["reason"] == "undated"]
    assert {message.published for message in undated} == {None}
    assert {bool(message.date_shown) for message in undated} == {True, False}


def test_mirrors_and_repeats_copy_a_countable_item(truth: list[Row], current: Current) -> None:
    counted = {current[key(row)].text: row for row in counted_online(truth)}
    for row in (row for row in truth if row["reason"] in ("mirror", "own_repeat")):
        copy = current[key(row)]
        original = current[key(counted[copy.text])]
        same_source = row["source_id"] == counted[copy.text]["source_id"]
        later = (copy.published or "") > (original.published or "")
        assert copy.author == original.author
        assert (same_source, later) == ((True, True) if row["reason"] == "own_repeat" else (False, False))
        assert copy.author not in ("", "Anónimo") or row["reason"] == "mirror"


def test_link_mirrors_carry_the_permalink_of_the_original(plan: Plan, served: list[Served]) -> None:
    feed = next(source for source in served if source.site.source == "prensa-carretera-central")
    links = [message.url for message in feed.messages if message.url]
    articles = {f"http://{s.site.host}{s.site.path}{a.id}-{a.slug}/": s for s in served for a in s.articles}
    assert len(set(links)) == len(links) == plan.around.permalink_mirrors
    for link in links:
        page, _, fragment = link.partition("#")
        assert fragment in {native_id(articles[page].site, message) for message in articles[page].messages}


def test_served_records_carry_no_label(truth: list[Row]) -> None:
    allowed = {"source", "host", "path", "wire", "title", "options", "id", "text", "author", "published", "slug"}
    allowed |= {"date_shown", "modified", "article", "parent", "url", "reactions"}
    labels = {row[name] for row in truth for name in ("category", "issue", "intent", "core", "reason")} - {""}
    for path in (PILOT / "served").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
            record = json.loads(line)
            del record["record"]
            assert set(record) <= allowed, path.name
            named = [value for name, value in record.items() if name not in ("text", "title", "slug", "options")]
            assert labels.isdisjoint(named), path.name


def test_truth_names_the_identity_that_collection_gives(truth: list[Row]) -> None:
    assert len({row["manifestation_id"] for row in truth}) == len(truth)
    for row in truth:
        assert row["manifestation_id"] == manifestation_id(row["source_id"], row["native_id"], None, "")


def test_personal_data_stand_where_the_list_says(plan: Plan, truth: list[Row], current: Current) -> None:
    listed = read_rows(PILOT / "truth" / "personal_data.csv")
    by_id = {row["manifestation_id"]: row for row in truth}
    assert len({row["value"] for row in listed}) == len(listed) == plan.personal_data
    assert {row["kind"] for row in listed} == {"dni", "phone", "email", "plate", "handle"}
    for row in listed:
        item = by_id[row["manifestation_id"]]
        bare = row["value"].replace(" ", "").replace("-", "").lower()
        assert item["counted"] == "true"
        assert row["value"] in current[key(item)].text
        assert "90909" in bare or "zz" in bare


def test_labels_are_drawn_from_the_countable_ones_with_the_stated_error(plan: Plan, truth: list[Row]) -> None:
    labels = read_rows(PILOT / "labels.csv")
    known = {row["manifestation_id"]: row for row in counted_online(truth)}
    assert set(Counter(row["manifestation_id"] for row in labels).values()) == {2}
    assert len(labels) == 2 * plan.labels.count == 800
    for name, labeller in plan.labels.labellers.items():
        own = [row for row in labels if row["labeller"] == name]
        wrong = {
            task: sum(row[task] != known[row["manifestation_id"]][task] for row in own) for task in ("category", "sentiment")
        }
        # Four standard errors of 400 draws at the largest stated chance.
        assert wrong["category"] / len(own) == pytest.approx(labeller.category_error, abs=0.06)
        assert wrong["sentiment"] / len(own) == pytest.approx(labeller.sentiment_error, abs=0.06)


def test_uses_of_a_core_spread_over_sources_and_days(truth: list[Row], current: Current) -> None:
    places: dict[str, set[str]] = {}
    days: dict[str, set[str]] = {}
    uses = Counter(row["core"] for row in counted_online(truth))
    for row in counted_online(truth):
        places.setdefault(row["core"], set()).add(row["source_id"])
        days.setdefault(row["core"], set()).add((current[key(row)].published or "")[:10])
    often = [core for core, number in uses.items() if number >= 3]
    assert len(uses) >= 900
    assert sum(len(places[core]) >= uses[core] - 1 for core in often) / len(often) > 0.9
    assert sum(len(days[core]) >= uses[core] - 2 for core in often) / len(often) > 0.9


def test_the_pilot_stays_small() -> None:
    assert sum(path.stat().st_size for path in PILOT.rglob("*") if path.is_file()) < 6_000_000


def test_a_core_without_room_for_difference_is_named(plan: Plan) -> None:
    material = load_material(PILOT, DATA / "places" / "ate.yml", unused=())
    writer = Writer(plan, material)
    wish = Wish(text="ya", sentiment="neu", source=plan.source("foro-ate"), style=False)
    assert writer.write(wish, plan.stream("test")) == "ya"
    with pytest.raises(WordingError, match="'ya'"):
        writer.write(wish, plan.stream("test"))


def test_a_group_without_cores_is_named(plan: Plan) -> None:
    material = load_material(PILOT, DATA / "places" / "ate.yml", unused=())
    fewer = plan.model_copy(update={"groups": (plan.groups[0].model_copy(update={"issues": ("tranvias",)}),)})
    with pytest.raises(PlanError, match="tranvias"):
        write_countable(Composer(fewer, material, Writer(fewer, material), Calendar(fewer)))


def test_totals_that_disagree_are_refused(tmp_path: Path) -> None:
    wrong = (PILOT / "plan.yml").read_text(encoding="utf-8").replace("countable: 5796", "countable: 5797")
    (tmp_path / "plan.yml").write_text(wrong, encoding="utf-8")
    with pytest.raises(ValueError, match="5797"):
        load_plan(tmp_path / "plan.yml")


def test_a_core_with_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "cores").mkdir()
    broken = "issue\tsentiment\tintent\ttarget\ttext\nvacunacion\tpos\thola\n"
    (tmp_path / "cores" / "salud.tsv").write_text(broken, encoding="utf-8")
    with pytest.raises(CoresError, match=r"salud\.tsv:2: 3 columns"):
        load_material(tmp_path, DATA / "places" / "ate.yml", unused=())
