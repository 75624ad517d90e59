"""verify: the journal's chain, and every manifest against the files beside it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import batchpay
from tests.inside import Inside
from tests.test_auditing import TODAY
from tests.test_losses import lose
from tests.world import Market, order

MARKET = Inside

DOCS = Path(batchpay.__file__).parent.parent / "docs" / "journal.md"


def verified(market: Market, *words: str) -> tuple[int, dict[str, object]]:
    """Exit code and document, had without a key; the words for people have the same code."""
    told = market.run(*words, verb="verify", OMISE_SECRET_KEY="")
    done = market.run(*words, "--json", verb="verify", OMISE_SECRET_KEY="")
    assert told.returncode == done.returncode, (told, done)
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def night(market: Market) -> Market:
    """Two batches, the first reported twice, so that an older manifest is kept."""
    market.orders([order(1), order(2, amount="x")])
    market.job()
    market.run("--limit", "0")
    market.run()
    market.orders([order(3)])
    market.run()
    return market


@pytest.mark.fault("I9")
def test_what_nobody_touched_verifies(night: Market) -> None:
    """It says what was looked at: all events, every manifest, every file they name."""
    code, told = verified(night)
    assert (code, told["differences"], told["notes"]) == (0, [], [])
    manifests = list(night.folder.glob("reports/*/manifest*.json"))
    assert (
        sorted(told["manifests"]) == sorted(map(str, manifests)) and len(manifests) > 2
    )  # type: ignore[call-overload]
    named = [
        json.loads(path.read_text())["reports"]
        for path in manifests
        if path.name == "manifest.json"
    ]
    assert told["files"] == sum(map(len, named))
    said = night.run(verb="verify").stdout
    assert "the hash chain verifies" in said and "exit 0" in said


def test_a_lookup_file_of_another_day_is_told_and_no_difference(market: Market) -> None:
    """The manifest says which one the batch was made with."""
    lookup = market.folder / "sellers.csv"
    lookup.write_text("shop,recipient\nA,recp_test_sandbox01\n")
    market.orders([order(1, recipient="A")])
    market.job()
    path = market.folder / "job.toml"
    by_shop = '{ column = "recipient", lookup = "sellers.csv", key = "shop", value = "recipient" }'
    text = path.read_text()
    line = next(one for one in text.splitlines() if one.startswith("destination"))
    path.write_text(text.replace(line, f"destination = {by_shop}"))
    assert market.run().returncode == 0
    (manifest,) = market.folder.glob("reports/*/manifest.json")
    digest = hashlib.sha256(lookup.read_bytes()).hexdigest()
    assert json.loads(manifest.read_text())["lookups_sha256"] == {"sellers.csv": digest}
    assert verified(market)[1]["notes"] == []
    lookup.write_text(lookup.read_text() + "B,recp_test_sandbox02\n")
    code, told = verified(market)
    assert (code, told["differences"]) == (0, [])
    assert f"sellers.csv is another file today than {manifest}" in str(told["notes"])


@pytest.mark.fault("I9")
@pytest.mark.parametrize(
    "edit",
    ["changed", "missing", "manifest", "no manifest", "other head", "cut journal"],
)
def test_a_difference_is_12_and_named(night: Market, edit: str) -> None:
    """A report that was edited, removed, or made from another history than the journal now
    tells.
    """
    first = sorted((night.folder / "reports").glob("2*"))[0]
    manifest = first / "manifest.json"
    document = json.loads(manifest.read_text())
    if edit == "changed":
        with (first / "results.csv").open("a") as file:
            file.write("one more row\n")
    elif edit == "missing":
        (
            first / "rejects.csv"
            if (first / "rejects.csv").exists()
            else first / "results.csv"
        ).unlink()
    elif edit == "manifest":
        manifest.write_text("{}")
    elif edit == "other head":
        manifest.write_text(
            json.dumps(
                {**document, "journal": {**document["journal"], "digest": "0" * 64}}
            )
        )
    elif edit == "cut journal":
        manifest.write_text(
            json.dumps({**document, "journal": {**document["journal"], "seq": 10**6}})
        )
    else:
        manifest.unlink()
    code, told = verified(night)
    assert code == 12
    assert str(first) in str(told["differences"])
    assert (
        verified(
            night,
            sorted(path.name for path in (night.folder / "reports").glob("2*"))[1],
        )[0]
        == 0
    )


@pytest.mark.fault("I9", "D05")
def test_a_damaged_journal_is_74_and_none_is_66(night: Market) -> None:
    """Neither is taken for the other, and nothing is written."""
    assert night.run("2020-01-01-000000000000", verb="verify").returncode == 66
    path = night.folder / "state" / "batchpay.db"
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER events_stay")
        connection.execute("UPDATE events SET at_ns = at_ns + 1 WHERE seq = 3")
    done = night.run(verb="verify")
    assert done.returncode == 74 and "event 3" in done.stderr
    for one in (night.folder / "state").iterdir():
        one.unlink()
    lost = night.run(verb="verify")
    # the reports tell that there was one
    assert lost.returncode == 78 and "--adopt" in lost.stderr
    shutil.rmtree(night.folder / "reports")
    assert night.run(verb="verify").returncode == 66
    assert list((night.folder / "state").iterdir()) == []


def edited(path: Path, **changes: object) -> None:
    """The JSON file with some of its values changed."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def touched(path: Path) -> None:
    """One byte more."""
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.fault("I9")
def test_a_removed_manifest_or_folder_is_12_until_the_reports_are_written_again(
    night: Market,
) -> None:
    """An edit whose manifest was removed does not pass; who only cleared old reports away does what
    is said.
    """
    first, second = sorted((night.folder / "reports").glob("2*"))
    touched(first / "results.csv")
    (first / "manifest.json").unlink()
    shutil.rmtree(second)
    code, told = verified(night)
    assert code == 12
    for folder, difference in zip((first, second), told["differences"], strict=True):  # type: ignore[call-overload]
        assert difference["path"] == str(folder / "manifest.json")
        assert (
            f"batchpay report job.toml {folder.name} writes them again"
            in difference["told"]
        )
        assert night.run(folder.name, verb="report").returncode in (0, 10)
    assert verified(night)[0] == 0


@pytest.mark.fault("I9")
@pytest.mark.parametrize(
    "change",
    [
        {"job": "day"},
        {"mode": "live"},
        {"batch": "2026-01-01-0123456789ab"},
        {"input": {"file": "orders.csv", "sha256": "0" * 64, "rows_read": 2}},
        {"input": {"rows_read": 3}},
    ],
)
def test_a_manifest_that_says_otherwise_than_the_journal_is_12(
    night: Market, change: dict[str, object]
) -> None:
    """Of which input, how many rows of it, which mode, job and batch."""
    manifest = sorted((night.folder / "reports").glob("*/manifest.json"))[0]
    if "input" in change:
        change = {"input": json.loads(manifest.read_text())["input"] | change["input"]}
    edited(manifest, **change)
    code, told = verified(night)
    assert (
        code == 12
        and str(manifest) in str(told["differences"])
        and "which is" in str(told["differences"])
    )


@pytest.mark.fault("I9")
def test_older_reports_in_the_place_of_the_newest_are_12(night: Market) -> None:
    """A whole folder as it was at an earlier count: its hashes fit, its event is no longer the
    last.
    """
    first = next(
        path.parent for path in (night.folder / "reports").glob("*/manifest-*.json")
    )
    (older,) = first.glob("manifest-*.json")
    (first / "manifest.json").unlink()
    kept = (first / "manifest.json", older)
    # a run sees it by itself, too
    for flags in ((first.name, "report"), ("--summary", "settle")):
        kept[1].replace(kept[0])
        code, told = verified(night)
        assert code == 12 and "was counted anew by event" in str(told["differences"])
        assert night.run(flags[0], verb=flags[1]).returncode in (0, 10)
        assert verified(night)[0] == 0


@pytest.mark.fault("I9")
def test_a_night_without_a_file_an_audit_and_adopted_charges_are_looked_at(
    market: Market,
) -> None:
    """Each has a manifest; each is known by its folder's name; another job's are not looked at."""
    market.job(input="optional = true")
    market.orders([order(1)])
    assert market.run().returncode == 0
    (market.folder / "orders.csv").unlink()
    lose(market, lock_too=False, reports_too=True)
    assert market.run("--adopt").returncode == 0
    assert market.run("--from", TODAY, "--to", TODAY, verb="audit").returncode == 0
    reports = market.folder / "reports"
    files = [
        reports / f"{TODAY}-no-input/report.json",
        reports / f"audit-{TODAY}-{TODAY}/audit.json",
    ]
    files.append(reports / "adopted/adopted.json")
    code, told = verified(market)
    assert (code, told["files"], told["notes"]) == (0, 7, [])
    for path in files:
        before = path.read_bytes()
        assert verified(market, path.parent.name)[0] == 0
        touched(path)
        code, told = verified(market)
        assert code == 12 and str(path) in str(told["differences"])
        path.write_bytes(before)
        manifest = path.with_name("manifest.json")
        before = manifest.read_bytes()
        manifest.unlink()
        assert verified(market, path.parent.name)[0] == 12
        manifest.write_bytes(before)
        edited(manifest, journal=json.loads(before)["journal"] | {"seq": 10**6})
        code, told = verified(market)
        assert code == 12 and "not in the journal as it was" in str(told["differences"])
        manifest.write_bytes(before)
    for _ in range(2):
        assert market.run().returncode == 0
    # one, however many nights
    assert [path.name for path in files[2].parent.glob("manifest*")] == [
        "manifest.json"
    ]
    assert verified(market)[0] == 0
    shutil.copytree(reports / "adopted", reports / "adopted-day")
    for path in (reports / "adopted-day").iterdir():
        edited(path, job="day", reports={})
    assert verified(market)[0] == 0 and verified(market, "adopted-day")[0] == 66


@pytest.mark.fault("I9", "J10")
def test_a_live_job_of_the_same_name_and_folder_is_not_looked_at(
    market: Market,
) -> None:
    """It has a journal and an account of its own: what is of the other mode is no evidence, nor
    where both reported a night without a file into one folder.
    """
    market.job(input="optional = true")
    market.orders([order(1)])
    assert market.run().returncode == 0
    (market.folder / "orders.csv").unlink()
    assert market.run().returncode == 0
    reports = market.folder / "reports"
    (batch,) = [path.parent for path in reports.glob("*/results.csv")]
    live = reports / "2026-11-24-0123456789ab"
    shutil.copytree(batch, live)
    nothing = reports / f"{TODAY}-no-input"
    for folder in (live, nothing):
        told = json.loads((folder / "manifest.json").read_text())
        other = told["journal"] | {"id": "0" * 32, "seq": 9}
        edited(folder / "manifest.json", mode="live", account="acc", journal=other)
        edited(folder / "report.json", mode="live")
    code, found = verified(market)
    assert (code, found["differences"], found["notes"]) == (0, [], [])
    assert verified(market, live.name)[0] == 66
    # a batch that the journal knows is looked at, whatever its manifest says
    edited(batch / "manifest.json", mode="live")
    code, found = verified(market)
    assert code == 12 and "says mode live" in str(found["differences"])


@pytest.mark.fault("I9", "D10")
def test_a_loss_that_was_recovered_is_told_and_no_difference(night: Market) -> None:
    """A lost journal's reports are looked at as they lie there; once written anew, what they
    replace is told.
    """
    touched_one = sorted((night.folder / "reports").glob("2*"))[0]
    lose(night, lock_too=False, reports_too=False)
    (night.folder / "orders.csv").unlink()
    night.job(input="optional = true")
    assert night.run("--adopt").returncode == 0
    code, told = verified(night)
    assert code == 0 and str(told["notes"]).count("of another journal") == 2
    results, before = (
        touched_one / "results.csv",
        (touched_one / "results.csv").read_bytes(),
    )
    touched(results)
    assert verified(night)[0] == verified(night, touched_one.name)[0] == 12
    results.write_bytes(before)
    night.orders([order(3)])
    assert night.run().returncode == 0
    code, told = verified(night)
    assert code == 0 and str(told["notes"]).count("of another journal") == 2, told


@pytest.mark.fault("I9", "D09")
def test_an_older_copy_that_was_recovered_from_is_told_and_no_difference(
    market: Market,
) -> None:
    """The manifests of the events that were lost are kept, and stay no difference for ever."""
    market.orders([order(1), order(2)])
    market.job()
    market.run("--limit", "1")
    kept = {
        path.name: path.read_bytes() for path in (market.folder / "state").iterdir()
    }
    market.run()
    for name, data in kept.items():
        if not name.endswith(".lock"):
            (market.folder / "state" / name).write_bytes(data)
    code, told = verified(market)
    assert code == 12 and "leave the folder there: batchpay run job.toml" in str(told)
    assert market.run().returncode == 0
    code, told = verified(market)
    assert code == 0 and "before a loss that it has noted" in str(told["notes"]), told


@pytest.mark.fault("I9")
def test_a_stranger_can_verify_the_chain(night: Market, tmp_path: Path) -> None:
    """The program in docs/journal.md, as it stands there, makes the same head and finds the
    edit.
    """
    (program,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len(program.splitlines()) <= 24
    script, journal = tmp_path / "chain.py", night.folder / "state" / "batchpay.db"
    script.write_text(program)
    words = [sys.executable, str(script), str(journal)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    _, told = verified(night)
    head = told["journal"]
    assert isinstance(head, dict)
    assert done.stdout.split() == [str(head["events"]), head["digest"]]
    with sqlite3.connect(journal) as connection:
        connection.execute("DROP TRIGGER events_stay")
        connection.execute("UPDATE events SET at_ns = at_ns + 1 WHERE seq = 2")
    assert (
        "event 2"
        in subprocess.run(words, capture_output=True, text=True, check=False).stderr
    )
