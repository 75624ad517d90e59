"""Chromium without a window, driven over its own pipes: no library in between."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)


def program() -> str | None:
    """Where a Chromium is; None: on this machine there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Chromium:
    """One browser with one page."""

    def __init__(self, to: int, back: int) -> None:
        self._to = to
        self._back = back
        self._rest = b""
        self._number = 0
        self._session = ""
        self.said: list[dict[str, Any]] = []  # what the page complained of
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> Any:
        """One command, and what it answers. Raises AssertionError for an error."""
        self._number += 1
        told: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            told["sessionId"] = self._session
        os.write(self._to, json.dumps(told).encode() + b"\0")
        while True:
            answer = self._read()
            self._notice(answer)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, path: Path) -> None:
        """A file, until it is loaded."""
        self.said.clear()
        self.ask("Page.navigate", url=path.as_uri())
        while True:
            answer = self._read()
            self._notice(answer)
            if answer.get("method") == "Page.loadEventFired":
                return

    def run(self, script: str) -> Any:
        """What an expression comes to in the page; a promise is waited for."""
        told = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def look(self, path: Path) -> None:
        """A picture of the page as it is."""
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        """The page on paper, as its own style wants it."""
        told = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(told["data"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._back, 1 << 20)
            assert more, "Chromium has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        return told

    def _notice(self, told: dict[str, Any]) -> None:
        if told.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
            self.said.append(told["params"])


@contextmanager
def browser(name: str) -> Iterator[Chromium]:
    """A new one with a profile of its own, gone at the end."""
    to_read, to_write = os.pipe()
    back_read, back_write = os.pipe()

    def wire() -> None:
        # Chromium reads commands from 3 and answers on 4, whatever numbers the pipes have here
        reads, writes = os.dup(to_read), os.dup(back_write)
        os.dup2(reads, 3)
        os.dup2(writes, 4)

    with tempfile.TemporaryDirectory(prefix="batchpay-ui-") as profile:
        process = subprocess.Popen(
            [name, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=wire,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(back_write)
        try:
            yield Chromium(to_write, back_read)
        finally:
            process.terminate()
            process.wait(30)
            os.close(to_write)
            os.close(back_read)
