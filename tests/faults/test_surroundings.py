"""What people type and disks hold: each has its own exit code and a sentence, and none of it is a
bug.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from batchpay.domain import errors, oserrors
from tests.world import Market, order

LONG = "a" * 300
ENDLESS = "a" * 5000
BAD = os.fsdecode(b"or\xffders")  # no UTF-8


def told(done: subprocess.CompletedProcess[str], *codes: int) -> str:
    """What it said: a sentence or more, with one of these codes; never a bug, never a traceback."""
    assert done.returncode in codes, done
    assert "a bug" not in done.stderr and "Traceback" not in done.stderr, done
    assert (
        done.stderr.startswith("batchpay: ")
        or not done.stderr
        or "warning" in done.stderr
    ), done
    return done.stderr


def program(
    market: Market, *words: str, cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """The true program with any words, in any folder."""
    command, how = market.command(*words, **environ)
    if cwd is not None:
        how["cwd"] = cwd
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, **how
    )


@pytest.fixture
def set_up(market: Market) -> Market:
    """A job with one order."""
    market.orders([order(1)])
    market.job()
    return market


# --- what people type


@pytest.mark.fault("J22", "J01")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "9999-12-31"), "2010-01-01"),
        (("--since", "0001-01-01"), "2010-01-01"),
        (("--since", "2099-01-01"), "in the future"),
        (("--since", "2569-11-24"), "did you mean 2026-11-24"),
        (("--since", "2026-02-30"), "day of the calendar"),
        (("--since", "２０２６-01-01"), "day of the calendar"),
        (("--limit", "9" * 400), "whole number"),
        (("--limit", "1_000"), "whole number"),
        (("--limit", "-1"), "whole number"),
        (("--canary", "0"), "whole number"),
        (("--grace", "nan"), "seconds"),
        (("--grace", "inf"), "seconds"),
        (("--grace", "1e400"), "seconds"),
        (("--grace", "-1"), "seconds"),
        (("--dry-run",), "batchpay plan"),
    ],
)
def test_a_flag_that_makes_no_sense_is_64(
    set_up: Market, words: tuple[str, ...], says: str
) -> None:
    """Before anything is read; the sentence says what was expected."""
    assert says in told(set_up.run(*words), 64)
    assert set_up.sandbox.requests() == []
    assert not (set_up.folder / "state").exists()


@pytest.mark.fault("J22", "J30")
@pytest.mark.parametrize(
    "days",
    [
        ("0001-01-01", "9999-12-31"),
        ("2026-01-02", "2026-01-01"),
        ("2026-1-1", "2026-01-02"),
        ("x", "y"),
    ],
)
def test_days_of_an_audit_have_bounds(set_up: Market, days: tuple[str, str]) -> None:
    """64 with a sentence, whatever the calendar of who typed them."""
    told(set_up.run("--from", days[0], "--to", days[1], verb="audit"), 64)


@pytest.mark.fault("J22")
def test_words_that_are_no_utf_8_are_64(set_up: Market) -> None:
    """An order, a batch, a reason: no journal could hold them."""
    for words in (
        ("resolve", "job.toml", BAD, "--cancel", "--reason", "x"),
        ("resolve", "job.toml", "1", "--cancel", "--reason", BAD),
        ("resolve", "job.toml", "1", "--cancel", "--reason", " "),
        ("report", "job.toml", BAD),
        ("doctor", "job.toml", "--probe", "--recipient", BAD),
    ):
        told(program(set_up, *words), 64)


# --- what lies on the disk


def directory(path: Path) -> None:
    """A folder where a file was expected."""
    path.mkdir()


def device(path: Path) -> None:
    """A file that never ends."""
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    """A link to itself."""
    path.symlink_to(path.name)


KINDS: tuple[Callable[[Path], None], ...] = (directory, os.mkfifo, device, loop)


@pytest.mark.fault("J22", "X20")
@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("verb", ["check", "run", "status", "verify"])
def test_a_job_that_is_no_plain_file_is_78(
    set_up: Market, make: Callable[[Path], None], verb: str
) -> None:
    """It names the path, and does not wait for a pipe or read a device to its end."""
    (set_up.folder / "job.toml").unlink()
    make(set_up.folder / "job.toml")
    assert "job.toml" in told(set_up.run(verb=verb), 78)


@pytest.mark.fault("J22", "X20")
@pytest.mark.parametrize("make", KINDS)
def test_a_state_that_is_no_plain_file_is_78(
    set_up: Market, make: Callable[[Path], None]
) -> None:
    """For every verb alike: none of them takes it for an empty journal."""
    (set_up.folder / "state").mkdir()
    make(set_up.folder / "state" / "batchpay.db")
    for verb in ("run", "settle", "status", "report", "verify", "plan"):
        assert "batchpay.db" in told(set_up.run(verb=verb), 73, 78)
    assert set_up.sandbox.requests() == []


@pytest.mark.fault("J22")
@pytest.mark.parametrize("name", ["state", "reports"])
def test_a_file_where_a_folder_belongs(set_up: Market, name: str) -> None:
    """73 or 78 with its path; the file stays, and what was charged is in the journal."""
    (set_up.folder / name).write_text("mine")
    assert name in told(set_up.run(), 73, 78)
    assert (set_up.folder / name).read_text() == "mine"
    (set_up.folder / name).unlink()
    assert set_up.run().returncode == 0
    set_up.agree()


@pytest.mark.fault("J22")
@pytest.mark.parametrize("value", [ENDLESS, LONG, "a\\u0000b", "a\\u001bb"])
@pytest.mark.parametrize(
    "line",
    [
        '[report]\ndirectory = "{}"',
        '[state]\nurl = "sqlite:///{}"',
        'schema = "{}"',
        'file = "{}.csv"',
    ],
)
def test_paths_that_no_disk_takes(set_up: Market, line: str, value: str) -> None:
    """Too long, or with a NUL: never a bug, for any verb."""
    path = set_up.folder / "job.toml"
    text, said = path.read_text(), line.format(value)
    if said.startswith("file"):
        path.write_text(text.replace('file = "orders.csv"', said))
    elif said.startswith("schema"):
        path.write_text(f"{said}\n{text}")
    else:
        path.write_text(f"{text}\n{said}\n")
    for verb in ("run", "verify", "plan"):
        told(set_up.run(verb=verb), 0, 64, 66, 73, 78)


@pytest.mark.fault("J22")
def test_endless_paths_on_the_command_line(set_up: Market) -> None:
    """As a job, an input, a plan, a folder."""
    for words in (
        ("run", ENDLESS),
        ("run", "job.toml", "--input", ENDLESS),
        ("plan", "job.toml", "--out", ENDLESS),
        ("init", ENDLESS),
        ("demo", "--directory", ENDLESS),
        ("sandbox", "--port", "0", "--ledger", ENDLESS),
    ):
        told(program(set_up, *words), 64, 66, 73, 74, 78)


@pytest.mark.fault("J22")
def test_a_file_name_that_is_no_utf_8_is_refused_by_name(set_up: Market) -> None:
    """Shown with escapes, and nothing is sent; with another name its orders are charged."""
    file = set_up.folder / f"{BAD}.csv"
    (set_up.folder / "orders.csv").rename(file)
    set_up.job(file="*.csv")
    refused = set_up.run("--summary")
    assert refused.returncode == 65 and "give it another name" in refused.stderr, (
        refused.stderr
    )
    assert "\\xff" in refused.stderr and set_up.posts() == 0
    file.rename(set_up.folder / "orders.csv")
    assert set_up.run("--summary").returncode == 0
    assert set_up.run(verb="verify").returncode == 0
    set_up.agree()


@pytest.mark.fault("J22", "F09")
def test_a_current_folder_that_is_gone(set_up: Market, tmp_path: Path) -> None:
    """A sentence, or the work done where every path is absolute."""
    gone = tmp_path / "gone"
    words, how = set_up.command()
    job = set_up.folder / "job.toml"
    relative = (
        "check job.toml",
        f"check {job} --input orders.csv",
        "init",
        "init x",
        "demo",
    )
    verbs = " ".join(map(json.dumps, (*relative, f"check {job}", f"status {job}")))
    line = f"mkdir {gone} && cd {gone} && rmdir {gone} && for words in {verbs}; "
    line += 'do $B $words 2>&1; echo "code $?"; done'
    env = {**how["env"], "B": " ".join(words)}
    done = subprocess.run(
        ["bash", "-c", line],
        env=env,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    codes = [
        int(one.split()[1])
        for one in done.stdout.splitlines()
        if one.startswith("code ")
    ]
    assert codes == [78, 78, 73, 73, 73, 0, 0], done.stdout
    assert "a bug" not in done.stdout


@pytest.mark.fault("J22")
def test_files_of_another_user_are_named(set_up: Market) -> None:
    """A job, an input or a journal that this user may not read: its path, and whose business it
    is.
    """
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    for name, codes in (("job.toml", (78,)), ("orders.csv", (74, 78))):
        path = set_up.folder / name
        path.chmod(0)
        assert name in told(set_up.run(), *codes)
        path.chmod(0o600)


@pytest.mark.fault("J22")
def test_a_key_file_that_never_ends(set_up: Market) -> None:
    """It reads no more of it than a key is long."""
    for file in ("/dev/zero", "/", ENDLESS, BAD):
        done = set_up.run(OMISE_SECRET_KEY="", OMISE_SECRET_KEY_FILE=file)
        assert "OMISE_SECRET_KEY" in told(done, 78)


@pytest.mark.fault("J22", "D01")
def test_a_file_size_limit_is_no_bug(set_up: Market) -> None:
    """`ulimit -f` stops a write: what was charged is in the journal or in doubt, and the next run
    settles it.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    words, how = set_up.command("run", "job.toml")
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
        **how,
    )
    told(done, 73, 74, 75)
    while set_up.run().returncode == 11:
        pass
    set_up.agree()


# --- the table


@pytest.mark.fault("J22")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ENOENT", errors.InputMissing),
        ("ENOTDIR", errors.InputMissing),
        ("ENOSPC", errors.CannotWrite),
        ("EDQUOT", errors.CannotWrite),
        ("EROFS", errors.CannotWrite),
        ("EACCES", errors.Misconfigured),
        ("EISDIR", errors.Misconfigured),
        ("ENAMETOOLONG", errors.Misconfigured),
        ("EMFILE", errors.TryLater),
        ("ENOMEM", errors.TryLater),
        ("EIO", errors.InputOutput),
        ("EBADF", errors.InputOutput),
    ],
)
def test_every_error_of_the_system_has_its_code(
    name: str, kind: type[errors.BatchpayError]
) -> None:
    """By what went wrong; the sentence names the path, in one line, and says what to do."""
    number = getattr(__import__("errno"), name)
    found = oserrors.of_system(OSError(number, os.strerror(number), "a\x1bb\n.csv"))
    assert type(found) is kind
    assert (
        "a\\x1bb\\n.csv: " in str(found)
        and "; " in str(found)
        and "\n" not in str(found)
    )


@pytest.mark.fault("J22")
def test_only_a_bug_is_a_bug() -> None:
    """Names that no system takes are no bugs; a wrong value inside the program is one."""
    nul = oserrors.of_system(ValueError("embedded null byte"))
    assert isinstance(nul, errors.Misconfigured)
    # pyarrow's own
    assert (
        oserrors.translated(
            Exception("Failed to launch worker thread: Resource")
        ).exit_code
        == 75
    )
    assert oserrors.translated(Exception("other")) is None
    half = UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")
    assert isinstance(oserrors.of_system(half), errors.Misconfigured)
    assert oserrors.of_system(ValueError("invalid literal for int()")) is None
    assert isinstance(
        oserrors.of_runtime(RuntimeError("can't start new thread")), errors.TryLater
    )
    assert isinstance(
        oserrors.of_runtime(RuntimeError("Symlink loop from 'x'")), errors.Misconfigured
    )
    assert oserrors.of_runtime(RuntimeError("other")) is None


# --- beside what a job names


@pytest.mark.fault("J22", "X20")
@pytest.mark.parametrize("make", KINDS)
def test_control_totals_that_are_no_plain_file(
    set_up: Market, make: Callable[[Path], None]
) -> None:
    """Refused at once, whatever has their name; without them, or with a link to nothing, nobody
    would have noticed.
    """
    make(set_up.folder / "orders.csv.totals.json")
    for verb in ("check", "run", "doctor"):
        done = set_up.run(verb=verb)
        assert "control totals" in told(done, 74) + done.stdout
    (set_up.folder / "orders.csv.totals.json").rename(set_up.folder / "x")
    (set_up.folder / "orders.csv.totals.json").symlink_to("nowhere")
    assert "move it away" in told(set_up.run(), 74)
    assert set_up.posts() == 0


@pytest.mark.fault("J22")
@pytest.mark.parametrize("make", KINDS)
def test_what_lies_beside_the_journal_is_no_plain_file(
    set_up: Market, make: Callable[[Path], None]
) -> None:
    """SQLite's own files, and the lock: 78 and the name, also for who only reads; nobody waits for
    a pipe.
    """
    assert set_up.run().returncode == 0
    journal = set_up.folder / "state" / "batchpay.db"
    for ending in ("-wal", "-shm", "-journal"):
        beside = journal.with_name(f"batchpay.db{ending}")
        beside.unlink(missing_ok=True)
        make(beside)
        for verb in ("run", "status", "verify"):
            assert f"batchpay.db{ending}: not a regular file" in told(
                set_up.run(verb=verb), 78
            )
        beside.rmdir() if beside.is_dir() and not beside.is_symlink() else beside.unlink()
    (lock,) = journal.parent.glob("*.lock")
    lock.unlink()
    make(lock)
    assert "which a lock must be" in told(set_up.run(), 78)
    told(set_up.run(verb="status"), 0)


@pytest.mark.fault("J22")
@pytest.mark.parametrize(
    "content",
    [
        b"\xff[[",
        b"[]",
        b'{"journal": 5}',
        b"[" * 100_000,
        b'{"journal": {"id": 1, "seq": "x"}}',
        None,
    ],
)
def test_a_manifest_that_is_none_of_ours(set_up: Market, content: bytes | None) -> None:
    """What somebody wrote in its place, or a pipe: the run goes on, and says what to do before it
    replaces it.
    """
    assert set_up.run().returncode == 0
    (manifest,) = (set_up.folder / "reports").glob("*/manifest.json")
    manifest.unlink()
    os.mkfifo(manifest) if content is None else manifest.write_bytes(content)
    assert "manifest" in set_up.run(verb="verify").stdout
    told(set_up.run(verb="verify"), 12)
    set_up.orders([order(1), order(2)])
    told(set_up.run(), 0)
    (folder,) = {
        path.parent
        for path in (set_up.folder / "reports").glob("*/manifest.json")
        if path == manifest
    }
    assert "cannot be kept" in told(set_up.run(folder.name, verb="report"), 73)
    set_up.sandbox.clear_rules()
    assert all(count == 1 for count in set_up.money().values())


@pytest.mark.fault("J22")
def test_a_manifest_that_names_what_no_file_is_called(set_up: Market) -> None:
    """A difference, and the rest is looked at all the same."""
    assert set_up.run().returncode == 0
    (manifest,) = (set_up.folder / "reports").glob("*/manifest.json")
    manifest.write_text(manifest.read_text().replace('"report.json"', '"a\\u0000b"'))
    done = set_up.run(verb="verify")
    told(done, 12)
    assert "which is no file's name" in done.stdout


@pytest.mark.fault("J22")
@pytest.mark.parametrize("name", ["state", "reports"])
def test_a_link_to_nothing_where_a_folder_belongs(set_up: Market, name: str) -> None:
    """What stands there, and that it goes away or another is named."""
    (set_up.folder / name).symlink_to("nowhere")
    assert "name another" in told(set_up.run(), 73, 78)


@pytest.mark.fault("J22", "D14")
def test_a_time_in_the_journal_that_is_none(set_up: Market) -> None:
    """For who reads without verifying: 74, as for who does."""
    import sqlite3

    assert set_up.run().returncode == 0
    raw = sqlite3.connect(set_up.folder / "state" / "batchpay.db")
    raw.execute("DROP TRIGGER events_stay")
    raw.execute("UPDATE events SET at_ns = 'soon'")
    raw.commit()
    raw.close()
    for verb in ("status", "verify", "run"):
        assert "damaged" in told(set_up.run(verb=verb), 74)


@pytest.mark.fault("J22")
@pytest.mark.parametrize(
    "host",
    [
        "ü" * 80 + ".example",
        "a" * 70 + ".example",
        "a..b",
        "-a.example",
        "x" * 60 + ".y" * 100,
    ],
)
def test_a_host_that_no_name_server_knows(set_up: Market, host: str) -> None:
    """78 for every verb, before anything is asked."""
    set_up.job(url=f"https://{host}")
    for verb in ("check", "run", "doctor"):
        done = set_up.run(verb=verb)
        assert "is no host" in told(done, 78) + done.stdout


@pytest.mark.fault("J22", "D16")
@pytest.mark.parametrize("left", [0, 1, 2, 4])
def test_no_descriptors_are_left(set_up: Market, left: int) -> None:
    """75 and how to raise the limit, wherever it is met: the job file is as good as it was, and no
    trace is shown.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    script = (
        "import os, sys, batchpay.cli, batchpay.commands.run, jsonschema; [os.dup(0) for _ in"
        f" range(37 - {left})]; sys.argv = ['batchpay', 'run', 'job.toml']; batchpay.cli.main()"
    )
    words, how = set_up.command()
    done = subprocess.run(
        [words[0], "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
        **how,
    )
    assert "ulimit" in told(done, 75)
    assert set_up.posts() == 0


@pytest.mark.fault("J22")
def test_a_key_that_nobody_writes_into_its_pipe(set_up: Market) -> None:
    """78 after some seconds; a key that comes late is a key."""
    import threading
    import time

    pipe = set_up.folder / "key"
    os.mkfifo(pipe)
    how = {"OMISE_SECRET_KEY": "", "OMISE_SECRET_KEY_FILE": "key"}

    def write() -> None:
        with pipe.open("w") as file:
            time.sleep(1)
            file.write("skey_test_0123456789abcdef\n")

    late = threading.Thread(target=write)
    late.start()
    assert set_up.run(**how).returncode == 0
    late.join()
    assert "nothing came of it" in told(set_up.run(**how), 78)


@pytest.mark.fault("J22")
def test_a_journal_in_a_folder_that_is_closed(set_up: Market) -> None:
    """`verify` does not call it absent, and `check` judges the file alone, with a warning."""
    if os.geteuid() == 0:
        pytest.skip("root may enter every folder")
    assert set_up.run().returncode == 0
    (set_up.folder / "state").chmod(0)
    told(set_up.run(verb="verify"), 73, 78)
    done = set_up.run(verb="check")
    assert done.returncode == 0 and "the journal cannot be read" in done.stderr
    (set_up.folder / "state").chmod(0o700)
