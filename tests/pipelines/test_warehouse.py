"""The warehouse: confined, append-only, migrated once, alone to write, published whole."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.warehouse import (
    WarehouseBusy,
    WarehouseError,
    memory_warehouse,
    migrate,
    migrations,
    next_instant,
    open_read_only,
    open_warehouse,
    publish,
)

OUTCOME = {
    "run_id": "r",
    "finished_at": datetime(2021, 5, 3, tzinfo=UTC),
    "outcome": "ok",
    "detail": "ñandú; '); drop table run; --",
}


def test_every_connection_stays_in_its_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n", encoding="utf-8")
    with open_warehouse(tmp_path / "data" / "warehouse.duckdb") as warehouse:
        for statement in (
            f"select * from read_csv('{outside}')",
            f"copy (select 1) to '{tmp_path / 'leak.csv'}'",
            f"attach '{tmp_path / 'other.duckdb'}'",
            "install httpfs",
            "set enable_external_access = true",
            "set allowed_directories = ['/']",
        ):
            with pytest.raises(duckdb.Error):
                warehouse.query(statement)
    assert not (tmp_path / "leak.csv").exists()


def test_values_are_bound_and_never_sql(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as warehouse:
        with warehouse.transaction():
            warehouse.append("run_outcome", [OUTCOME])
        assert warehouse.query("select detail from run_outcome") == [(OUTCOME["detail"],)]
        assert warehouse.query("select count(*) from run") == [(0,)]


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb") as warehouse:
        with pytest.raises(duckdb.Error), warehouse.transaction():  # noqa: PT012 (what was written before the error is the matter)
            warehouse.append("run_outcome", [OUTCOME])
            warehouse.query("select * from a_table_that_is_not_there")
        assert warehouse.query("select count(*) from run_outcome") == [(0,)]


def test_after_a_commit_the_log_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as warehouse:
        with warehouse.transaction():
            warehouse.append("run_outcome", [OUTCOME])
        log = path.with_suffix(".duckdb.wal")
        assert not log.exists() or log.stat().st_size == 0


def test_only_one_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path), pytest.raises(WarehouseBusy, match="process"), open_warehouse(path, lock_timeout=0.2):
        pass


def test_migrations_are_applied_once_and_the_old_file_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, every = tmp_path / "w.duckdb", migrations()
    monkeypatch.setattr("pipelines.warehouse.migrations", lambda: every[:-1])
    assert migrate(path) == [number for number, _ in every[:-1]]
    monkeypatch.undo()
    last = every[-1][0]
    assert migrate(path) == [last]
    assert migrate(path) == []
    assert path.with_suffix(f".before-{last:03d}.duckdb").is_file()


def test_a_changed_migration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    migrate(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("update schema_migration set digest = 'other' where number = 1")
    with pytest.raises(WarehouseError, match="never changes once released"):
        migrate(path)


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_the_published_copy_is_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    path, target = tmp_path / "data" / "w.duckdb", tmp_path / "data" / "published" / "escucha.duckdb"
    with open_warehouse(path) as warehouse:
        publish(warehouse, target)
        reader = open_read_only(target)
        with warehouse.transaction():
            warehouse.append("run_outcome", [OUTCOME])
        publish(warehouse, target)
        assert reader.query("select count(*) from run_outcome") == [(0,)]
        reader.close()
    with open_read_only(target) as fresh:
        assert fresh.query("select count(*) from run_outcome") == [(1,)]
        with pytest.raises(duckdb.Error):
            fresh.query("insert into run_outcome values ('x', now(), 'ok', '')")
    assert [file.name for file in target.parent.iterdir()] == [target.name]


def test_an_instant_that_a_report_has_closed_is_never_used_again() -> None:
    clock = datetime(2021, 5, 3, 14, 0, tzinfo=UTC)
    with memory_warehouse() as warehouse:
        assert next_instant(warehouse, "ate", clock) == clock
        warehouse.query(
            "insert into report"
            " select 'id', 1, 'ate', 'online', $t, $t, $t, 0, 0, 0, 0, 0, 0, 0, 0, null, null, true, true,"
            " '', '', '', '', 0, 0, null",
            {"t": clock},
        )
        assert next_instant(warehouse, "ate", clock) == clock + timedelta(seconds=1)
        assert next_instant(warehouse, "ate", None) > clock
        assert next_instant(warehouse, "elsewhere", clock) == clock


def test_a_file_from_a_killed_process_opens(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as warehouse, warehouse.transaction():
        warehouse.append("run_outcome", [OUTCOME])
    torn = tmp_path / "torn.duckdb"
    shutil.copy2(path, torn)
    with open_warehouse(torn) as warehouse:
        assert warehouse.query("select count(*) from run_outcome") == [(1,)]
