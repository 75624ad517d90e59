"""Files that a person names: written whole or not at all, and never over what somebody else wrote
there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from batchpay.commands import writing
from batchpay.domain.errors import CannotWrite, Usage
from tests.inside import Inside
from tests.world import Market, order

MARKET = Inside


def everything(folder: Path) -> dict[str, str]:
    """Digest of every plain file below a folder, by its path; locks and the write-ahead log left
    out.
    """
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm"))
    }


@pytest.fixture
def settled(market: Market) -> Market:
    """A job with a lookup, a schema, totals, a journal and reports."""
    market.orders([order(1)])
    (market.folder / "shops.csv").write_text(
        "shop,id\nrecp_test_sandbox1,recp_test_sandbox1\n"
    )
    (market.folder / "order.schema.json").write_text(
        (Path("schemas") / "order.schema.json").read_text()
    )
    (market.folder / "orders.csv.totals.json").write_text('{"count": 1}')
    text = market.job().read_text()
    lookup = (
        'destination = { column = "recipient", lookup = "shops.csv",'
        ' key = "shop", value = "id" }'
    )
    text = text.replace('destination = "recipient"', lookup).replace(
        "[input]", 'schema = "order.schema.json"\n[input]'
    )
    (market.folder / "job.toml").write_text(text)
    assert market.run().returncode == 0
    (market.folder / "key").write_text("skey_test_0123456789abcdef")
    return market


@pytest.mark.fault("J24")
def test_no_plan_overwrites_what_the_job_lives_on(settled: Market) -> None:
    """Not with --force either, and not by another way to the same file: 64, and every byte
    stays.
    """
    folder = settled.folder
    (reports,) = (folder / "reports").glob("2*")
    os.link(folder / "job.toml", folder / "hard.toml")
    (folder / "soft.csv").symlink_to("orders.csv")
    shutil.copy(folder / "state" / "batchpay.db", folder / "state" / "other.db")
    shutil.copy(folder / "state" / "batchpay.db", folder / "backup")
    before = everything(folder)
    state = "state/batchpay.db"
    targets = [
        "job.toml",
        "orders.csv",
        "orders.csv.totals.json",
        "shops.csv",
        "order.schema.json",
        state,
        f"{state}-wal",
        f"{state}.lock",
        "state/other.db",  # another job's journal
        "backup",
        "state",
        "reports",
        f"reports/{reports.name}/results.csv",
        f"reports/{reports.name}/new.json",
        "reports/index.html",
        "reports/index-night.html",
        "reports/latest/night",
        "reports/run.json",
        "reports/plan.json",
        "hard.toml",
        "soft.csv",
        "state/../job.toml",
        str(folder / "job.toml"),
    ]
    for at, target in enumerate(targets):
        done = settled.run(
            "--out", target, *(["--force"] if at % 3 else []), verb="plan"
        )
        assert done.returncode == 64, (target, done)
        assert (
            "another file" in done.stderr
            or "elsewhere" in done.stderr
            or "plain file" in done.stderr
        )
    key = settled.run(
        "--out",
        "key",
        "--force",
        verb="plan",
        OMISE_SECRET_KEY="",
        OMISE_SECRET_KEY_FILE="key",
    )
    assert key.returncode == 64 and "secret key" in key.stderr
    assert everything(folder) == before


@pytest.mark.fault("J24")
def test_a_plan_is_written_whole_and_overwrites_only_by_force(settled: Market) -> None:
    """A file that is there stays without --force; devices and links are never taken for one;
    nothing is left behind.
    """
    folder = settled.folder
    (folder / "mine.txt").write_text("mine")
    (folder / "nowhere").symlink_to("not-there")
    for target in ("mine.txt", "nowhere", "/dev/null", "."):
        assert settled.run("--out", target, verb="plan").returncode == 64
    assert (folder / "mine.txt").read_text() == "mine" and not (
        folder / "not-there"
    ).exists()
    assert settled.run("--out", "missing/plan.json", verb="plan").returncode == 73
    assert settled.run("--out", "plan.json", verb="plan").returncode == 0
    first = json.loads((folder / "plan.json").read_text())
    assert settled.run("--out", "plan.json", verb="plan").returncode == 64
    assert settled.run("--out", "mine.txt", "--force", verb="plan").returncode == 0
    assert (
        json.loads((folder / "mine.txt").read_text())["plan_hash"] == first["plan_hash"]
    )
    assert not list(folder.glob(".batchpay-*"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.fault("J24")
def test_beside_reports_that_lie_in_the_jobs_own_folder_a_plan_has_room(
    market: Market,
) -> None:
    """Only what a run writes there is refused."""
    market.orders([order(1)])
    market.job(more='[report]\ndirectory = "."\n')
    assert market.run().returncode == 0
    before = everything(market.folder)
    (report,) = market.folder.glob("2*")
    for name in ("run.json", "run-night.json", "index.html", f"{report.name}/x.json"):
        assert market.run("--out", name, "--force", verb="plan").returncode == 64
        assert market.run("--out", name, "--force", verb="check").returncode == 64
    assert everything(market.folder) == before
    assert market.run("--out", "plan.json", verb="plan").returncode == 0


@pytest.mark.fault("J24")
def test_a_plan_that_would_be_the_next_input_is_refused(market: Market) -> None:
    """A name that the job's own glob finds would be read as orders tomorrow."""
    (market.folder / "inbox").mkdir()
    market.orders([order(1)], "inbox/orders-1.csv")
    market.job(file="inbox/orders-*.csv")
    done = market.run("--out", "inbox/orders-plan.csv", verb="plan")
    assert done.returncode == 64 and "input" in done.stderr
    assert market.run("--out", "inbox/plan.json", verb="plan").returncode == 0


@pytest.mark.fault("J24")
@pytest.mark.parametrize("there", ["job.toml", "order.schema.json", "orders.csv"])
def test_init_writes_all_or_nothing(market: Market, there: str) -> None:
    """One of its files is there, if only as a link that leads nowhere: nothing is written beside
    it.
    """
    here = market.folder / "here"
    here.mkdir()
    (here / there).symlink_to("not-there")
    done = market.program("init", "here")
    assert done.returncode == 64 and there in done.stderr
    assert [path.name for path in here.iterdir()] == [there]


@pytest.mark.fault("J24", "D01")
def test_a_disk_that_fails_leaves_nothing_of_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file cannot be written: the first goes again."""
    from batchpay.commands import init as starting

    real, calls = writing.write_whole, []

    def second_fails(path: Path, data: bytes, *, force: bool = False) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise CannotWrite("full")
        real(path, data, force=force)

    monkeypatch.setattr(starting, "write_whole", second_fails)
    with pytest.raises(CannotWrite):
        starting.start(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.fault("J24")
@pytest.mark.parametrize(
    "text", ["my notes", "my notes\n", "[]\n", '{"a": 1}\n', '["order_id"]']
)
def test_a_sandbox_keeps_its_ledger_in_a_file_of_its_own(
    market: Market, text: str
) -> None:
    """A file that no sandbox wrote is refused, whole and untouched."""
    (market.folder / "notes").write_text(text)
    done = market.program("sandbox", "--port", "0", "--ledger", "notes")
    assert done.returncode == 64 and "left alone" in done.stderr
    assert (market.folder / "notes").read_text() == text


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    """Without force an existing file stays, though it came between the look and the writing."""
    path = tmp_path / "plan.json"
    writing.refuse_overwriting("--out", path, force=False)
    path.write_text("somebody else's")
    with pytest.raises(CannotWrite):
        writing.write_whole(path, b"ours")
    assert path.read_text() == "somebody else's"
    with pytest.raises(Usage):
        writing.refuse_overwriting("--out", path, force=False)
    writing.write_whole(path, b"ours", force=True)
    assert path.read_bytes() == b"ours" and [
        one.name for one in tmp_path.iterdir()
    ] == ["plan.json"]


@pytest.mark.fault("J24")
@pytest.mark.parametrize("change", ["edited", "linked", "nothing"])
def test_a_demo_takes_back_only_what_a_demo_wrote(tmp_path: Path, change: str) -> None:
    """Who has made its job his own keeps it, and the journal beside it."""
    from batchpay.commands.demo import _prepared

    where = _prepared(tmp_path / "demo")
    (where / "state").mkdir()
    (where / "state" / "batchpay.db").write_text("a journal")
    if change == "nothing":
        _prepared(where)
        assert not (where / "state").exists()
        return
    if change == "edited":
        (where / "job.toml").write_text((where / "job.toml").read_text() + "# mine\n")
    else:
        (where / "orders.csv").rename(tmp_path / "mine.csv")
        (where / "orders.csv").symlink_to(tmp_path / "mine.csv")
    before = everything(tmp_path)
    with pytest.raises(Usage, match="another folder"):
        _prepared(where)
    assert everything(tmp_path) == before
