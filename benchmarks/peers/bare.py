"""The ceiling: bare sockets that send one prepared request over and over and read whatever comes.

`python -m benchmarks.peers.bare URL REQUESTS CONNECTIONS`: what any program could get out of a
gateway on this machine.
"""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import urlencode, urlsplit


async def _one(host: str, port: int, left: list[int]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while left[0] > 0:
        left[0] -= 1
        fields = {
            "amount": "2000",
            "currency": "thb",
            "destination": "recp_test_sandbox0001",
            "card": f"tokn_test_sandbox{left[0]:08d}4242",
            "metadata[order_id]": str(left[0]),
        }
        body = urlencode(fields).encode()
        writer.write(
            b"POST /charges HTTP/1.1\r\nhost: %s\r\n"
            b"authorization: Basic c2tleV90ZXN0XzAxMjM0NTY3ODlhYmNkZWY6\r\n"
            b"content-type: application/x-www-form-urlencoded\r\ncontent-length: %d\r\n\r\n%s"
            % (host.encode("ascii"), len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head[:100]
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
    writer.close()


async def main(url: str, requests: int, connections: int) -> None:
    """All of them."""
    parts = urlsplit(url)
    left = [requests]
    await asyncio.gather(
        *(
            _one(parts.hostname or "", parts.port or 80, left)
            for _ in range(connections)
        )
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
