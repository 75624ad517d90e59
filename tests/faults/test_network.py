"""One night in which every answer that can go wrong goes wrong, each for an order of its own,
between good ones.

The true program, one run, real sockets, no idempotency at the gateway. Each fate is a row: what
must become of the order, and how many POSTs for it may have arrived. BATCHPAY_SWEEP=1 adds every
offset and every status.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.adversary import (
    LOST_AFTER,
    LOST_BEFORE,
    Adversary,
    Fate,
    error,
    framed,
    rewritten,
    says,
)
from tests.doses import FULL
from tests.faults.stage import Stage, named, stage
from tests.world import order

# answers between two silences: five silences in a row would be an outage
GOOD_BETWEEN = 2
HTML = b"<html><body>Please log in to the hotel's network</body></html>"
REFUSALS = (
    "invalid_card",
    "invalid_card_token",
    "insufficient_fund",
    "bad_request",
    "amount_invalid",
    "invalid_amount",
    "invalid_charge",
    "brand_not_supported",
    "invalid_recipient",
    "currency_not_supported",
    "locked_out",
)


@dataclass(frozen=True)
class Case:
    """What the gateway does to one order, and what must come of it."""

    fault: str
    name: str
    fates: tuple[Fate, ...]
    outcome: str
    posts: int
    first: tuple[str, ...] = ("in_doubt",)  # what the first answer may be said to prove


def adopted(fault: str, name: str, fate: Fate) -> Case:
    """Charged, and the answer proves nothing: found by look-up, never sent again."""
    return Case(fault, name, (fate,), "succeeded", 1)


def taken(fault: str, name: str, fate: Fate, *first: str) -> Case:
    """The answer is odd, and an answer all the same."""
    return Case(fault, name, (fate,), "succeeded", 1, first or ("charge",))


def sent_again(fault: str, name: str, fate: Fate) -> Case:
    """Not charged, and the answer proves nothing: sent again once, after the doubt period."""
    return Case(fault, name, (fate,), "succeeded", 2)


def refused(fault: str, name: str, *fates: Fate) -> Case:
    """The gateway said no."""
    return Case(fault, name, fates, "refused", len(fates), ("refused",))


def with_field(name: str, text: str) -> Callable[[bytes], bytes]:
    """The true document with one more field, whatever its value."""
    return lambda body: body[:-1] + f', "{name}": {text}}}'.encode()


def head(*lines: str) -> Callable[[bytes], bytes]:
    """The true body under this head."""
    return lambda body: (
        "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
    )


def raw(*lines: str) -> Fate:
    """A charge whose answer is only these lines."""
    return Fate(raw="\r\n".join([*lines, "", ""]).encode(), end="close")


def cases(elsewhere: str) -> Iterator[Case]:
    """All fates; `elsewhere` is another host that must never hear of us."""
    for size in (0, 1, 20, 300, 10**6):
        yield sent_again(
            "B06", f"reset after {size} bytes of the request", Fate(read=size)
        )
    yield adopted("B07", "charged, then reset", LOST_AFTER)
    yield sent_again("B07", "not charged, then reset", LOST_BEFORE)
    yield taken("B08", "closes after the answer", Fate(end="close"))
    yield taken("B08", "resets after the answer", Fate(end="reset"))
    yield adopted("B09", "answers after the deadline", Fate(after_s=1.6))
    yield sent_again("B09", "never answers", Fate(commit="never", end="hang", cut=0))
    yield adopted(
        "B09",
        "lands after we gave up",
        Fate(commit="late", late_s=0.3, cut=0, end="reset"),
    )
    yield adopted("B10", "head one byte at a time", Fate(drip_s=0.05))
    yield adopted("B10", "body one byte at a time", Fate(drip_s=0.003))
    yield from cut_answers()
    yield from bodies()
    for status in (500, 502, 503, 504, 599):
        yield sent_again(
            "B17", f"{status} before the charge", error(status, "internal_error")
        )
        yield adopted("B18", f"{status} after the charge", says(HTML, status))
    yield from refusals()
    yield adopted(
        "B23",
        "409, still at it",
        Fate(commit="late", late_s=0.2, status=409, code="conflict"),
    )
    yield sent_again(
        "B23",
        "409, and nothing comes",
        error(409, "conflict", "a request with this key is in progress"),
    )
    yield refused("B25", "used token, first send", error(400, "used_token"))
    yield Case(
        "B25",
        "used token after a doubt",
        (LOST_BEFORE, error(400, "used_token")),
        "in_doubt",
        2,
    )
    for status in (301, 302, 303, 307, 308):
        fate = error(status, headers=(f"Location: {elsewhere}/charges",))
        yield sent_again("B26", f"{status} to another host", fate)
    yield adopted("B27", "ten gigabytes", Fate(flood=10 << 30, framed=ten_gigabytes))
    yield adopted(
        "B27",
        "ten gigabytes without a length",
        Fate(flood=10 << 30, framed=without_end),
    )
    bomb = zlib.compress(b"0" * 200_000_000, 9)
    yield adopted("B27", "a bomb", says(bomb, 200, "Content-Encoding: deflate"))
    yield from frames()
    yield sent_again(
        "B29",
        "a captive portal",
        says(HTML, 200, "Content-Type: text/html", commit="never"),
    )
    yield sent_again("B29", "a portal that says 511", error(511))
    yield sent_again("B29", "a proxy's 400 page", says(HTML, 400, commit="never"))
    yield sent_again("B29", "a proxy's 407", error(407))
    yield sent_again("B29", "a proxy's 408", error(408, "request_timeout"))
    yield sent_again("B29", "a proxy's 499", error(499, "x"))


def cut_answers() -> Iterator[Case]:
    """An answer cut short: by length, by chunk, by compression."""
    for at in (*range(800), *range(-100, 0)) if FULL else (1, 17, 120, 250, 700, -1):
        yield adopted("B11", f"cut after {at} bytes", Fate(cut=at, end="close"))
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s"
    yield adopted(
        "B11",
        "a chunk is cut",
        framed(lambda body: chunked % (len(body), body[:-1]), end="close"),
    )
    yield adopted(
        "B11",
        "no last chunk",
        framed(lambda body: chunked % (len(body), body + b"\r\n"), end="close"),
    )
    packed = Fate(
        rewrite=lambda body: gzip.compress(body)[:-4],
        headers=("Content-Encoding: gzip",),
    )
    yield adopted("B11", "gzip is cut", packed)


def bodies() -> Iterator[Case]:
    """A success status over what is no charge object."""
    charged = {
        "BOM": lambda body: b"\xef\xbb\xbf" + body,
        "UTF-16": lambda body: body.decode().encode("utf-16"),
        "NaN": with_field("interest", "NaN"),
        "infinite": with_field("interest", "-Infinity"),
        "a key twice": with_field("amount", "1"),
        "1e400": with_field("interest", "1e400"),
        "nested": with_field("card", "[" * 100_000 + "]" * 100_000),
        "not UTF-8": lambda body: body.replace(b'"object"', b'"\xff": 1, "object"'),
        "two documents": lambda body: body + body,
    }
    for name, how in charged.items():
        yield adopted("B12", name, rewritten(how))
    yield adopted("B12", "HTML", says(HTML))
    yield adopted("B12", "nothing", says(b""))
    yield adopted("B12", "204", says(b"", 204))
    for body in (
        b"[]",
        b"{}",
        b"null",
        b"true",
        b'"charge"',
        b"12",
        b'{"object": "list", "data": []}',
        b'{"object": "charge"}x',
        b'{"object": "Charge", "id": "chrg_test_1"}',
    ):
        yield adopted("B13", f"of another kind: {body.decode()}", says(body))
    mistake = json.dumps(
        {"object": "error", "code": "failed_fraud_check", "message": "no"}
    ).encode()
    yield adopted("B14", "200, an error, and charged", says(mistake))
    yield sent_again("B14", "200, an error, not charged", says(mistake, commit="never"))


def refusals() -> Iterator[Case]:
    """The gateway's own no."""
    for code in REFUSALS:
        yield refused("B22", f"400 {code}", error(400, code, f"{code} it is"))
    yield refused("B22", "422", error(422, "invalid_charge", "amount is too small"))
    yield refused("B22", "402", error(402, "payment_declined", "no"))
    yield sent_again(
        "B22", "400 backend_error", error(400, "backend_error", "try later")
    )
    yield refused(
        "B21",
        "404 about a customer",
        error(404, "not_found", "customer cust_test_1 was not found"),
    )
    statuses = [
        s
        for s in range(400, 600)
        if s not in (401, 403, 404, 405, 409, 410, 413, 414, 422, 429, 431)
    ]
    for status in statuses if FULL else ():
        yield adopted("B18", f"{status} with a page, charged", says(HTML, status))


def frames() -> Iterator[Case]:
    """What is not well-formed HTTP, or hardly."""
    many = [f"X-{n}: y" for n in range(1000)]
    yield adopted("B28", "status line of words", raw("HTTP/1.1 OK 200"))
    yield adopted("B28", "status 99", raw("HTTP/1.1 099 No", "Content-Length: 0"))
    yield adopted("B28", "status 1000", raw("HTTP/1.1 1000 No", "Content-Length: 0"))
    yield adopted("B28", "status 600", raw("HTTP/1.1 600 No", "Content-Length: 0"))
    yield adopted("B28", "only informed", raw("HTTP/1.1 103 Early Hints"))
    yield adopted(
        "B28",
        "switching protocols",
        raw("HTTP/1.1 101 Switching", "Upgrade: x", "Connection: upgrade"),
    )
    yield adopted("B28", "HTTP/0.9", Fate(framed=lambda body: body, end="close"))
    yield adopted("B28", "another protocol", raw("SSH-2.0-OpenSSH_9.6"))
    yield adopted("B28", "1000 headers", framed(head("HTTP/1.1 200 OK", *many)))
    yield adopted(
        "B28",
        "a header of 1 MB",
        framed(head("HTTP/1.1 200 OK", "X: " + "y" * 1_000_000)),
    )
    bare = framed(
        lambda body: b"HTTP/1.1 200 OK\nContent-Length: %d\n\n%s" % (len(body), body),
        end="close",
    )
    yield taken("B28", "bare line feeds", bare, "charge", "in_doubt")
    yield adopted(
        "B28",
        "two lengths",
        framed(head("HTTP/1.1 200 OK", "Content-Length: 5"), end="close"),
    )
    yield adopted(
        "B28",
        "length and chunks",
        framed(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), end="close"),
    )
    yield adopted(
        "B28",
        "a negative length",
        framed(
            lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + body,
            end="close",
        ),
    )
    yield taken(
        "B28",
        "an absurd date",
        Fate(headers=("Date: Fri, 31 Dec 9999 23:59:59 -2359",)),
    )
    yield taken("B28", "a date of words", Fate(headers=("Date: soon",)))


def ten_gigabytes(body: bytes) -> bytes:
    """The beginning of a document as long as it says."""
    return b'HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n{"object": "charge", "pad": "'


def without_end(body: bytes) -> bytes:
    """The same without a length."""
    return b'HTTP/1.1 200 OK\r\n\r\n{"object": "charge", "pad": "'


@dataclass(frozen=True)
class Night:
    """What came of every order."""

    stage: Stage
    elsewhere: Adversary
    ids: dict[str, str]  # name of a fate -> order id
    rows: dict[str, dict[str, str]]
    posts: Counter[str]
    first: dict[str, str]  # what the first answer was said to prove


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """One run for all fates, and one more that must be quiet."""
    with Adversary() as elsewhere, Adversary() as gateway:
        made = stage(tmp_path_factory.mktemp("night"), gateway, doubt="1s")
        orders, ids = [], {}
        for case in cases(elsewhere.url):
            ids[case.name] = named(len(orders))
            gateway.on(named(len(orders)), *case.fates)
            orders += [order(len(orders) + more) for more in range(1 + GOOD_BETWEEN)]
        made.orders(orders)
        result = made.run()
        # one used token is for a person
        assert result.returncode == 11, (
            result.stdout,
            result.stderr,
        )
        made.quietly()
        answers = (
            "SELECT order_id, json_extract(data, '$.verdict') FROM plain_events"
            " WHERE kind = 'answer' ORDER BY seq DESC"
        )
        yield Night(
            made,
            elsewhere,
            ids,
            {row["order_id"]: row for row in made.results()},
            Counter(
                request.order_id for request in gateway.requests("POST", "/charges")
            ),
            dict(made.read(answers)),
        )


CASES = list(cases("http://elsewhere"))


def test_the_names_of_the_fates_differ() -> None:
    """Each has an order of its own."""
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=pytest.mark.fault(case.fault))
        for case in CASES
    ],
)
def test_a_fate(night: Night, case: Case) -> None:
    """The order ends as it must, with as many POSTs as it may."""
    order_id = night.ids[case.name]
    row = night.rows[order_id]
    assert (row["outcome"], night.posts[order_id]) == (case.outcome, case.posts), row[
        "reason"
    ]
    assert night.first[order_id] in case.first


@pytest.mark.fault(
    "I1",
    "I2",
    "I3",
    "I4",
    "I5",
    "I6",
    "I7",
    "I8",
    "I9",
    "I10",
    "I11",
    "I12",
    "I13",
    "I14",
    "I15",
    "I16",
    "I17",
    "I18",
    "I19",
    "I20",
    "L1",
    "L4",
    "L5",
    "L7",
    "L9",
)
def test_all_books_agree_after_the_night(night: Night) -> None:
    """The judge finds nothing; what was between the bad ones went well, once."""
    night.stage.right()
    good = night.rows.keys() - set(night.ids.values())
    assert {night.rows[order_id]["outcome"] for order_id in good} == {"succeeded"}
    assert {night.posts[order_id] for order_id in good} == {1}


@pytest.mark.fault("B26", "L8")
def test_the_other_host_heard_nothing(night: Night) -> None:
    """Redirects are not followed, and no credential goes anywhere."""
    assert night.elsewhere.log == []


@pytest.mark.fault("B27")
def test_an_endless_answer_was_not_read(night: Night) -> None:
    """It stops at a megabyte; what lies in buffers comes on top."""
    taken = {
        request.order_id: request.taken
        for request in night.stage.gateway.requests("POST", "/charges")
    }
    for name in ("ten gigabytes", "ten gigabytes without a length"):
        assert taken[night.ids[name]] < 32 << 20
