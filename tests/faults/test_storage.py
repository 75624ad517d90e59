"""The disk: full, failing, read-only, locked, edited, cut, restored, deleted, shared."""

from __future__ import annotations

import random
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from batchpay.journals.place import fs_type_of, is_shared
from tests.doses import FULL
from tests.machine import (
    STRACE,
    end,
    in_this_process,
    journal_events,
    limited,
    needs_root,
    needs_strace,
    new_market,
    nothing_left_without_an_intent,
    recorded,
    sampled,
    settles,
    wait_for,
)
from tests.world import Market, order

FLIPS = 500 if FULL else 40


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A tmpfs of its own; freed by `mount -o remount`."""
    place.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(place)],
        check=True,
    )
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


# --- full


@needs_root
@pytest.mark.fault("D01", "I4", "I15")
@pytest.mark.parametrize("kilobytes", sampled(0, 140, more=[4, 64, 260, 400, 500]))
def test_a_full_disk_under_the_journal_sends_nothing_that_is_not_durable(
    market: Market, kilobytes: int
) -> None:
    """73; when space is freed, the next run settles everything."""
    rows = [order(number) for number in range(20)]
    market.orders(rows)
    market.job()
    with small_disk(market.folder / "state", "1m") as state:
        (state / "other").write_bytes(bytes((1024 - kilobytes) * 1024 - 4096))
        full = market.run()
        assert full.returncode == 73, full
        assert "free some space" in full.stderr and "Traceback" not in full.stderr
        assert market.posts() < 20
        (state / "other").unlink()
        remount(state, "size=64m")
        nothing_left_without_an_intent(market)
        settles(market, rows)


@pytest.mark.fault("D01", "I4")
@pytest.mark.parametrize(
    "limit", sampled(2_000, 160_000, more=[30_000, 100_000, 250_000])
)
def test_a_file_that_may_not_grow_is_the_same(market: Market, limit: int) -> None:
    """RLIMIT_FSIZE: 73, and nothing is lost."""
    rows = [order(number) for number in range(20)]
    market.orders(rows)
    market.job()
    words, how = market.command("run", "job.toml")
    limits = limited(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    full = end(market, words, {**how, **limits})
    assert full.returncode == 73, full
    assert "Traceback" not in full.stderr
    nothing_left_without_an_intent(market)
    settles(market, rows)


@needs_root
@pytest.mark.fault("D02", "A11")
def test_a_full_disk_under_the_reports_leaves_no_half_report(market: Market) -> None:
    """73 and the journal is whole; `report` writes them when there is space."""
    rows = [order(number) for number in range(120)]
    market.orders(rows)
    market.job(rate="2000/s", more='[report]\ndirectory = "reports"')
    with small_disk(market.folder / "reports", "16k") as reports:
        full = market.run()
        assert full.returncode == 73, full
        assert len(market.money()) == 120
        assert not [
            path
            for path in reports.rglob("*")
            if path.is_file() and path.name.startswith(".")
        ]
        for path in reports.rglob("results.csv"):
            assert len(path.read_bytes().splitlines()) == 121
        remount(reports, "size=64m")
        assert market.run(verb="report").returncode == 0
        market.agree(rows)
        settles(market, rows)


# --- failing


@needs_strace
@pytest.mark.fault("D03", "I4", "I15")
def test_after_one_failed_sync_nothing_more_is_written_by_that_run(
    market: Market,
) -> None:
    """A second sync that succeeds proves nothing: 74, not an event after it; the next run verifies
    and goes on.
    """
    rows = [order(number) for number in range(5)]
    with new_market() as other:
        for one in (other, market):
            one.orders(rows)
            one.job()
            one.run("--limit", "0")
        syncs = [
            point
            for point in recorded(other)
            if point.call == "fdatasync" and not point.main
        ]
    words, how = market.command("run", "job.toml", PYTHONDONTWRITEBYTECODE="1")
    log = market.folder / "calls"
    broken = end(
        market, [*syncs[len(syncs) // 2].strace("error=EIO", log), *words], how
    )
    assert "(INJECTED)" in log.read_text()
    assert broken.returncode == 74 and "journal" in broken.stderr, broken
    kinds = [kind for kind, _, _ in journal_events(market.folder / "state")]
    assert "intent" in kinds and not {"totals", "run.finished"} & set(
        kinds[kinds.index("intent") :]
    ), kinds
    settles(market, rows)


@needs_strace
@pytest.mark.fault("D04")
@pytest.mark.parametrize("number", sampled(2, 5, 12, more=[9]))
def test_a_read_error_is_74(market: Market, number: int) -> None:
    """The journal cannot be read: stop before anything is sent."""
    rows = [order(n) for n in range(3)]
    market.orders(rows)
    market.job()
    market.run("--limit", "0")
    words, how = market.command("run", "job.toml")
    log = market.folder / "calls"
    inject = ["-e", "trace=pread64", "-e", f"inject=pread64:error=EIO:when={number}+"]
    journal = str(market.folder / "state" / "batchpay.db")
    failed = end(
        market,
        [str(STRACE), "-qq", "-P", journal, "-o", str(log), *inject, *words],
        how,
    )
    assert "(INJECTED)" in log.read_text()
    assert failed.returncode == 74 and "Traceback" not in failed.stderr, failed
    assert market.posts() == 0
    settles(market, rows)


@needs_root
@pytest.mark.fault("D04")
def test_a_disk_that_becomes_read_only_stops_the_run(market: Market) -> None:
    """73 (it cannot write) at the start; 73 or 74 in the middle of a run; nothing is lost."""
    rows = [order(number) for number in range(30)]
    market.orders(rows)
    market.job(rate="20/s")
    with small_disk(market.folder / "state", "16m") as state:
        remount(state, "ro")
        first = market.run()
        assert first.returncode == 73 and "Read-only" in first.stderr, first
        assert market.posts() == 0
        remount(state, "rw")
        settles(market, rows)


# --- locked


@pytest.mark.fault("D05")
def test_a_journal_locked_for_a_second_is_waited_for(market: Market) -> None:
    """Another program holds the file in the middle of the run: it ends well, a little later."""
    rows = [order(number) for number in range(20)]
    market.orders(rows)
    market.job(rate="20/s", more="")
    words, how = market.command("run", "job.toml")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
    ) as process:
        wait_for(lambda: market.posts() >= 3)
        holder = sqlite3.connect(
            market.folder / "state" / "batchpay.db", timeout=10, isolation_level=None
        )
        holder.execute("BEGIN EXCLUSIVE")
        time.sleep(1)
        before = market.posts()
        assert before < 20
        holder.execute("ROLLBACK")
        holder.close()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    settles(market, rows)


@pytest.mark.skipif(not FULL, reason="waits 30 s: make sweep")
@pytest.mark.fault("D05")
def test_a_journal_locked_for_ever_is_75_and_nothing_is_sent(market: Market) -> None:
    """After 30 seconds, with a sentence."""
    rows = [order(number) for number in range(3)]
    market.orders(rows)
    market.job()
    market.run("--limit", "0")
    holder = sqlite3.connect(
        market.folder / "state" / "batchpay.db", isolation_level=None
    )
    holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    locked = market.run()
    assert locked.returncode == 75 and "locked" in locked.stderr, locked
    assert 29 < time.monotonic() - began < 60
    assert market.posts() == 0
    holder.close()
    settles(market, rows)


# --- damaged, edited, cut, restored


def after_a_night(market: Market) -> tuple[list[dict[str, str]], Path]:
    """A journal with every kind of event: nine orders ended, one of them declined, and one is in
    doubt.
    """
    rows = [order(number) for number in range(10)]
    rows[3]["card"] = "tokn_test_sandbox000030011"
    market.orders(rows)
    market.job(rate="1000/s")
    market.sandbox.add_rule(action="hang_before", order_id="00005")
    words, how = market.command("run", "job.toml")
    with subprocess.Popen(words, **how) as process:
        wait_for(lambda: len(market.sandbox.charges()) == 9 and market.posts() == 10)
        time.sleep(0.3)
        process.kill()
    market.sandbox.clear_rules()
    path = market.folder / "state" / "batchpay.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rows, path


@pytest.mark.fault("D06", "D14", "I1")
def test_a_flipped_bit_is_found_before_anything_is_sent_or_stands_where_nobody_reads(
    market: Market,
) -> None:
    """74 (78 for the version's own bits) and not one POST; else the run is the one that the whole
    journal gives.
    """
    rows, path = after_a_night(market)
    market.orders([*rows, order(99)], "whole.csv")
    good = path.read_bytes()
    found = 0
    for seed in range(FLIPS):
        dice = random.Random(seed)
        at, bit = dice.randrange(len(good)), 1 << dice.randrange(8)
        for old in path.parent.glob("batchpay.db*"):
            old.unlink()
        path.write_bytes(good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :])
        market.orders([*rows, order(100 + seed)], "next.csv")
        before, charged = market.posts(), market.money()
        code, message = in_this_process(market, "next.csv")
        sent = market.posts() - before
        if code in (74, 78):
            assert sent == 0, (seed, message)
            found += 1
        # 10: the declined one; the order in doubt is asked for by a row of this file, too, and goes
        # once
        else:
            assert (code, sent) == (10, 1 if charged.get("00005") else 2), (
                seed,
                code,
                sent,
                message,
            )
            mine = {
                row["order_id"]: row["outcome"]
                for row in market.results()
                if row["file"] == "next.csv"
            }
            assert (
                mine[f"{100 + seed:05d}"] == "succeeded"
                and mine["00005"] == "duplicate"
            ), (
                seed,
                mine,
            )
        assert max(market.money().values()) == 1, seed
        shutil.rmtree(market.folder / "reports", ignore_errors=True)
    print(f"{found} of {FLIPS} flipped bits found; the others changed nothing")
    assert found > FLIPS // 5


@pytest.mark.fault("D09", "L3", "L6", "I15")
def test_a_backup_from_between_an_intent_and_its_answer(market: Market) -> None:
    """Its order was refused, corrected and paid after that: the paid attempt is adopted beside the
    one in doubt, which ends without money and is never sent again, by this run or the next; nobody
    has to lift anything.
    """
    wrong = order(1, card="tokn_test_unknown1")
    market.orders([wrong, order(2)], "orders-1.csv")
    market.job(file="orders-*.csv")
    market.sandbox.add_rule(action="hang_before", order_id="00001")
    words, how = market.command("run", "job.toml")
    with subprocess.Popen(words, **how) as process:
        wait_for(
            lambda: (
                market.posts() >= 1
                and market.sandbox.requests("POST")[-1].path == "/charges"
            )
        )
        time.sleep(0.3)
        process.kill()
    market.sandbox.clear_rules()
    shutil.copytree(market.folder / "state", market.folder / "backup")
    assert market.run().returncode == 10
    market.orders([{**wrong, "card": order(1)["card"]}], "orders-2.csv")
    market.run()
    assert market.money() == {"00001": 1, "00002": 1}
    posts = market.posts()
    shutil.rmtree(market.folder / "state")
    shutil.move(market.folder / "backup", market.folder / "state")
    for _ in range(3):
        restored = market.run("--summary")
        assert restored.returncode == 0, (restored.stdout, restored.stderr)
    assert market.posts() == posts
    outcomes = {
        (row["file"], row["order_id"]): (row["outcome"], row["reason"])
        for row in market.results()
    }
    assert (
        outcomes["orders-2.csv", "00001"][0]
        == outcomes["orders-1.csv", "00002"][0]
        == "succeeded"
    )
    outcome, reason = outcomes["orders-1.csv", "00001"]
    assert outcome == "conflict" and "charged since from another row" in reason
    assert "would charge nothing" in market.run(verb="plan").stdout
    assert market.run(verb="status").returncode == 0


EDITS = {
    "an event's order": (
        "UPDATE events SET order_id = '00077' WHERE kind = 'answer' AND order_id = '00001'"
    ),
    "an event's data": (
        "UPDATE events SET data = replace(data, 'succeeded', 'declined') WHERE order_id = '00001'"
    ),
    "an event gone": "DELETE FROM events WHERE seq = (SELECT max(seq) - 3 FROM events)",
    "an open attempt gone": "DELETE FROM open_attempts WHERE order_id = '00005'",
    "an open attempt settled": "UPDATE open_attempts SET state = 'held' WHERE order_id = '00005'",
    "an attempt opened": "INSERT INTO open_attempts VALUES ('night', '00099', 1, 'held')",
    "a row's cells": "UPDATE row_chunks SET cells = judged",
    "an index gone": "DROP INDEX one_intent_a_send",
}


@pytest.mark.fault("D14", "D06")
def test_a_journal_edited_by_hand_is_74_and_nothing_is_sent(market: Market) -> None:
    """Each time it is run, until the last good copy is back; then the run goes on as if nothing had
    been.
    """
    rows, path = after_a_night(market)
    good = path.read_bytes()
    before = market.posts()
    for what, edit in EDITS.items():
        path.write_bytes(good)
        with closing(sqlite3.connect(path)) as raw:
            raw.executescript(
                f"DROP TRIGGER events_stay; DROP TRIGGER events_remain; {edit};"
            )
        for _ in range(2):
            code, message = in_this_process(market, "orders.csv")
            assert code == 74 and "damaged or edited" in message, (what, code, message)
        for old in path.parent.glob("batchpay.db*"):
            old.unlink()
    assert market.posts() == before
    path.write_bytes(good)
    assert market.run().returncode == 10
    market.agree(rows)


def cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


@pytest.mark.fault("D07", "D08", "I1")
@pytest.mark.parametrize("share", sampled(0.0, 0.4, more=[0.03, 0.9]))
def test_a_truncated_journal_charges_nothing_again(
    market: Market, share: float
) -> None:
    """74 or 78 and no POST: of nothing at all it says --adopt, of a piece it says what is wrong."""
    rows = [order(number) for number in range(6)]
    market.orders(rows)
    market.job()
    market.run()
    path = market.folder / "state" / "batchpay.db"
    cut(path, int(path.stat().st_size * share))
    broken = market.run()
    assert broken.returncode == (78 if share == 0 else 74), broken
    assert ("--adopt" in broken.stderr) is (share == 0)
    assert market.posts() == 6
    path.unlink()
    settles_again = market.run("--adopt")
    assert market.posts() == 6, settles_again
    assert all(count == 1 for count in market.money().values())


@pytest.mark.fault("D07", "I1", "I15")
@pytest.mark.parametrize(
    "names", sampled(("-wal", "-shm"), more=[("-wal",), ("-shm",)])
)
def test_a_write_ahead_log_that_is_gone_charges_nothing_again(
    market: Market, names: tuple[str, ...]
) -> None:
    """A killed run leaves its events in the log; without it they are found at the gateway."""
    rows = [order(number) for number in range(12)]
    market.orders(rows)
    market.job(rate="40/s")
    market.run("--limit", "1")
    words, how = market.command("run", "job.toml")
    with subprocess.Popen(words, **how) as process:
        wait_for(lambda: market.posts() >= 6)
        process.kill()
    for name in names:
        (market.folder / "state" / f"batchpay.db{name}").unlink()
    again = [market.run(), market.run(), market.run()]
    assert again[-1].returncode == 0, again
    assert market.money() == dict.fromkeys((row["order_id"] for row in rows), 1)


# --- where it must not lie, and what it must not run out of


@pytest.mark.fault("D11")
def test_the_file_system_of_a_path_is_read_from_the_mounts() -> None:
    """The longest mount point, the last of several, blanks in names; and which types two machines
    may share.
    """
    mounts = (
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        "30 22 0:40 / /mnt/pay rw - nfs4 server:/pay rw\n"
        "31 30 0:41 / /mnt/pay/local\\040disk rw - xfs /dev/sdb rw\n"
        "32 22 0:42 / /srv rw - ext4 /dev/sdc rw\n"
        "33 32 0:43 / /srv rw - fuse.sshfs me@there: rw\n"
    )
    wanted = {
        "/var/lib/state.db": "ext4",
        "/mnt/pay/state.db": "nfs4",
        "/mnt/pay/local disk/state.db": "xfs",
        "/srv/a/b/state.db": "fuse.sshfs",
        "/mnt/payroll/state.db": "ext4",
    }
    assert {place: fs_type_of(Path(place), mounts) for place in wanted} == wanted
    assert fs_type_of(Path("/x"), "") == ""
    for kind in (
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "fuse.sshfs",
        "fuse.s3fs",
        "ceph",
        "lustre",
        "gpfs",
    ):
        assert is_shared(kind), kind
    for kind in (
        "ext4",
        "xfs",
        "btrfs",
        "tmpfs",
        "overlay",
        "zfs",
        "f2fs",
        "fuseblk",
        "virtiofs",
        "9p",
        "",
    ):
        assert not is_shared(kind), kind


@needs_root
@pytest.mark.fault("D11")
def test_state_on_a_network_file_system_is_78(market: Market) -> None:
    """The program, told by its mounts that the folder is a network's: nothing is made there,
    nothing is sent.
    """
    market.orders([order(1)])
    market.job()
    told = market.folder / "mounts"
    told.write_text(
        f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / {market.folder} rw - nfs4 server:/pay"
        " rw\n"
    )
    words, how = market.command("run", "job.toml")
    script = 'mount --bind "$0" /proc/$$/mountinfo && exec "$@"'
    refused = end(
        market, ["unshare", "--mount", "sh", "-c", script, str(told), *words], how
    )
    if "mount:" in refused.stderr or "unshare:" in refused.stderr:
        pytest.skip("this kernel lets nobody mount over /proc")
    assert (
        refused.returncode == 78 and "network file system (nfs4)" in refused.stderr
    ), refused
    assert not (market.folder / "state").exists() and market.posts() == 0


@pytest.mark.fault("D12")
def test_a_newer_journal_is_78_and_untouched(market: Market) -> None:
    """Not a byte of it changes."""
    market.orders([order(1)])
    market.job()
    market.run("--limit", "0")
    path = market.folder / "state" / "batchpay.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
        raw.commit()
    before = path.read_bytes()
    refused = market.run()
    assert refused.returncode == 78 and "another version" in refused.stderr, refused
    assert path.read_bytes() == before and market.posts() == 0


def run_short_of(
    market: Market, kind: int, limit: int
) -> subprocess.CompletedProcess[str]:
    words, how = market.command("run", "job.toml")
    return end(
        market,
        words,
        {**how, **limited(lambda: resource.setrlimit(kind, (limit, limit)))},
    )


@pytest.mark.fault("D15", "I1", "I15")
@pytest.mark.parametrize("megabytes", sampled(250, more=[400, 600, 700, 900]))
def test_too_little_memory_is_as_a_kill(market: Market, megabytes: int) -> None:
    """However it ends, it ends, and the next run with enough memory settles everything."""
    rows = [order(number) for number in range(8)]
    market.orders(rows)
    market.job()
    run_short_of(market, resource.RLIMIT_AS, megabytes << 20)
    nothing_left_without_an_intent(market)
    settles(market, rows)


@pytest.mark.fault("D16", "I1", "I15")
@pytest.mark.parametrize("descriptors", sampled(9, 13, more=[6, 11, 12, 14, 15, 16]))
def test_too_few_descriptors_send_nothing_twice(
    market: Market, descriptors: int
) -> None:
    """A sentence and a code, never a traceback or a \"bug\"; the next run settles everything."""
    rows = [order(number) for number in range(8)]
    market.orders(rows)
    market.job()
    short = run_short_of(market, resource.RLIMIT_NOFILE, descriptors)
    assert short.returncode in (0, 11, 69, 73, 74, 75), short
    # CPython's own
    ours, _, _ = short.stderr.partition(
        "Exception ignored in: <function BaseEventLoop.__del__"
    )
    assert "Traceback" not in ours and "bug" not in ours, short
    nothing_left_without_an_intent(market)
    settles(market, rows)
