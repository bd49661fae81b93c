"""The warehouse: one DuckDB file, written by one process at a time, append-only, with a published copy for readers."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

SCHEMA = Path(__file__).with_name("schema")
QUERIES = Path(__file__).with_name("queries")


class WarehouseBusy(RuntimeError):
    """Another process is writing the warehouse."""


class WarehouseError(RuntimeError):
    """The warehouse file cannot be used by this version of the program."""


class Warehouse:
    """An open connection. It reaches its own folder only, and its configuration cannot be changed any more."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path | None) -> None:
        """Wrap a connection that `open_warehouse` or `memory_warehouse` has prepared."""
        self.connection, self.path = connection, path

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement with named parameters ($name) and return its rows."""
        return self.connection.execute(sql, dict(parameters or {})).fetchall()

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run one query and return its rows as dictionaries by column name."""
        cursor = self.connection.execute(sql, dict(parameters or {}))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def query_file(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run `queries/<name>.sql` with those of the parameters that it names and return its rows."""
        sql = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
        return self.query(sql, used_parameters(sql, parameters or {}))

    def append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows to a table, matched by column name; all rows have the same keys."""
        if rows:
            self._insert(table, pa.Table.from_pylist([dict(row) for row in rows], schema=self._arrow_schema(table, rows[0])))

    def temporary(self, table: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
        """Create or replace a temporary table with these columns (name -> SQL type) and rows."""
        spelled = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self.connection.execute(f"create or replace temp table {table} ({spelled})")
        self.append(table, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside, or nothing; then empty the write-ahead log, whose torn tail would be lost in silence."""
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")
        if self.path is not None:
            self.connection.execute("checkpoint")

    def replace_file(self, draft: Path) -> None:
        """Put a file that stands whole beside this one in its place, at once, and go on with that one.

        Raises:
            WarehouseError: for a warehouse in memory, or if its log is not empty: it would be replayed on another file.
        """
        if self.path is None:
            raise WarehouseError("a warehouse in memory has no file")
        self.connection.execute("checkpoint")
        self.connection.close()
        log = self.path.with_name(self.path.name + ".wal")
        if log.is_file() and log.stat().st_size:
            raise WarehouseError(f"{log.name} is not empty: another connection of this process is open")
        log.unlink(missing_ok=True)
        draft.replace(self.path)
        sync_folder(self.path.parent)
        self.connection = _locked(duckdb.connect(str(self.path)), self.path.parent)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def _arrow_schema(self, table: str, row: Mapping[str, Any]) -> pa.Schema:
        described = self.connection.sql(f"select * from {table} limit 0").to_arrow_table().schema  # noqa: S608 (our own name)
        return pa.schema([described.field(name) for name in row])

    def _insert(self, table: str, rows: pa.Table) -> None:
        self.connection.register("incoming_rows", rows)
        try:
            self.connection.execute(f"insert into {table} by name select * from incoming_rows")  # noqa: S608 (our own name)
        finally:
            self.connection.unregister("incoming_rows")


@contextmanager
def open_warehouse(path: Path, *, lock_timeout: float = 10.0) -> Iterator[Warehouse]:
    """Open the warehouse for writing, alone, with every migration applied.

    Raises:
        WarehouseBusy: if another process holds it for longer than `lock_timeout` seconds.
        WarehouseError: if a newer version of the program made the file.
    """
    with _held(path, lock_timeout):
        migrate(path)
        with Warehouse(_locked(duckdb.connect(str(path)), path.parent), path) as warehouse:
            yield warehouse


@contextmanager
def open_alone(path: Path, *, lock_timeout: float = 10.0) -> Iterator[Warehouse]:
    """Open the warehouse to read, while nobody can write it.

    Raises:
        WarehouseBusy: if another process holds it for longer than `lock_timeout` seconds.
        WarehouseError: if its schema is not the one that this version knows.
    """
    with _held(path, lock_timeout), open_read_only(path) as warehouse:
        applied = {number for (number,) in warehouse.query("select number from schema_migration")}
        if applied != {number for number, _ in migrations()}:
            raise WarehouseError(f"{path.name} has another schema than this version: any run that writes brings it up to date")
        yield warehouse


@contextmanager
def _held(path: Path, lock_timeout: float) -> Iterator[None]:
    """Hold the lock of a warehouse.

    Raises:
        WarehouseBusy: if another process holds it for longer than `lock_timeout` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = path.with_suffix(".holder")
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=lock_timeout)
    except Timeout as error:
        who = holder.read_text(encoding="utf-8") if holder.is_file() else "another process"
        raise WarehouseBusy(f"{path.name} is being written by {who}; try again, or wait longer with --lock-timeout") from error
    try:
        holder.write_text(f"process {os.getpid()}", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def open_read_only(path: Path) -> Warehouse:
    """Open a warehouse file that nobody writes, such as the published copy."""
    return Warehouse(_locked(duckdb.connect(str(path), read_only=True), path.parent), path)


def open_draft(path: Path) -> Warehouse:
    """Open a warehouse file that nobody else knows yet, confined like any other."""
    return Warehouse(_locked(duckdb.connect(str(path)), path.parent), path)


def memory_warehouse() -> Warehouse:
    """Return an empty warehouse in memory, fully migrated (for tests and trials)."""
    connection = duckdb.connect(":memory:")
    _apply_migrations(connection, migrations())
    return Warehouse(_locked(connection, None), None)


def migrations() -> list[tuple[int, Path]]:
    """Return (number, file) of every migration, in order."""
    return sorted((int(file.name.split("_")[0]), file) for file in SCHEMA.glob("[0-9]*.sql"))


def migrate(path: Path) -> list[int]:
    """Apply the migrations that the file lacks; return their numbers. A copy of the file as it was stands beside it.

    Raises:
        WarehouseError: if the file has a migration that this version does not know, or one with other content.
    """
    known = migrations()
    with duckdb.connect(str(path)) as connection:
        applied = _applied(connection)
        newest = max(applied, default=0)
        if newest > known[-1][0]:
            raise WarehouseError(
                f"{path.name} was made by a newer version (schema {newest}; this version knows {known[-1][0]}): update escucha"
            )
        for number, file in known:
            if number in applied and applied[number] != _digest(file):
                raise WarehouseError(f"{path.name} was made with another {file.name}: a migration never changes once released")
        pending = [(number, file) for number, file in known if number not in applied]
    if pending and applied:
        shutil.copy2(path, path.with_suffix(f".before-{pending[0][0]:03d}.duckdb"))
    if pending:
        with duckdb.connect(str(path)) as connection:
            _apply_migrations(connection, pending)
            connection.execute("checkpoint")
    return [number for number, _ in pending]


def publish(warehouse: Warehouse, target: Path) -> None:
    """Write the read-only copy for readers, whole or not at all.

    It holds no author keys, and of the report tables what a report itself tells: figures of few persons are null.
    """
    from pipelines.reports.masking import report_tables, told_tables

    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    warehouse.connection.execute(f"attach '{_quoted(draft)}' as published")
    try:
        names = [
            name
            for (name,) in warehouse.query(
                "select table_name from duckdb_tables() where database_name = current_database() and not temporary order by 1"
            )
        ]
        told, withheld = told_tables(warehouse, "internal"), report_tables(warehouse)
        for name in names:
            if name == "quote_origin":
                continue  # it leads from a quote to its author
            columns = "* exclude (author_key, url_keys)" if name == "manifestation" else "*"
            content = told.get(name, f"select {columns} from main.{name}")  # noqa: S608  our own name
            if name in told or name not in withheld:
                warehouse.connection.execute(f"create table published.{name} as {content}")
    finally:
        warehouse.connection.execute("detach published")
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(target)


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder durable; Windows opens no folder, and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def next_instant(warehouse: Warehouse, city: str, clock: datetime | None) -> datetime:
    """Return the instant under which the next batch of a city is seen: now, or the synthetic city's own clock.

    Never at or before an instant up to which a report has looked: a report, once made, stays repeatable.
    """
    now = (clock or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    ((closed,),) = warehouse.query("select max(seen_until) from report where city = $city", {"city": city})
    return now if closed is None or now > closed else closed.astimezone(UTC) + timedelta(seconds=1)


def used_parameters(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the parameters that a statement names; DuckDB refuses the others."""
    named = set(re.findall(r"\$([a-z_]+)", sql))
    return {name: value for name, value in parameters.items() if name in named}


def new_run_id() -> str:
    """Return a run id that sorts by time and is unique: 22 hex characters."""
    return f"{time.time_ns():016x}{os.urandom(3).hex()}"


def _locked(connection: duckdb.DuckDBPyConnection, folder: Path | None) -> duckdb.DuckDBPyConnection:
    """Confine a connection: UTC, its own folder, no extension, and no way back."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set autoload_known_extensions = false")
    connection.execute("set allow_community_extensions = false")
    if folder is not None:
        connection.execute(f"set allowed_directories = ['{_quoted(folder.resolve())}']")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _applied(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    connection.execute(
        "create table if not exists schema_migration (number integer not null, file varchar not null, digest varchar not null)"
    )
    return dict(connection.execute("select number, digest from schema_migration order by number").fetchall())


def _apply_migrations(connection: duckdb.DuckDBPyConnection, pending: list[tuple[int, Path]]) -> None:
    _applied(connection)
    for number, file in pending:
        connection.execute("begin")
        connection.execute(file.read_text(encoding="utf-8"))
        connection.execute(
            "insert into schema_migration values ($number, $file, $digest)",
            {"number": number, "file": file.name, "digest": _digest(file)},
        )
        connection.execute("commit")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
