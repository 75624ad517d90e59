"""Starting and stopping: in a thread for tests and the demo, in the foreground for the command."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox import wire
from batchpay.sandbox.app import everything
from batchpay.sandbox.desk import Desk
from batchpay.sandbox.faults import ENDS, Rule
from batchpay.sandbox.keys import Keys
from batchpay.sandbox.ledger import Thing
from batchpay.sandbox.log import Entry
from batchpay.sandbox.loop import HOST, Loop, listening
from batchpay.sandbox.script import Script, read_script
from batchpay.sandbox.store import Store
from batchpay.sandbox.terms import Terms
from batchpay.sandbox.throttle import Rate, Throttle

START_S = 10.0


class SandboxServer:
    """The imitated gateway on loopback, in a thread and a loop of its own.

    `rate` is "8/s" or a `Rate`; `secret_keys` None takes any secret test key; `idempotency` is
    "off" or "on"; `clock_offset_s` is how far its clock, in every Date and created_at, is ahead of
    this machine's; `accounts` are names with the secret keys of each, where one account has
    several; `terms` its limits.
    """

    def __init__(
        self,
        port: int = 0,
        rules: Iterable[Rule | dict[str, Any]] = (),
        idempotency: str = "off",
        ledger_path: Path | str | None = None,
        rate: Rate | str | None = None,
        secret_keys: Iterable[str] | None = None,
        clock_offset_s: float = 0.0,
        accounts: Mapping[str, Iterable[str]] | None = None,
        terms: Terms | None = None,
    ) -> None:
        if idempotency not in ("off", "on"):
            raise Misconfigured(f"idempotency is off or on, not {idempotency!r}")
        limit = Rate.parse(rate) if isinstance(rate, str) else rate
        parsed = [Rule.parse(rule) for rule in rules]
        self.port = port
        self.store = Store(
            Path(ledger_path) if ledger_path is not None else None,
            clock_offset_s,
            terms,
        )
        self.desk = Desk(
            self.store,
            parsed,
            Throttle(limit) if limit else None,
            idempotency == "on",
            Keys(secret_keys, accounts),
        )
        self.door = wire.Door()
        self._server: Loop | None = None
        self._thread: threading.Thread | None = None
        self._trouble: BaseException | None = None

    @classmethod
    def scripted(
        cls,
        script: Path | None,
        port: int = 0,
        idempotency: str = "off",
        ledger_path: Path | None = None,
        rate: Rate | str | None = None,
    ) -> Self:
        """One as a script's file sets it up; what is given here as well comes first."""
        if script is not None:
            read = read_script(script)
        else:
            read = Script()
        if "on" in (idempotency, read.idempotency):
            honours = "on"
        else:
            honours = "off"
        return cls(
            port,
            read.rules,
            honours,
            ledger_path,
            rate or read.rate,
            read.secret_keys,
            read.clock_offset_s,
            accounts=read.accounts,
            terms=read.terms,
        )

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT; the port is known once it was started."""
        return f"http://{HOST}:{self.port}"

    # --- what it saw and did

    def charges(self) -> list[Thing]:
        """Every charge of every account as the API shows it, oldest first."""
        return everything(self.store, "charge")

    def transfers(self) -> list[Thing]:
        """Every transfer, oldest first."""
        return everything(self.store, "transfer")

    def requests(self, method: str = "*", path: str = "*") -> list[Entry]:
        """Every request so far, oldest first; of one method and exact path when given."""
        return [
            one
            for one in self.desk.log.entries()
            if method in ("*", one.method) and path in ("*", one.path)
        ]

    # --- what can be changed while it runs

    def add_rule(
        self, rule: Rule | dict[str, Any] | None = None, **fields: Any
    ) -> Rule:
        """One more fault, as a Rule, a dict or keywords; returns it, to ask its `applied`."""
        parsed = Rule.parse(rule if rule is not None else fields)
        self.desk.rules.append(parsed)
        return parsed

    def clear_rules(self) -> None:
        """No more faults."""
        self.desk.rules.clear()

    def set_rate(self, rate: Rate | str | None) -> None:
        """Another rate limit, from an empty window."""
        limit = Rate.parse(rate) if isinstance(rate, str) else rate
        if limit:
            self.desk.throttle = Throttle(limit)
        else:
            self.desk.throttle = None

    def set_clock(self, offset_s: float) -> None:
        """Its clock is so far ahead from now on; what is over by then happens. It never goes
        back.
        """
        self.store.offset_s = offset_s

    def accept_keys(self, *secret_keys: str) -> None:
        """From now on only these secret keys are good."""
        self.desk.keys.accept(*secret_keys)

    def turn(
        self, becomes: str, *, order_id: str = "", charge_id: str = ""
    ) -> list[str]:
        """Charges of an order, or one charge, become something else now (`faults.ENDS`); returns
        their ids.

        Raises Misconfigured for another end, or while it is not running.
        """
        if becomes not in ENDS or self._server is None:
            raise Misconfigured(
                f"a charge becomes one of {', '.join(ENDS)}, while the sandbox runs"
            )
        asked = asyncio.run_coroutine_threadsafe(
            self._turned(becomes, order_id, charge_id), self._server.loop
        )
        return asked.result(START_S)

    async def _turned(self, becomes: str, order_id: str, charge_id: str) -> list[str]:
        return self.desk.turn(becomes, order_id, charge_id)

    def reset_connections(self, count: int = 1, after_bytes: int = 0) -> None:
        """The next connections are reset, on accept or after so many bytes of the client's."""
        self.door.after_bytes = after_bytes
        self.door.resets = count

    def drop_connections(self, *, hard: bool = False) -> None:
        """Close every open connection under its client, with FIN or with RST."""
        if self._server is not None:
            self._server.loop.call_soon_threadsafe(self._server.drop, hard)

    # --- life

    def start(self) -> Self:
        """Listen; returns when requests can come."""
        sock = listening(self.port)
        self.port = sock.getsockname()[1]
        self.store.open()
        self._server = Loop(self.desk, self.door)
        self._thread = threading.Thread(
            target=self._work,
            args=(sock,),
            name="batchpay-sandbox",
            daemon=True,
        )
        self._thread.start()
        if not self._server.ready.wait(START_S) or self._trouble is not None:
            raise Misconfigured(f"the sandbox did not start: {self._trouble}")
        return self

    def stop(self) -> None:
        """End at once; requests in flight are cut off. Started again, it knows all it knew, on the
        same port.
        """
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = self._thread = None
        self.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def run(self, on_ready: Callable[[str], None] | None = None) -> None:
        """Serve in the foreground until SIGINT or SIGTERM."""
        sock = listening(self.port)
        self.port = sock.getsockname()[1]
        self.store.open()
        self._server = Loop(
            self.desk,
            self.door,
            on_started=lambda: on_ready(self.url) if on_ready else None,
        )
        try:
            asyncio.run(self._server.serve(sockets=[sock]))
        finally:
            self.store.close()

    def _work(self, sock: socket.socket) -> None:
        assert self._server is not None
        try:
            asyncio.run(self._server.serve(sockets=[sock]))
        # told by `start`, in the thread that can act on it
        except BaseException as error:
            self._trouble = error
        finally:
            sock.close()
            self._server.ready.set()


def serve(
    port: int = 0,
    *,
    script: Path | None = None,
    idempotency: str = "off",
    ledger_path: Path | None = None,
    rate: Rate | str | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; `on_ready` is told the URL once requests can
    come.
    """
    SandboxServer.scripted(script, port, idempotency, ledger_path, rate).run(on_ready)
