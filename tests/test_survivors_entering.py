"""Where one small change of how a run enters once went unseen: whose account the key is of, what it
is that answers, and who can be paid. On values and a line in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from batchpay.domain.books import Account, Capability, Recipient
from batchpay.domain.errors import (
    BatchpayError,
    GatewaySilent,
    Misconfigured,
    NotAllowed,
)
from batchpay.domain.events import BelongsTo, RecipientsAsked
from batchpay.domain.model import Answer
from batchpay.journals.memory import MemoryJournal
from batchpay.messages.message import plain
from batchpay.settlement import Channel, Means, Recorder
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.settlement.preflight import Preflight, preflight, why_barred
from batchpay.settlement.run import (
    account_of,
    enter,
    refuse_other_account,
    refuse_other_mode,
    refuse_other_place,
    why_whose_unknown,
)
from tests.fakes import FakeClock, in_virtual_time
from tests.test_settlement import SETTINGS

ONE = "recp_test_1"
PAID = Recipient(ONE, verified=True, active=True)


def told(said: Any, **changes: Any) -> Answer[Any]:
    return replace(Answer(out=True, status=200, said=said, kind="a kind"), **changes)


REFUSED = Answer(out=True, status=401, kind="error", code="authentication_failure")
MAY_NOT = Answer(out=True, status=403, kind="error", code="forbidden")
NONE_SUCH = Answer(out=True, status=404, kind="error", code="not_found")
PAGE = Answer(out=True, status=404, excerpt="no such page")
ACCOUNT = told(Account("acct_1", "THB", live=False))
LIST = told(None, kind="list")


@dataclass
class Entrance:
    """A gateway that answers in one way whatever it is asked, as often as it is."""

    account_is: Answer[Any] = ACCOUNT
    page_is: Answer[Any] = LIST
    capability_is: Answer[Any] = NONE_SUCH
    recipients: dict[str, Answer[Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def account(self, may_leave: Callable[[], bool]) -> Answer[Any]:
        assert may_leave()
        self.asked.append("account")
        return self.account_is

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], *, limit: int
    ) -> Answer[Any]:
        assert may_leave()
        self.asked.append(f"{limit} of {since} from {offset}")
        return self.page_is

    async def capability(self, may_leave: Callable[[], bool]) -> Answer[Any]:
        assert may_leave()
        return self.capability_is

    async def recipient(
        self, recipient: str, may_leave: Callable[[], bool]
    ) -> Answer[Any]:
        assert may_leave()
        self.asked.append(recipient)
        return self.recipients.get(recipient, told(replace(PAID, id=recipient)))


def at(main: Callable[[Channel], Coroutine[Any, Any, Any]]) -> Any:
    """What it comes to, on a line of its own."""

    async def begun() -> Any:
        return await main(
            Channel(FakeClock(), Pacer(50, 1.0, 1), Breaker(1.0), lambda: None)
        )

    return in_virtual_time(begun(), 1000.0)[0]


# --- who can be paid


@pytest.mark.fault("J23")
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (told(PAID), ""),
        (told(Recipient(ONE)), ""),  # it tells nothing against it
        (told(replace(PAID, deleted=True)), "is deleted"),
        (told(replace(PAID, verified=False)), "is not verified"),
        (
            told(replace(PAID, verified=False, failure_code="bad_account")),
            "bad_account",
        ),
        (told(replace(PAID, active=False)), "active"),
        (told(replace(PAID, deleted=True, active=False)), "is deleted"),
        (NONE_SUCH, "does not exist"),
        (replace(NONE_SUCH, status=403), None),
        (replace(NONE_SUCH, status=405), None),
        (PAGE, None),
        (told(replace(PAID, id="recp_test_2", deleted=True)), None),
        (told(replace(PAID, deleted=True), status=500), None),
        (told(replace(PAID, deleted=True), status=199), None),
        (told(None), None),
        (None, None),
    ],
)
def test_why_a_recipient_cannot_be_paid(
    answer: Answer[Any] | None, why: str | None
) -> None:
    """Only what the gateway says of this very one; None where it does not tell."""
    found = why_barred(ONE, answer)
    if not why:
        assert found == why
    else:
        assert why in str(found)


@pytest.mark.fault("J23", "J29")
def test_each_recipient_is_asked_about_once_and_limits_in_the_accounts_currency() -> (
    None
):
    """What is no recipient's id is asked about nowhere; who is not told of, once more."""
    ids = [f"recp_test_{number}" for number in range(5)]
    gateway: Any = Entrance(
        capability_is=told(Capability(2000, 15_000_000, 3000)),
        recipients={
            ids[1]: told(replace(PAID, id=ids[1], deleted=True)),
            ids[3]: PAGE,
        },
    )

    async def main(channel: Channel) -> Preflight:
        return await preflight([*ids[::-1], "any text"], gateway, channel, "THB", 2)

    found = at(main)
    assert gateway.asked == [*ids, ids[3]]
    assert sorted(found.barred) == [ids[1], ids[3]] and found.unknown == ()
    assert "is deleted" in str(found.barred[ids[1]])
    assert "did not tell of" in str(found.barred[ids[3]])
    assert found.smallest_share == {"THB": 3000}
    assert (found.least_charge, found.most_charge) == (
        {"THB": 2000},
        {"THB": 15_000_000},
    )


@pytest.mark.fault("J29")
@pytest.mark.parametrize(
    ("answer", "currency"),
    [
        (NONE_SUCH, "THB"),
        (Answer(out=True, trouble="reset"), "THB"),
        (told(Capability(1, 2, 3), status=500), "THB"),
        (told(None), "THB"),
        (told(Capability()), "THB"),
        (told(Capability(1, 2, 3)), ""),
    ],
)
def test_limits_that_nobody_tells_are_none(answer: Answer[Any], currency: str) -> None:
    gateway: Any = Entrance(capability_is=answer)

    async def main(channel: Channel) -> Preflight:
        return await preflight([], gateway, channel, currency, 4)

    assert at(main) == Preflight()


@pytest.mark.fault("J23", "J35")
def test_what_was_told_before_stands_beside_what_is_told_today() -> None:
    """Of recipients that were not asked about or are not told of today, and of limits that today
    nobody tells.
    """
    kept = Preflight(
        {"r1": "then", "r2": "then"}, (), {"THB": 1}, {"THB": 2}, {"THB": 3}
    )
    today = Preflight({"r3": "now"}, ("r4",))
    assert today.beside(kept, ["r2", "r3"]) == replace(
        kept, barred={"r1": "then", "r3": "now"}, unknown=("r4",)
    )
    silent = Preflight(unknown=("r2",))
    assert silent.beside(kept, ["r1", "r2"]).barred == {"r2": "then"}
    full = Preflight({}, (), {"THB": 4}, {"THB": 5}, {"THB": 6})
    assert full.beside(kept, ["r1", "r2"]) == full


@pytest.mark.fault("J23")
def test_what_is_kept_of_recipients_comes_back_as_it_was() -> None:
    """Their reasons too; an earlier version kept the sentence."""
    found = Preflight(
        {"r1": plain("is odd"), "r2": "is old"}, (), {"THB": 1}, {"THB": 2}, {"THB": 3}
    )
    assert Preflight.of_told(found.as_told()) == found
    assert Preflight.of_told(RecipientsAsked(barred={})) == Preflight()


# --- what answers


@pytest.mark.fault("B21", "B29", "F04")
@pytest.mark.parametrize(
    ("answer", "page", "found", "closed", "fatal"),
    [
        (ACCOUNT, LIST, "acct_1", "", None),
        (REFUSED, LIST, "", "refused the secret key", NotAllowed),
        (MAY_NOT, LIST, "", "", None),  # it may charge all the same
        (NONE_SUCH, LIST, "", "", None),
        (told(None), LIST, "", "", None),
        (told(Account("acct_1"), status=201), LIST, "", "", None),
        (PAGE, LIST, "", "", None),  # its charges are a gateway's
        (PAGE, PAGE, "", "status 404, and no document", Misconfigured),
        (PAGE, replace(PAGE, status=410), "", "status 410", Misconfigured),
        (PAGE, replace(PAGE, status=405), "", "status 405", Misconfigured),
        (PAGE, replace(PAGE, status=200), "", "status 200", GatewaySilent),
        (PAGE, replace(PAGE, status=406), "", "status 406", GatewaySilent),
        (PAGE, replace(PAGE, status=403), "", "status 404", Misconfigured),
    ],
)
def test_what_answers_for_the_account_may_be_no_gateway(
    answer: Answer[Any],
    page: Answer[Any],
    found: str,
    closed: str,
    fatal: type[BatchpayError] | None,
) -> None:
    """Then it is asked for its charges, once, for a single one; and nothing is sent."""
    gateway: Any = Entrance(answer, page)

    async def main(channel: Channel) -> Channel:
        assert (await account_of(SETTINGS, gateway, channel)).id == found
        return channel

    channel = at(main)
    assert closed in channel.closed and bool(channel.closed) is bool(closed)
    assert type(channel.fatal) is (fatal or type(None))
    pages = [one for one in gateway.asked if one != "account"]
    is_page = answer is PAGE
    assert pages == ["1 of 1970-01-01T00:00:00Z from 0"] * is_page
    if fatal is Misconfigured:
        assert "no such page" in channel.closed
        assert SETTINGS.url in channel.closed


def test_a_page_without_a_word_is_told_by_its_status() -> None:
    gateway: Any = Entrance(replace(PAGE, excerpt=""), replace(PAGE, excerpt=""))

    async def main(channel: Channel) -> str:
        await account_of(SETTINGS, gateway, channel)
        return channel.closed

    assert at(main).endswith("(status 404, and no document of the gateway's)")


# --- whose account it is

MINE = {"account": "acct_1", "mode": "test", "url": "https://a.example"}


@pytest.mark.fault("J03")
@pytest.mark.parametrize(
    ("account", "kept", "refused"),
    [
        ("acct_1", MINE, False),
        ("acct_2", MINE, True),
        ("acct_2", {}, False),  # nobody's yet
        ("acct_2", {**MINE, "account": ""}, False),
        ("", MINE, False),  # nobody tells: see below
    ],
)
def test_a_key_of_another_account_is_refused(
    account: str, kept: dict[str, Any], *, refused: bool
) -> None:
    """By whoever tells whose the journal is."""
    if not refused:
        refuse_other_account(Account(account), kept)
        return
    with pytest.raises(Misconfigured, match="this journal belongs to account acct_1"):
        refuse_other_account(Account(account), kept)
    with pytest.raises(Misconfigured, match=r"report\.json belongs to account acct_1"):
        refuse_other_account(Account(account), {**kept, "by": "report.json"})


@pytest.mark.fault("J03")
@pytest.mark.parametrize(
    ("live", "mode", "told_mode"),
    [
        (True, "live", ""),
        (False, "test", ""),
        (None, "live", ""),
        (True, "test", "the key is of live mode, the job says test"),
        (False, "live", "the key is of test mode, the job says live"),
    ],
)
def test_a_key_of_the_other_mode_is_refused(
    live: bool | None, mode: Any, told_mode: str
) -> None:
    """Where the gateway tells."""
    settings = replace(SETTINGS, mode=mode)
    if not told_mode:
        refuse_other_mode(settings, Account("acct_1", live=live))
        return
    with pytest.raises(Misconfigured, match=told_mode):
        refuse_other_mode(settings, Account("acct_1", live=live))


@pytest.mark.fault("J03")
def test_a_journal_of_another_mode_or_address_is_refused() -> None:
    settings = replace(SETTINGS, mode="test", url="https://A.example:443/")
    for kept in ({}, MINE, {**MINE, "url": ""}):
        refuse_other_place(settings, kept)
    with pytest.raises(Misconfigured, match="belongs to live mode, the job says test"):
        refuse_other_place(settings, {**MINE, "mode": "live"})
    with pytest.raises(Misconfigured, match=r"belongs to https://b\.example"):
        refuse_other_place(settings, {**MINE, "url": "https://b.example"})


@pytest.mark.fault("J03")
def test_the_first_run_writes_down_whose_the_journal_is() -> None:
    """Once; a gateway that does not tell is noted, and binds nothing before a list is whole."""
    settings = replace(SETTINGS, mode="test", url="https://a.example")
    journal = MemoryJournal("night")

    def entered(answer: Answer[Any]) -> tuple[Account, list[str], str]:
        notes: list[str] = []
        gateway: Any = Entrance(answer)

        async def main(channel: Channel) -> tuple[Account, str]:
            recorder = Recorder(journal, FakeClock(), "night", "run", live=False)
            means = Means(settings, gateway, channel, recorder, FakeClock())
            account = await enter(means, notes)
            return account, why_whose_unknown(recorder, account)

        account, untold = at(main)
        return account, notes, untold

    account, notes, untold = entered(NONE_SUCH)
    assert account == Account() and untold == "" and len(notes) == 1
    assert "does not tell whose account the key is of" in notes[0]
    assert list(journal.events()) == []
    for _ in range(2):
        account, notes, untold = entered(ACCOUNT)
        assert (account.id, notes, untold) == ("acct_1", [], "")
    (event,) = journal.events([BelongsTo.kind])
    assert event.data == MINE
    account, notes, untold = entered(NONE_SUCH)
    assert notes == [] and "belongs to account acct_1: nothing is sent" in untold
    with pytest.raises(Misconfigured, match="the key is of account acct_2"):
        entered(told(Account("acct_2")))
