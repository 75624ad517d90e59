"""docs/sandbox.md: every example in it is run, every action and setting is in it."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox import ACTIONS, Rule, SandboxServer, read_script
from batchpay.sandbox.faults import ENDS
from batchpay.sandbox.script import SETTINGS, Script
from tests.sandboxes import KEY, client, order, refused, wait_for

PAGE = (Path(__file__).parents[1] / "docs" / "sandbox.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^#### (.+?)\n\n```toml\n(.+?)```$", PAGE, re.M | re.S))


def gap_s(answer: httpx.Response) -> float:
    """How far ahead of this machine's clock an answer's Date is."""
    return (
        parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)
    ).total_seconds()


# --- what each example of the page does


def an_hour_ahead(sandbox, api):
    first = api.post("/charges", data=order())
    assert abs(gap_s(first) - 3600) < 60
    created = datetime.fromisoformat(first.json()["created_at"])
    assert abs((created - datetime.now(UTC)).total_seconds() - 3600) < 60
    assert api.get("/charges").json()["total"] == 1
    third = api.get("/charges")
    assert (third.status_code, third.text[:6]) == (429, "<html>")
    assert not {"retry-after", "x-ratelimit-limit"} & set(third.headers)
    assert not {"x-ratelimit-limit"} & set(first.headers)


def chosen(sandbox, api):
    names = ["A-1", "A-2", "A-3", "A-4", "B-7", "B-71", "B-8"]
    answers = [
        api.post("/charges", data=order() | {"metadata[order_id]": name}).status_code
        for name in names
    ]
    assert answers == [200, 400, 400, 200, 400, 400, 200]


def lost_once(sandbox, api):
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        api.post("/charges", data=order(17))
    assert api.post("/charges", data=order(17)).status_code == 200
    assert len(sandbox.charges()) == 2


def lands_late(sandbox, api):
    begun = time.monotonic()
    assert api.post("/charges", data=order()).status_code == 500
    assert sandbox.charges() == [] or time.monotonic() - begun > 0.2
    wait_for(lambda: len(sandbox.charges()) == 1)


def hidden(sandbox, api):
    # before it was made: it is hidden from some moment after this
    asked = time.monotonic()
    charge = api.post("/charges", data=order()).json()
    find = {"scope": "charge", "query": "A-1"}
    totals = [
        api.get("/charges").json()["total"],
        api.get("/search", params=find).json()["total"],
    ]
    assert totals == [0, 0] or time.monotonic() - asked > 0.5
    assert api.get(f"/charges/{charge['id']}").json() == charge
    wait_for(lambda: api.get("/charges").json()["total"] == 1)
    assert api.get("/search", params=find).json()["data"] == [charge]
    assert time.monotonic() - asked > 0.5


def crowded(sandbox, api):
    mine = [
        api.post("/charges", data=order(number)).json()["id"] for number in range(4)
    ]
    newest_first = {"order": "reverse_chronological", "limit": 2}
    pages = [
        api.get("/charges", params=newest_first | {"offset": offset}).json()
        for offset in (0, 2)
    ]
    assert [page["total"] for page in pages] == [7, 10]
    assert not set(mine) & {one["id"] for page in pages for one in page["data"]}
    oldest_first = api.get("/charges", params={"limit": 4}).json()
    assert [one["id"] for one in oldest_first["data"]] == mine
    assert (
        len(
            api.get(
                "/search", params={"scope": "charge", "query": "somebody else's"}
            ).json()["data"]
        )
        == 9
    )


def revoked(sandbox, api):
    answers = [
        api.post("/charges", data=order(number)).status_code for number in range(4)
    ]
    assert answers == [200, 200, 401, 401]
    refused(api.get("/charges"), 401, "authentication_failure")
    with client(sandbox, "skey_test_new") as other:
        assert other.get("/charges").json()["total"] == 2


def slow_clock(sandbox, api):
    answer = api.get("/balance")
    assert abs(gap_s(answer) + 600) < 60
    assert (
        abs(
            (
                datetime.fromisoformat(answer.json()["created_at"]) - datetime.now(UTC)
            ).total_seconds()
        )
        < 60
    )


def of_tomorrow(sandbox, api):
    charge = api.post("/charges", data=order()).json()
    answer = api.post(f"/charges/{charge['id']}/refunds", data={"amount": "100"})
    assert abs(gap_s(answer)) < 60
    made = datetime.fromisoformat(answer.json()["created_at"])
    assert abs((made - datetime.now(UTC)).total_seconds() - 86_400) < 60


def maintained(sandbox, api):
    page = api.get("/charges")
    assert (page.status_code, page.text, page.headers["retry-after"]) == (
        503,
        "<html>back soon</html>",
        "30",
    )
    changed = api.post("/charges", data=order()).json()
    assert (changed["amount"], changed["metadata"]) == (1, {"order_id": "another"})
    (charge,) = api.get("/charges").json()["data"]
    assert (charge["amount"], charge["metadata"]) == (100000, {"order_id": "A-1"})


def unreadable(sandbox, api):
    refused(api.get("/account"), 403, "forbidden")
    assert api.get("/capability").json()["limits"]["transfer_amount"]["min"] == 5000
    with (
        client(sandbox, "skey_test_day") as day,
        client(sandbox, "skey_test_night") as night,
    ):
        day.post("/charges", data=order())
        assert [one.get("/charges").json()["total"] for one in (api, day, night)] == [
            0,
            1,
            1,
        ]


def commissioned(sandbox, api):
    fields = {"platform_fee[fixed]": "500"}
    answers = [
        api.post("/charges", data=order(number, **fields)).json()
        for number in range(1, 5)
    ]
    true = {"fixed": 500, "amount": 500, "percentage": None}
    assert [one["platform_fee"] for one in answers] == [
        None,
        true | {"amount": 0},
        true | {"fixed": 1},
        true,
    ]
    assert [one["platform_fee"] for one in api.get("/charges").json()["data"]] == [
        None,
        true,
        true,
        true,
    ]


def stale(sandbox, api):
    for number in (1, 2, 3):
        api.post("/charges", data=order(number))

    def listed():
        return [
            one["metadata"]["order_id"] for one in api.get("/charges").json()["data"]
        ]

    assert listed() == ["A-1", "A-3"]
    api.post("/charges", data=order(4))
    assert listed() == ["A-1", "A-3", "A-4"]
    api.post("/charges", data=order(5))
    assert listed() == ["A-1", "A-3", "A-4"]


def paid_after_all(sandbox, api):
    ends = [api.post("/charges", data=order(number)).json() for number in (1, 2, 3)]
    assert [one["status"] for one in ends] == ["expired", "failed", "successful"]
    assert [one["status"] for one in api.get("/charges").json()["data"]] == [
        "expired",
        "failed",
        "successful",
    ]
    assert [api.get(f"/charges/{one['id']}").json()["status"] for one in ends] == [
        "successful"
    ] * 3
    assert [one["paid"] for one in api.get("/charges").json()["data"]] == [True] * 3


def forgotten(sandbox, api):
    first, second = (
        api.post("/charges", data=order(number)).json()["id"] for number in (1, 2)
    )
    wait_for(lambda: api.get(f"/charges/{first}").status_code == 404)
    wait_for(lambda: api.get(f"/charges/{second}").json()["refunded_amount"] == 100000)
    assert [one["id"] for one in api.get("/charges").json()["data"]] == [second]


def answered_wrongly(sandbox, api):
    answers = [api.post("/charges", data=order(number)) for number in range(1, 5)]
    first, second, third, fourth = (one.json() for one in answers)
    assert first["id"] == second["id"] and second["metadata"] == {"order_id": "A-2"}
    assert (third["status"], third["currency"]) == (None, "")
    assert len(answers[3].content) > 1 << 20 and fourth["status"] == "successful"


DO = {
    "The key cannot read its account, and no share below 50 baht can be paid out": unreadable,
    "The commission: null wherever A-1 is shown, 0 for A-2, another one for A-3": commissioned,
    "From the second on, every list is a stale copy, and none ever shows A-2": stale,
    "A-1 expires and is paid after all, A-2 fails and is paid when it is next read": paid_after_all,
    "The gateway forgets A-1 half a second after it was made, and gives A-2 back to its payer": (
        forgotten
    ),
    (
        "A-2 is answered under the id of A-1, A-3 without a status and a currency, "
        "A-4 at great length"
    ): answered_wrongly,
    "A gateway an hour ahead that lets two requests a minute through": an_hour_ahead,
    "The second and third charge are refused, and every charge of order B-7": chosen,
    "The answer to A-17 is lost once, after the charge was made": lost_once,
    "A charge lands two tenths of a second after its client was told of an error": lands_late,
    "Nobody finds the charge for half a second, by list or by search": hidden,
    "Others charge while a list is read": crowded,
    "The key is revoked at the third charge": revoked,
    "The clock of the answers is ten minutes slow": slow_clock,
    "What is made is of tomorrow, though every answer tells the time of today": of_tomorrow,
    "A maintenance page instead of the list, then an answer with another amount": maintained,
}


@pytest.mark.parametrize("title", DO)
def test_an_example_of_the_page_does_what_its_title_says(title, tmp_path):
    script = tmp_path / "script.toml"
    script.write_text(EXAMPLES[title], "utf-8")
    with SandboxServer.scripted(script) as sandbox, client(sandbox) as api:
        DO[title](sandbox, api)


def test_every_example_of_the_page_is_run():
    assert set(EXAMPLES) == set(DO)
    assert PAGE.count("```toml") == len(DO)


def test_the_example_for_ones_own_tests_passes():
    (example,) = re.findall(r"^```python\n(import httpx\n.+?)```$", PAGE, re.M | re.S)
    scope: dict[str, Callable[[], None]] = {}
    exec(compile(example, "docs/sandbox.md", "exec"), scope)
    scope["test_a_lost_answer_is_not_a_lost_charge"]()


def test_every_action_field_and_setting_is_on_the_page():
    named = set(
        re.findall(
            r"`([a-z_]+)`",
            "\n".join(line.split("|")[1] for line in PAGE.splitlines() if "|" in line),
        )
    )
    fields = set(Rule.__dataclass_fields__) - {
        "action",
        "seen",
        "applied",
        "waiting",
        "copies",
    }
    assert set(ACTIONS) | fields | set(SETTINGS) <= named
    assert set(ENDS) <= set(re.findall(r"`([a-z_]+)`", PAGE))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[sandbox]\nspeed = 3\n", "no setting speed; settings are rate,"),
        ("[sandbox]\nrate = 8\n", "rate = 8 is of the wrong kind"),
        ('[sandbox]\nrate = "fast"\n', "write 8/s"),
        ("[sandbox]\nrate_html = true\n", "give rate too"),
        ('[sandbox]\nidempotency = "maybe"\n', "idempotency is off or on, not 'maybe'"),
        ('[sandbox]\nsecret_keys = "skey_test_a"\n', "of the wrong kind"),
        (
            '[[rule]]\naction = "torn"\n[[rule]]\ntimes = "2"\n',
            "rule 2: fault rule: times = '2' is of the wrong kind",
        ),
        ("[[rule]]\ntimes = true\n", "times = True is of the wrong kind"),
        ('[[rule]]\nnth = [1, "2"]\n', "of the wrong kind"),
        ("[rules]\n", "nothing else"),
        ('rule = "torn"\n', r"expected \[\[rule\]\] tables"),
        ("[[rule", "script.toml"),
    ],
)
def test_what_is_wrong_in_a_script_is_told_with_its_place(text, told, tmp_path):
    script = tmp_path / "script.toml"
    script.write_text(text, "utf-8")
    with pytest.raises(Misconfigured, match=told) as error:
        read_script(script)
    assert str(script) in str(error.value)


def test_an_empty_script_changes_nothing(tmp_path):
    script = tmp_path / "script.toml"
    script.write_text("", "utf-8")
    assert read_script(script) == Script()


def test_a_script_names_the_good_keys_and_turns_idempotency_on(tmp_path):
    script = tmp_path / "script.json"
    script.write_text(
        '{"sandbox": {"idempotency": "on", "secret_keys": ["skey_test_a", "skey_live"]}}',
        "utf-8",
    )
    with (
        SandboxServer.scripted(script) as sandbox,
        client(sandbox, "skey_test_a") as api,
    ):
        twice = [
            api.post("/charges", data=order(), headers={"Idempotency-Key": "k"}).json()[
                "id"
            ]
            for _ in range(2)
        ]
        assert twice[0] == twice[1]
        with client(sandbox, "skey_test_b") as other:
            refused(other.get("/balance"), 401, "authentication_failure")
        with client(sandbox, "skey_live") as live:
            assert live.get("/balance").json()["livemode"] is True
            assert live.get("/charges").json()["total"] == 0


def test_a_key_is_good_again_when_it_is_accepted_again():
    with SandboxServer() as sandbox, client(sandbox) as api:
        sandbox.add_rule(action="revoke_key", method="GET", path="/balance", times=1)
        assert [api.get("/balance").status_code for _ in range(2)] == [401, 401]
        sandbox.accept_keys("skey_test_5xzzzzzzzzzzzzzzzzz")
        assert api.get("/balance").status_code == 200


def test_a_hidden_charge_made_twice_is_hidden_twice():
    with SandboxServer() as sandbox, client(sandbox) as api:
        sandbox.add_rule(commit="twice", hide_s=60)
        api.post("/charges", data=order())
        assert (api.get("/charges").json()["total"], len(sandbox.charges())) == (0, 2)


def command(*words: object) -> list[str]:
    return [
        sys.executable,
        "-m",
        "batchpay",
        "sandbox",
        "--port",
        "0",
        *map(str, words),
    ]


def test_the_command_serves_a_script_until_it_is_stopped(tmp_path):
    """It says where it is in its first line; SIGTERM ends it with 0; a second start knows what was
    charged.
    """
    script, ledger = tmp_path / "script.toml", tmp_path / "ledger.jsonl"
    script.write_text(EXAMPLES["The key is revoked at the third charge"], "utf-8")
    answers = []
    for _ in range(2):
        with subprocess.Popen(
            command("--script", script, "--ledger", ledger),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                url = process.stdout.readline().split()[0]
                with httpx.Client(base_url=url, auth=(KEY, ""), trust_env=False) as api:
                    answers += [
                        api.post("/charges", data=order(number)).status_code
                        for number in range(2)
                    ]
                    answers.append(api.get("/charges").json()["total"])
            finally:
                process.send_signal(signal.SIGTERM)
                out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
    assert answers == [200, 200, 2, 200, 200, 4]


def test_the_command_refuses_a_wrong_script_in_one_sentence(tmp_path):
    script = tmp_path / "script.toml"
    script.write_text('[[rule]]\naction = "explode"\n', "utf-8")
    done = subprocess.run(
        command("--script", script),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (Misconfigured.exit_code, "")
    assert (
        "rule 1: fault rule: no action 'explode'; one of none, reset_before"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
