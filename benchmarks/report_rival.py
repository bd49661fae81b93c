"""The counts of a report with pandas: all rows of the city are read, and what the window needs is found among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from collectors.catalog import City
from collectors.period import Period
from models.similarity import group_copies
from pipelines.runs import Readers

COLUMNS = (
    "manifestation_id, version, version_number, source_id, channel, kind, url, author_key, published_at, text_digest,"
    " text_length, batch_number"
)


def count_with_pandas(path: Path, city: City, period: Period, readers: Readers) -> list[list[Any]]:
    """Return category, sentiment and count of what counts in a window, sorted.

    What no window can do without is read whole: the rows of the city. Readings and texts come in pieces, of which those of the
    window's versions are kept, so that the memory holds them.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.execute(f"select {COLUMNS} from manifestation where city = $city", {"city": city.id}).df()
        batches = connection.execute("select batch_number, period_start, period_end from batch").df()
        window = _window(rows, batches, period)
        del rows
        reading = _pieces(connection, "select manifestation_id, version, task, label, score from annotation", window)
        texts = _pieces(connection, "select manifestation_id, version, text from manifestation_text", window)
    window = window.merge(_labels(reading, readers), how="left", on=["manifestation_id", "version"])
    window = window.merge(texts.drop_duplicates(["manifestation_id", "version"]), how="left", on=["manifestation_id", "version"])
    counted = _counted(window, city)
    sizes = counted.groupby(["category", "sentiment"]).size().reset_index(name="n").sort_values(["category", "sentiment"])
    return [[category, sentiment, int(count)] for category, sentiment, count in sizes.itertuples(index=False)]


def _window(rows: pd.DataFrame, batches: pd.DataFrame, period: Period) -> pd.DataFrame:
    newest = rows.sort_values("version_number").drop_duplicates("manifestation_id", keep="last")
    newest = newest.merge(batches, on="batch_number")
    start, end = pd.Timestamp(period.start_utc), pd.Timestamp(period.end_utc)
    dated = (newest["published_at"] >= start) & (newest["published_at"] < end)
    undated = newest["published_at"].isna() & (newest["period_start"] < end) & (newest["period_end"] > start)
    return newest[dated | undated].reset_index(drop=True)


def _pieces(connection: duckdb.DuckDBPyConnection, sql: str, window: pd.DataFrame) -> pd.DataFrame:
    wanted = set(window["version"])
    cursor, kept = connection.execute(sql), []
    while len(piece := cursor.fetch_df_chunk(60)):
        kept.append(piece[piece["version"].isin(wanted)])
    return pd.concat(kept)


def _labels(reading: pd.DataFrame, readers: Readers) -> pd.DataFrame:
    thresholds = {task: choice.threshold for task, choice in readers.config.tasks.items()}
    confident = reading["score"].round(3) >= reading["task"].map(thresholds)
    reading["label"] = reading["label"].where(confident | (reading["task"] != "category"), "unclassified")
    wide = reading.pivot(index=["manifestation_id", "version"], columns="task", values="label")
    return wide.reset_index()


def _counted(window: pd.DataFrame, city: City) -> pd.DataFrame:
    """Return what counts, by the rules of `report_item.sql`: what is set aside, then mirrors, then an author's own repeats."""
    window["position"] = window["source_id"].map({source.id: place for place, source in enumerate(city.sources)})
    readable = window["language"].isin(["es", "unknown"]) & (window["screening"] == "ok")
    items = window[(window["kind"] == "manifestation") & window["published_at"].notna() & readable].copy()
    alone = ~window.duplicated(["source_id", "url"], keep=False)
    items["link"] = items["url"].where(alone[items.index]).fillna(items["manifestation_id"])
    items = items.sort_values(["published_at", "position", "manifestation_id"])
    mirror = items.duplicated(["channel", "link", "text_digest"])
    local = items["published_at"].dt.tz_convert(city.timezone)
    precise = (items["text_length"] >= 25) & (local != local.dt.normalize())
    same = items.assign(
        words=items["text_digest"].where(precise, items["manifestation_id"]), at=items["published_at"].where(precise)
    )
    mirror |= same["position"] > same.groupby(["channel", "words", "at"], dropna=False)["position"].transform("min")
    messages = window[(window["kind"] == "manifestation") & window["published_at"].notna() & window["author_key"].notna()]
    own = _groups(messages)
    items["author"] = items["author_key"].fillna(items["manifestation_id"])
    items["own"] = own.reindex(items.index).astype("string").fillna(items["text_digest"])
    items = items.sort_values(["published_at", "text_digest", "manifestation_id"])
    repeat = items.duplicated(["channel", "source_id", "author", "own"])
    _groups(window[(window["kind"] == "manifestation") & window["published_at"].notna()], shares="channel")
    return items[~(mirror.reindex(items.index) | repeat)]


def _groups(messages: pd.DataFrame, shares: str | None = None) -> pd.Series:
    """Return the group of copies of each message; the same code as ours."""
    keys = messages[shares] if shares else messages["source_id"] + "\x1f" + messages["author_key"]
    texts = [None if pd.isna(text) else text for text in messages["text"]]
    moments = [moment.to_pydatetime() for moment in messages["published_at"]]
    groups = group_copies(texts, digests=messages["text_digest"].tolist(), moments=moments, shares=keys.tolist())
    return pd.Series(groups, index=messages.index)
