"""The embedded PostgreSQL: started, shared, killed and stopped as on a real machine."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.errors import StartError
from app.store import cluster, embedded

USER = """
import signal, sys, time
from pathlib import Path
from app.store import cluster, embedded
# Who runs the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
print(embedded.start(Path(sys.argv[1])), flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data directory whose database was made and stopped."""
    directory = Path(tempfile.mkdtemp(prefix="zeroten-"))
    embedded.start(directory)
    embedded.stop(directory)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def data_dir(made: Path) -> Iterator[Path]:
    yield made
    embedded.stop(made)
    assert not runs(made), "a test left the server running"


def runs(data_dir: Path) -> bool:
    return (data_dir / "postgres" / "postmaster.pid").exists()


def scalar(conninfo: str, query: str) -> str:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return str(row[0])


def another_process(data_dir: Path) -> subprocess.Popen[str]:
    """Another Zeroten on the same data directory, at the point where it has its database."""
    process = subprocess.Popen([sys.executable, "-c", USER, data_dir], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "host=" in process.stdout.readline()
    return process


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    process.communicate(timeout=20)


def test_starts_privately_durably_and_without_a_port(data_dir: Path) -> None:
    conninfo = embedded.start(data_dir)
    assert embedded.start(data_dir) == conninfo
    assert scalar(conninfo, "SHOW fsync") == scalar(conninfo, "SHOW synchronous_commit") == "on"
    assert scalar(conninfo, "SHOW listen_addresses") == ""
    assert scalar(conninfo, "SHOW shared_buffers") == "256MB"
    assert (
        scalar(conninfo, "SELECT datcollate || datlocale FROM pg_database WHERE datname = 'postgres'")
        == "CC.UTF-8"
    )
    assert (data_dir / "postgres").stat().st_mode & 0o077 == 0


def test_keeps_what_was_committed_when_it_is_stopped_and_its_directory_is_moved(data_dir: Path) -> None:
    with psycopg.connect(embedded.start(data_dir)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 9 AS score")
    embedded.stop(data_dir)
    assert not runs(data_dir)
    moved = data_dir.with_name(data_dir.name + "-moved")
    data_dir.rename(moved)
    try:
        assert scalar(embedded.start(moved), "SELECT score FROM kept") == "9"
        embedded.stop(moved)
    finally:
        moved.rename(data_dir)


def test_processes_share_it_and_the_last_one_stops_it(data_dir: Path) -> None:
    conninfo = embedded.start(data_dir)
    other = another_process(data_dir)
    embedded.stop(data_dir)
    assert scalar(conninfo, "SELECT 1") == "1"
    end(other, signal.SIGTERM)
    assert not runs(data_dir)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_asked_to_end_stops_it(data_dir: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", USER, data_dir], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    end(process, number)
    assert not runs(data_dir)


def test_a_killed_process_leaves_it_running_for_the_next_who_then_stops_it(data_dir: Path) -> None:
    end(another_process(data_dir), signal.SIGKILL)
    assert runs(data_dir)
    before = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0]
    assert scalar(embedded.start(data_dir), "SELECT 1") == "1"
    assert (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0] == before
    embedded.stop(data_dir)
    assert not runs(data_dir)


def test_recovers_after_the_server_itself_was_killed(data_dir: Path) -> None:
    with psycopg.connect(embedded.start(data_dir)) as connection:
        connection.execute("CREATE TABLE survived AS SELECT 0 AS score")
    process = another_process(data_dir)
    postmaster = int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    end(process, signal.SIGKILL)
    embedded.stop(data_dir)
    assert scalar(embedded.start(data_dir), "SELECT score FROM survived") == "0"


def test_starts_after_a_power_cut_although_its_process_number_is_now_another_programs(data_dir: Path) -> None:
    (data_dir / "postgres" / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    (data_dir / "postgres" / "postmaster.pid").write_text(
        f"{os.getpid()}\n{data_dir}/postgres\n1\n5432\n.\n\n1 1\nready\n"
    )
    assert scalar(embedded.start(data_dir), "SELECT 1") == "1"


def test_a_start_that_was_killed_while_it_made_the_database_is_made_again() -> None:
    directory = Path(tempfile.mkdtemp(prefix="zeroten-"))
    (directory / "postgres.new").mkdir()
    (directory / "postgres.new" / "PG_VERSION").write_text("18\n")
    try:
        assert scalar(embedded.start(directory), "SELECT 1") == "1"
        embedded.stop(directory)
    finally:
        shutil.rmtree(directory)


def test_a_path_too_long_for_a_socket_is_refused_with_the_limit(tmp_path: Path) -> None:
    with pytest.raises(
        StartError, match=rf"ZEROTEN_DATA_DIR: .* too long .*at most {embedded.LONGEST_DATA_DIR} char"
    ):
        embedded.start(tmp_path / ("x" * 100))
    assert not list(tmp_path.iterdir())


def test_the_longest_path_allowed_works() -> None:
    base = Path(tempfile.mkdtemp(prefix="zeroten-")).resolve()
    directory = base / ("x" * (embedded.LONGEST_DATA_DIR - len(str(base)) - 1))
    try:
        assert scalar(embedded.start(directory), "SELECT 1") == "1"
        embedded.stop(directory)
    finally:
        shutil.rmtree(base)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 20 MB, where we may mount one."""
    directory = Path(tempfile.mkdtemp(prefix="zeroten-"))
    mounting = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True, check=False).returncode:
        directory.rmdir()
        pytest.skip("a disk of our own can be mounted by root only")
    yield directory
    subprocess.run(["umount", "--lazy", directory], check=True)
    directory.rmdir()


def test_a_disk_without_room_is_named_before_anything_is_written(small_disk: Path) -> None:
    with pytest.raises(StartError, match=r"ZEROTEN_DATA_DIR: there is no space in .*: \d+ MB are free"):
        embedded.start(small_disk)
    assert not list(small_disk.glob("postgres*"))


def test_a_disk_that_fills_up_is_named(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LEAST_SPACE", 0)
    with pytest.raises(StartError, match="there is no space left in"):
        embedded.start(small_disk)


def test_nobody_comes_in_by_the_network(data_dir: Path) -> None:
    embedded.start(data_dir)
    rules = (data_dir / "postgres" / "pg_hba.conf").read_text().splitlines()
    written = [line.split() for line in rules if line and not line.startswith("#")]
    assert {words[-1] for words in written if words[0].startswith("host")} == {"reject"}


def test_a_database_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(StartError, match="written by PostgreSQL 16, and this Zeroten brings 18"):
        embedded.start(tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"ZEROTEN_DATA_DIR: .*file"):
        embedded.start(tmp_path / "file" / "data")


def test_a_configuration_that_postgresql_refuses_is_shown_with_its_reason(data_dir: Path) -> None:
    file = data_dir / "postgres" / "postgresql.conf"
    before = file.read_text()
    file.write_text(before + "\nshared_buffers = lots\n")
    try:
        with pytest.raises(StartError, match="shared_buffers"):
            embedded.start(data_dir)
    finally:
        file.write_text(before)
