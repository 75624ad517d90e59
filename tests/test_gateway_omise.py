"""The true client over real sockets, against a server that does whatever the test says, byte by
byte.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchpay import __version__
from batchpay.domain.model import Answer
from batchpay.gateways.omise import decoding
from batchpay.gateways.omise.client import Client, masked
from batchpay.gateways.omise.decoding import read_strictly, strict_json
from batchpay.gateways.omise.wire import MAX_ANSWER_BYTES
from batchpay.job.job import GatewaySettings
from batchpay.lifecycle.request import intent_of
from tests.doses import dose

INTENT = intent_of(
    {
        "order_id": "0001",
        "amount": 100,
        "currency": "thb",
        "destination": "recp_test_1",
        "card": "tokn_test_1",
        "description": "ขอบคุณ & more",
    },
    job="night",
    attempt=1,
    fee=None,
    batch_id="b",
    sheet="",
    row=2,
    run_id="r",
    journal_id="j",
)
KEY = "skey_test_0123456789"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(
    body: bytes, status: str = "200 OK", *headers: str, length: int | None = None
) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def whole_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(
        (
            int(li.split(":")[1])
            for li in head.split("\r\n")
            if li.lower().startswith("content-length")
        ),
        0,
    )
    return head, await reader.readexactly(length)


def reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def talk(
    behaviour: Behaviour,
    *,
    timeout_s: float = 1.0,
    times: int = 1,
    may_leave: Callable[[], bool] = lambda: True,
) -> tuple[list[Answer], int]:
    """Charge so many times over one client; returns the answers and how many connections were
    made.
    """

    async def main() -> tuple[list[Answer], int]:
        connections: list[asyncio.StreamWriter] = []

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            connections.append(writer)
            try:
                await behaviour(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        gateway = Client(
            GatewaySettings(url=f"http://127.0.0.1:{port}", timeout_s=timeout_s), KEY
        )
        try:
            answers = []
            for _ in range(times):
                answers.append(await gateway.charge(INTENT, may_leave))
                await asyncio.sleep(0.02)
            return answers, len(connections)
        finally:
            await gateway.aclose()
            server.close()
            for writer in connections:
                writer.transport.abort()
            await asyncio.sleep(0.02)

    return asyncio.run(main())


def one(behaviour: Behaviour, **options: Any) -> Answer:
    return talk(behaviour, **options)[0][0]


def answering(raw: bytes) -> Behaviour:
    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await whole_request(reader)
            writer.write(raw)
            await writer.drain()

    return behave


CHARGE = json.dumps(
    {"object": "charge", "id": "chrg_test_1", "pad": "x" * 2000}
).encode()


def test_what_goes_over_the_wire_is_what_the_contract_says() -> None:
    """Method, path, Basic authentication, version, agent, key and the exact form body."""
    seen: list[tuple[str, bytes]] = []

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen.append(await whole_request(reader))
        writer.write(http(CHARGE))
        await writer.drain()

    answer = one(behave)
    head, body = seen[0]
    lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert lines[0] == "POST /charges HTTP/1.1"
    assert headers["Authorization"] == "Basic c2tleV90ZXN0XzAxMjM0NTY3ODk6"
    assert headers["Omise-Version"] == "2019-05-29"
    assert headers["User-Agent"] == f"batchpay/{__version__}"
    assert headers["Idempotency-Key"] == INTENT.key
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert body == INTENT.body.encode()
    fields = dict(parse_qsl(body.decode(), strict_parsing=True))
    assert fields["metadata[batchpay_key]"] == INTENT.key
    assert fields["description"] == "ขอบคุณ & more"
    assert answer.status == 200 and answer.said["id"] == "chrg_test_1"


def test_a_connection_is_used_again() -> None:
    """Keep-alive: five requests, one connection."""
    answers, connections = talk(answering(http(CHARGE)), times=5)
    assert [answer.status for answer in answers] == [200] * 5
    assert connections == 1


@pytest.mark.fault("C02", "L2")
def test_a_request_kept_back_leaves_not_a_byte() -> None:
    """Law L2: `may_leave` is asked right before the first byte."""
    seen = bytearray()

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen.extend(await reader.read())

    answer = one(behave, may_leave=lambda: False)
    assert answer.withheld and not answer.out
    assert not seen


@pytest.mark.fault("B02")
def test_a_closed_port_is_not_sent() -> None:
    """Nothing left the machine."""

    async def main() -> Answer:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        gateway = Client(GatewaySettings(url=f"http://127.0.0.1:{port}"), KEY)
        try:
            return await gateway.charge(INTENT, lambda: True)
        finally:
            await gateway.aclose()

    answer = asyncio.run(main())
    assert not answer.out and answer.status is None
    assert "no connection" in answer.trouble


@pytest.mark.fault("B01")
def test_a_name_nobody_knows_is_not_sent() -> None:
    """Name resolution failed."""

    async def main() -> Answer:
        gateway = Client(GatewaySettings(url="http://gateway.invalid"), KEY)
        try:
            return await gateway.charge(INTENT, lambda: True)
        finally:
            await gateway.aclose()

    assert not asyncio.run(main()).out


@pytest.mark.fault("B06", "B07")
@pytest.mark.parametrize("bytes_read", [0, 1, 20, 200, 10_000])
def test_a_reset_after_the_first_byte_is_in_doubt(bytes_read: int) -> None:
    """Whatever was read before the reset: bytes may have been accepted."""

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if bytes_read > 1000:
            await whole_request(reader)
        elif bytes_read:
            await reader.readexactly(bytes_read)
        else:
            await asyncio.sleep(0.05)
        reset(writer)

    answer = one(behave)
    assert answer.out and answer.status is None


@pytest.mark.fault("B08")
def test_a_stale_connection_is_not_used_and_nothing_is_repeated() -> None:
    """The gateway closed while idle: the next request opens a new one, once."""
    requests = 0

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal requests
        await whole_request(reader)
        requests += 1
        writer.write(http(CHARGE))
        await writer.drain()
        reset(writer)

    answers, connections = talk(behave, times=3)
    assert [answer.status for answer in answers] == [200] * 3
    assert (requests, connections) == (3, 3)


@pytest.mark.fault("B07", "I5")
def test_a_request_without_an_answer_is_not_repeated() -> None:
    """Law L8: whoever retries must write an intent first, so the client never does."""
    requests = 0

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal requests
        await whole_request(reader)
        requests += 1
        reset(writer)

    answers, connections = talk(behave)
    assert [(answer.out, answer.status) for answer in answers] == [(True, None)]
    assert (requests, connections) == (1, 1)


@pytest.mark.fault("B09", "B10")
@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\nX-A: b", http(CHARGE)])
def test_the_deadline_is_total(drip: bytes) -> None:
    """A byte now and then does not push it back."""

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await whole_request(reader)
        for byte in drip:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)
        await asyncio.sleep(5)

    answer = one(behave, timeout_s=0.3)
    assert answer.out and answer.status is None
    assert "0.3 s" in answer.trouble


@pytest.mark.fault("B11")
def test_an_answer_cut_anywhere_is_in_doubt() -> None:
    """Every offset of a short answer, by its length; the whole one is an answer."""
    raw = http(b'{"object": "charge"}')

    def cut_at(at: int) -> Answer:
        async def behave(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await whole_request(reader)
            writer.write(raw[:at])
            await writer.drain()

        return one(behave)

    for at in range(0, len(raw), 3):
        answer = cut_at(at)
        assert answer.out and answer.status is None, at
    assert cut_at(len(raw)).status == 200


@pytest.mark.fault("B11", "B27", "B28")
@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        http(gzip.compress(CHARGE)[:-6], "200 OK", "Content-Encoding: gzip"),
        http(zlib.compress(b"0" * 50_000_000), "200 OK", "Content-Encoding: deflate"),
        http(b"x" * (MAX_ANSWER_BYTES + 1)),
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n"
        + b"".join(b"X-%d: y\r\n" % n for n in range(1000))
        + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 2_000_000 + b"\r\n\r\n",
        http(CHARGE, "200 OK", "Content-Encoding: br"),
    ],
    ids=[
        "chunk",
        "gzip",
        "bomb",
        "long",
        "status",
        "other",
        "headers",
        "header",
        "encoding",
    ],
)
def test_a_broken_answer_is_in_doubt(raw: bytes) -> None:
    """No complete, well-formed answer: never a crash, never a verdict."""

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await whole_request(reader)
        writer.write(raw)
        await writer.drain()

    answer = one(behave)
    assert answer.out and answer.status is None


@pytest.mark.fault("B26")
def test_a_redirect_is_not_followed() -> None:
    """The status is the answer; neither the other host nor this one hears another word."""
    requests = []

    async def redirect(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            requests.append(await whole_request(reader))
            writer.write(
                http(b"", "307 Temporary Redirect", "Location: http://127.0.0.1:1/")
            )

    answer, connections = talk(redirect)
    assert answer[0].status == 307 and (connections, len(requests)) == (1, 1)


@pytest.mark.fault("L8")
def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law L8."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert one(answering(http(CHARGE))).status == 200


@pytest.mark.fault("B30")
def test_bytes_nobody_asked_for_end_a_connection() -> None:
    """What comes between two requests could be another's answer: the connection is dropped."""
    answers, connections = talk(
        answering(http(CHARGE) + http(b'{"object": "charge", "id": "chrg_test_2"}')),
        times=2,
    )
    assert [answer.said["id"] for answer in answers if answer.status] == [
        "chrg_test_1"
    ] * len(answers)
    assert connections == 2


def test_an_informational_answer_is_not_the_answer() -> None:
    """100 Continue comes before the final one."""
    assert one(answering(b"HTTP/1.1 100 Continue\r\n\r\n" + http(CHARGE))).status == 200


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    """HTTP/1.1 allows it; whether it is whole is for the JSON to say."""

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await whole_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + CHARGE)
        await writer.drain()

    assert one(behave).said["id"] == "chrg_test_1"


@pytest.mark.fault("L13")
def test_what_was_not_delivered_is_discarded() -> None:
    """Law L13: SO_LINGER {1, 0} and a bounded TCP_USER_TIMEOUT on every socket to the gateway."""
    found: list[tuple[bytes, int]] = []

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await whole_request(reader)
        writer.write(http(CHARGE))
        await writer.drain()
        await reader.read()

    async def main() -> None:
        server = await asyncio.start_server(behave, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        gateway = Client(
            GatewaySettings(url=f"http://127.0.0.1:{port}", timeout_s=3), KEY
        )
        await gateway.charge(INTENT, lambda: True)
        for connection in gateway._wire._idle:  # type: ignore[attr-defined]
            sock = connection._sock
            linger = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
            found.append(
                (linger, sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
            )
        await gateway.aclose()
        server.close()
        await asyncio.sleep(0.02)

    asyncio.run(main())
    assert found == [(struct.pack("ii", 1, 0), 3000)]


@pytest.mark.fault("B12", "X16")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b"<html>",
        b'{"a": Infinity}',
        b"\xff",
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_strictly_json_is_nothing(body: bytes) -> None:
    """No guess, no crash."""
    assert strict_json(body) is None


def _written(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """JSON as some program might write it: white space anywhere, keys that stand twice."""
    gap = st.sampled_from(["", "", "", " ", "\n", "\t ", "\r\n"])
    match value:
        case dict():
            pairs = [
                f"{draw(gap)}{json.dumps(name, ensure_ascii=draw(st.booleans()))}{draw(gap)}:"
                f"{draw(gap)}{_written(item, draw)}"
                for name, item in value.items()
            ]
            if pairs and draw(st.integers(0, 5)) == 0:
                pairs.append(draw(st.sampled_from(pairs)))
            return "{" + ",".join(pairs) + draw(gap) + "}"
        case list():
            items = [f"{draw(gap)}{_written(item, draw)}{draw(gap)}" for item in value]
            return "[" + ",".join(items) + "]"
        case str():
            return json.dumps(value, ensure_ascii=draw(st.booleans()))
        case _:
            return str(value)


_TOKENS = st.sampled_from(
    [
        "0",
        "-0",
        "1",
        "-17",
        "007",
        "1.0",
        "1.50",
        "-0.0",
        "1e5",
        "1E+2",
        "1e400",
        "-1e-400",
        "0.1e1",
        "3.",
        ".5",
        "+1",
        "1_000",
        "0x10",
        "18446744073709551616",
        "123456789012345678901234567890",
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "false",
        "null",
        "nul",
    ]
)
_TEXTS = st.one_of(
    st.sampled_from(
        [":", '":', "a", "a", "a b", "\\", "\ud83d", "\x7f", "é", "\u2028", ""]
    ),
    st.text(max_size=4),
)


class _Bare:
    """A token that is written as it is."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __str__(self) -> str:
        return self._token


_VALUES = st.recursive(
    st.one_of(_TOKENS.map(_Bare), _TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.fault("B12", "X16")
@settings(max_examples=dose(200, 600), deadline=None)
@given(st.data())
def test_both_decoders_say_the_same(data: st.DataObject) -> None:
    """Of whatever comes: the same values, of the same types, or nothing."""
    body = _written(data.draw(_VALUES), data.draw).encode("utf-8", "surrogatepass")
    if data.draw(st.integers(0, 9)) == 0:
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + data.draw(st.binary(max_size=2)) + body[at:]
    # of equal numbers a decimal one is another
    assert repr(strict_json(body)) == repr(read_strictly(body))


@pytest.mark.fault("B12", "X16")
def test_the_fast_decoder_reads_what_gateways_send() -> None:
    """Compact, and as Python writes it: nothing of it is left to the slow one."""
    document = {
        "object": "charge",
        "fee_rate": "3.65",
        "metadata": {"order_id": "ใบ 1"},
        "a": [1],
    }
    texts = [
        json.dumps(document, ensure_ascii=False),
        json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        json.dumps(document, ensure_ascii=False, indent=2),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "read_strictly", lambda body: None)
        assert [strict_json(text.encode()) for text in texts] == [document] * 3
        assert strict_json(b'{"a": 1, "a": 1}') is None


@pytest.mark.fault("H06")
def test_an_unexpected_text_is_masked() -> None:
    """No key, token or card number reaches the journal through an error page."""
    text = masked("skey_test_abc123 tokn_test_9 card 4242 4242 4242 4242 ok")
    assert text == "skey_*** tokn_test_9 card ************4242 ok"
