"""Where one small change of how a run enters, asks before it sends, or reads a list once went
unseen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from batchpay.domain.errors import Misconfigured
from batchpay.domain.events import BelongsTo
from batchpay.domain.model import Answer, Page
from batchpay.gateways.omise.gateway import Omise
from batchpay.gateways.omise.objects import page_in, recipient_in, told
from batchpay.job.job import GatewaySettings
from batchpay.journals.memory import MemoryJournal
from batchpay.lifecycle.listing import Listing
from batchpay.settlement import Channel, Means, Preflight, Recorder, enter, preflight
from batchpay.settlement.pacing import Breaker, Pacer
from batchpay.settlement.paging import read_list
from batchpay.settlement.preflight import why_barred
from batchpay.settlement.run import address_of, refuse_other_place
from tests.fakes import FakeClock, in_virtual_time
from tests.test_lifecycle import charge, error

T_SETTINGS = GatewaySettings(
    url="https://api.omise.co", mode="test", rate=1000, pause_s=0.2
)
NOT_FOUND = Answer(out=True, status=404, said=error("not_found"))


@dataclass
class Told:
    """A gateway that answers by path, and remembers what it was asked."""

    by_path: Mapping[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def read(
        self, path: str, query: Mapping[str, Any], may_leave: Callable[[], bool]
    ) -> Answer:
        assert may_leave()
        self.asked.append(path)
        return self.by_path.get(path, NOT_FOUND)

    async def page(
        self, since: str, offset: int, may_leave: Callable[[], bool], limit: int = 100
    ) -> Answer:
        assert may_leave()
        return Answer(
            out=True, status=200, said={"object": "list", "data": [], "total": 0}
        )


def run(main: Callable[[Channel], Awaitable[None]]) -> None:
    """With a line in virtual time."""

    async def begin() -> None:
        await main(
            Channel(FakeClock(), Pacer(1000, 1.0, 1), Breaker(0.2), lambda: None)
        )

    in_virtual_time(begin())


# --- whose money


@pytest.mark.fault("J03")
@pytest.mark.parametrize(
    "url, address",
    [
        ("https://api.omise.co", "https://api.omise.co"),
        ("https://API.omise.co/", "https://api.omise.co"),
        ("https://api.omise.co:443", "https://api.omise.co"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("https://api.omise.co:80", "https://api.omise.co:80"),
        ("http://127.0.0.1:8787//", "http://127.0.0.1:8787"),
        ("https://a.example/v1", "https://a.example/v1"),
    ],
)
def test_an_address_is_one_however_it_is_written(url: str, address: str) -> None:
    """Capitals, a stroke at the end and the port that goes without saying change nothing; another
    port does.
    """
    assert address_of(replace(T_SETTINGS, url=url)) == address


OURS = {"account": "account_1", "mode": "test", "url": "https://api.omise.co"}


@pytest.mark.fault("J03", "J10")
@pytest.mark.parametrize(
    "kept, found",
    [
        ({}, ""),
        (OURS, ""),
        ({**OURS, "url": ""}, ""),
        (
            {**OURS, "mode": "live"},
            'belongs to live mode, the job says test: .*Say mode = "live"',
        ),
        ({**OURS, "mode": "live", "url": ""}, "belongs to live mode"),
        (
            {**OURS, "url": "https://other.example"},
            "belongs to https://other.example, the job says https://api.omise.co",
        ),
    ],
)
def test_another_mode_or_address_is_refused_with_both_names(
    kept: dict[str, Any], found: str
) -> None:
    """A journal that is nobody's yet, or was written before addresses were kept, is let through."""
    if not found:
        refuse_other_place(T_SETTINGS, kept)
        return
    with pytest.raises(Misconfigured, match=found):
        refuse_other_place(T_SETTINGS, kept)


def account(**changes: Any) -> Answer:
    document = {
        "object": "account",
        "id": "account_1",
        "livemode": False,
        "currency": "thb",
        **changes,
    }
    return Answer(out=True, status=200, said=document)


def entered(
    answer: Answer, kept: dict[str, Any] | None = None
) -> tuple[str, str, list[dict[str, Any]], list[str]]:
    """Account id, currency, what the journal keeps after it, and what a person hears."""
    journal, notes, found = MemoryJournal("night"), [], []
    with_clock = FakeClock()

    async def main(line: Channel) -> None:
        recorder = Recorder(journal, with_clock, "night", "run", live=False)
        if kept is not None:
            await recorder.note(BelongsTo(**kept))
        gateway: Any = Omise(Told({"/account": answer}))
        means = Means(T_SETTINGS, gateway, line, recorder, with_clock)
        account = await enter(means, notes)
        found.append(account)

    run(main)
    return (
        found[0].id,
        found[0].currency,
        [dict(event.data) for event in journal.events(["account"])],
        notes,
    )


@pytest.mark.fault("J03")
def test_the_first_run_writes_down_whose_journal_it_is_and_later_ones_do_not_again() -> (
    None
):
    """The currency is the account's, in capitals; nothing is told to anybody."""
    assert entered(account()) == ("account_1", "THB", [OURS], [])
    assert entered(account(), OURS) == ("account_1", "THB", [OURS], [])
    assert entered(account(), {**OURS, "account": ""}) == (
        "account_1",
        "THB",
        [{**OURS, "account": ""}, OURS],
        [],
    )


@pytest.mark.fault("J03")
@pytest.mark.parametrize(
    "answer",
    [
        NOT_FOUND,
        Answer(out=True, status=200, said=[]),
        account(object="x"),
        account(id=7),
        Answer(out=True, status=403, said=account().said),
    ],
)
def test_an_account_that_cannot_be_read_is_told_and_binds_nobody_yet(
    answer: Answer,
) -> None:
    """Mode and address are held from the first complete list on; a gateway that forbids the
    question is one of them.
    """
    found, _, kept, notes = entered(answer)
    assert (found, kept) == ("", [])
    assert notes == [
        "the gateway does not tell whose account the key is of: only mode and address are held"
    ]


@pytest.mark.fault("J03")
def test_an_account_that_is_known_and_a_key_that_is_refused_have_their_own_words() -> (
    None
):
    """Then it is not said that the gateway does not tell, as if nothing were held."""
    assert entered(NOT_FOUND, OURS)[3] == []
    assert (
        entered(
            Answer(
                out=True,
                status=401,
                said={"object": "error", "code": "x", "message": "m"},
            )
        )[3]
        == []
    )


@pytest.mark.fault("J03", "H03")
@pytest.mark.parametrize(
    "answer, found",
    [
        (
            account(id="account_2"),
            "the key is of account account_2; this journal belongs to account account_1",
        ),
        (account(livemode=True), "the key is of live mode, the job says test"),
    ],
)
def test_another_account_or_mode_ends_the_run(answer: Answer, found: str) -> None:
    """Before anything else is asked."""
    with pytest.raises(Misconfigured, match=found):
        entered(answer, OURS)


def test_an_id_of_any_length_and_a_currency_that_is_none_are_kept_short() -> None:
    """What a gateway may write into a journal is bounded."""
    found, currency, kept, _ = entered(account(id="a" * 500, currency=None))
    assert (found, currency, kept[0]["account"]) == ("a" * 80, "", "a" * 80)


# --- before anything is sent


def recipient(**changes: Any) -> Answer:
    document = {
        "object": "recipient",
        "id": "recp_test_1",
        "verified": True,
        "active": True,
        "deleted": False,
        **changes,
    }
    return Answer(out=True, status=200, said=document)


@pytest.mark.fault("J23")
@pytest.mark.parametrize(
    "answer, why",
    [
        (recipient(), ""),
        (recipient(deleted=None, verified=None, active=None), ""),
        (
            recipient(deleted=True, verified=False, active=False),
            "is deleted at the gateway",
        ),
        (
            recipient(verified=False, active=False),
            "is not verified by the gateway: a later run",
        ),
        (
            recipient(verified=False, failure_code="name_mismatch"),
            "is not verified by the gateway (name_mismatch): a",
        ),
        (recipient(active=False), "is not active at the gateway"),
        (NOT_FOUND, "does not exist at the gateway"),
        (None, None),
        (Answer(out=True, status=404, said="gone"), None),
        (Answer(out=True, status=404), None),
        (Answer(out=True, status=404, said=error("service_not_found")), None),
        (Answer(out=True, status=404, said={"object": "x", "code": "not_found"}), None),
        (Answer(out=True, status=403, said=error("not_found")), None),
        (Answer(out=True, status=500, said=recipient(active=False).said), None),
        (recipient(id="recp_test_2", active=False), None),
        (recipient(object="charge", active=False), None),
        (Answer(out=True, status=200, said=[]), None),
    ],
)
def test_what_a_recipient_lacks_is_told_apart(
    answer: Answer | None, why: str | None
) -> None:
    """The worst first; of whom the gateway does not tell, nothing is held."""
    found = why_barred("recp_test_1", answer and told(answer, recipient_in))
    assert found == why if not why else str(found).startswith(why)


def capability(**limits: Any) -> Answer:
    return Answer(out=True, status=200, said={"object": "capability", "limits": limits})


def asked(
    answers: Mapping[str, Answer], recipients: list[str], at_once: int = 2
) -> tuple[Preflight, list[str]]:
    gateway, found = Told(answers), []

    async def main(line: Channel) -> None:
        found.append(await preflight(recipients, Omise(gateway), line, "THB", at_once))  # type: ignore[arg-type]

    run(main)
    return found[0], gateway.asked


@pytest.mark.fault("J23", "J35")
@pytest.mark.parametrize("at_once", [1, 2, 3, 10])
def test_every_recipient_is_asked_about_once_however_many_at_once(at_once: int) -> None:
    """In order, those behind the unknown ones too; what is no recipient's id asks nobody. Of whom
    it does not tell, it is asked again where it told of others, and they wait.
    """
    answers = {
        f"/recipients/recp_test_{n}": recipient(id=f"recp_test_{n}", active=n != 3)
        for n in range(1, 4)
    }
    names = [
        "recp_test_5",
        "recp_test_1",
        "recp_test_3",
        "recp_test_2",
        "recp_test_4",
        "../account",
        "recp_",
        "x",
    ]
    found, paths = asked(answers, names, at_once)
    assert paths == [
        "/capability",
        *(f"/recipients/recp_test_{n}" for n in range(1, 6)),
    ]
    assert list(found.barred) == ["recp_test_3", "recp_test_4", "recp_test_5"]
    assert "not active" in str(found.barred["recp_test_3"]) and "does not exist" in str(
        found.barred["recp_test_4"]
    )
    assert found.unknown == ()
    silent = {
        f"/recipients/recp_test_{n}": Answer(out=True, status=500) for n in range(1, 6)
    }
    told, paths = asked(silent, names[:5], at_once)
    assert (told.barred, len(paths)) == ({}, 6)
    assert told.unknown == tuple(f"recp_test_{n}" for n in range(1, 6))
    one = {**silent, "/recipients/recp_test_4": recipient(id="recp_test_4")}
    told, paths = asked(one, names[:5], at_once)
    assert sorted(told.barred) == [f"recp_test_{n}" for n in (1, 2, 3, 5)]
    assert {why.code for why in told.barred.values()} == {"barred.untold"}
    assert (told.unknown, len(paths)) == ((), 1 + 5 + 4)


@pytest.mark.fault("J29")
@pytest.mark.parametrize(
    "answer, smallest",
    [
        (capability(transfer_amount={"min": 3000}), {"THB": 3000}),
        (capability(transfer_amount={"min": 1}), {"THB": 1}),
        (capability(transfer_amount={"min": 0}), {}),
        (capability(transfer_amount={"min": True}), {}),
        (capability(transfer_amount={"min": "3000"}), {}),
        (capability(transfer_amount=3000), {}),
        (capability(), {}),
        (
            Answer(out=True, status=200, said={"object": "capability", "limits": None}),
            {},
        ),
        (
            Answer(
                out=True,
                status=200,
                said={**capability(transfer_amount={"min": 3}).said, "object": "x"},
            ),
            {},
        ),
        (
            Answer(
                out=True, status=500, said=capability(transfer_amount={"min": 3}).said
            ),
            {},
        ),
        (Answer(out=True, status=200, said=[]), {}),
        (Answer(out=True, trouble="reset"), {}),
    ],
)
def test_the_smallest_transfer_is_a_whole_number_or_none(
    answer: Answer, smallest: dict[str, int]
) -> None:
    """In the account's currency; anything else is as if nothing had been told."""
    found, _ = asked({"/capability": answer}, [])
    assert found.smallest_share == smallest
    assert found.as_told().data() == {
        "barred": {},
        "smallest_share": smallest,
        "least_charge": {},
    }


# --- one list


@dataclass
class Pages:
    """A list of the gateway of which some charges are too long to be read, alone or in a page with
    others.
    """

    total: int
    longest: int = 100  # charges that fit one answer
    unreadable: frozenset[int] = frozenset()
    asked: list[tuple[int, int]] = field(default_factory=list)
    # by the number of the request
    broken: Mapping[int, Answer] = field(default_factory=dict)

    async def at(
        self, offset: int, may_leave: Callable[[], bool], limit: int
    ) -> Answer[Page]:
        return told(self._answer(offset, may_leave, limit), page_in)

    def _answer(self, offset: int, may_leave: Callable[[], bool], limit: int) -> Answer:
        assert may_leave()
        self.asked.append((offset, limit))
        if (odd := self.broken.get(len(self.asked))) is not None:
            return odd
        some = range(offset, min(offset + limit, self.total))
        if len(some) > self.longest or self.unreadable & set(some):
            return Answer(out=True, too_long=True)
        data = [charge(id=f"chrg_test_{n}") for n in some]
        return Answer(
            out=True,
            status=200,
            said={"object": "list", "data": data, "total": self.total},
        )


def read(pages: Pages) -> tuple[bool, Listing, list[str]]:
    """Whether it was read, its state, and the ids in the order in which they came out."""
    listing, ids, ended = Listing(), [], []

    async def take(answer: Answer[Page]) -> bool:
        page = answer.said
        if page is None:
            return False
        ids.extend(listing.add(page).ids)
        return True

    async def main(line: Channel) -> None:
        ended.append(await read_list(line, pages.at, listing, take))

    run(main)
    return ended[0], listing, ids


@pytest.mark.fault("B32", "J12")
@pytest.mark.parametrize("total", [0, 1, 2, 99, 100, 101, 199, 200, 350])
@pytest.mark.parametrize("longest", [100, 60, 7, 2])
def test_a_list_is_read_whole_however_small_its_pages_must_be(
    total: int, longest: int
) -> None:
    """Every charge once and in order; pages grow again after they had to shrink; a full page is
    never the last.
    """
    pages = Pages(total, longest)
    ended, listing, ids = read(pages)
    assert (ended, listing.complete, listing.broken, listing.skipped) == (
        True,
        True,
        "",
        0,
    )
    assert ids == [f"chrg_test_{n}" for n in range(total)]
    assert pages.asked[0] == (0, 100)
    limits = [limit for _, limit in pages.asked]
    assert max(limits) == 100 and min(limits) >= 2
    if longest == 100:
        assert len(pages.asked) == 1 + max(0, (total - 1) // 99)
    if longest < 100 < total:
        assert any(later > at for at, later in pairwise(limits))


@pytest.mark.fault("J12")
@pytest.mark.parametrize(
    "where", [{0}, {1}, {2}, {98}, {99}, {100}, {149}, {150}, {5, 6}, {0, 149}]
)
def test_one_charge_that_nobody_can_read_costs_itself_only(where: set[int]) -> None:
    """It is passed over and counted; every other charge comes out, once."""
    ended, listing, ids = read(Pages(151, unreadable=frozenset(where)))
    assert (ended, listing.complete, listing.skipped) == (True, True, len(where))
    assert ids == [f"chrg_test_{n}" for n in range(151) if n not in where]


@pytest.mark.fault("B12", "B32")
@pytest.mark.parametrize(
    "odd",
    [
        Answer(out=True, status=200, said={"object": "charge"}),
        NOT_FOUND,
        Answer(out=True, status=200, said=None),
    ],
)
@pytest.mark.parametrize("number, ended", [(1, False), (2, True)])
def test_a_page_that_is_none_ends_the_list_incomplete(
    odd: Answer, number: int, ended: bool
) -> None:
    """Without a first page there was no list at all; after one, what was read stays read and proves
    nothing.
    """
    found, listing, ids = read(Pages(150, broken={number: odd}))
    assert (found, listing.complete) == (ended, False)
    assert len(ids) == (100 if ended else 0)


@pytest.mark.fault("B32")
def test_a_list_that_shifted_is_asked_no_further() -> None:
    """The next one begins anew."""
    shifted = {"object": "list", "data": [charge(id="chrg_test_another")], "total": 300}
    pages = Pages(300, broken={2: Answer(out=True, status=200, said=shifted)})
    ended, listing, _ = read(pages)
    assert ended and "shifted" in listing.broken and not listing.complete
    assert len(pages.asked) == 2
