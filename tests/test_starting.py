"""init: what it writes is a job that works."""

from __future__ import annotations

import json
import subprocess

from tests.world import Market


def test_what_init_writes_is_checked_at_once(market: Market) -> None:
    """Two orders are right, the third shows what an error looks like; nothing is overwritten."""
    words, how = market.command("init", "here")
    made = subprocess.run(words, capture_output=True, text=True, check=False, **how)
    assert made.returncode == 0 and "batchpay check here/job.toml" in made.stdout, made.stderr
    words, how = market.command("check", "here/job.toml", "--json")
    checked = subprocess.run(words, capture_output=True, text=True, check=False, **how)
    assert checked.returncode == 10, checked.stderr
    told = json.loads(checked.stdout)
    assert [p["rule"] for p in told["problems"]] == ["too-many-decimals"]
    assert told["files"][0]["valid"]["THB"]["count"] == 2
    words, how = market.command("init", "here")
    again = subprocess.run(words, capture_output=True, text=True, check=False, **how)
    assert again.returncode == 64 and "job.toml" in again.stderr
