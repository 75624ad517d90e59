"""ORDERS: what is asked about orders and their attempts, those of other jobs in the file among
them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from batchpay.domain.events import (
    ASKED_FOR,
    BEGINNINGS,
    CHARGE_AMOUNT_AT,
    CHARGE_CREATED_AT,
    CHARGE_CURRENCY_AT,
    CHARGE_ID_AT,
    CHARGES,
    DATA_OF_E,
    FREQUENT,
    IDS_FROM_AT,
    LOOKED_UP,
    SALE_AT,
    SHOWN_CHARGES,
    SINGLE_USE_AT,
    STATE_AT,
    Absent,
    Answered,
    AskedFor,
    Intended,
    OrderCancelled,
    TransferSeen,
)
from batchpay.domain.model import ChargedAtOnce, Done, Event, OnItsWay, Outcome, Wrote
from batchpay.domain.text import in_ascii_digits
from batchpay.domain.times import NEVER_NS
from batchpay.journals.asked import grouped, owner_of_charge
from batchpay.journals.sqlite.file import PAGE, JournalFile, places, slices
from batchpay.journals.sqlite.lines import (
    COLUMNS,
    RARE,
    any_of,
    event_of,
    texts_of,
    values_of,
)
from batchpay.journals.sqlite.packed import WHOLE, is_storable
from batchpay.journals.sqlite.stencils import (
    CHARGE_TOLD_OF,
    DATA,
    RUN,
    or_told_at,
    telling,
    told_at,
)
from batchpay.lifecycle.after import OVER
from batchpay.lifecycle.attempt import created_ns
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.payers import payment_method
from batchpay.lifecycle.places import by_order

# events stand in the order of their commits: their times may be so far out of order
DISORDER_NS = 3600 * 10**9
STEP = 2000  # events that are walked over at a time, from the youngest back
MOST_ATTEMPTS = 2**63 - 1  # of an order: behind all of them
BEGUN = any_of(BEGINNINGS)
CHARGED = any_of(CHARGES)
SEEN = any_of(SHOWN_CHARGES)
# `+`: by the numbers of the events, and not by the job, which nearly all of them are of
_LATELY = (
    f"SELECT a.at_ns, a.order_id, a.batch_id, {ASKED_FOR} FROM asked AS a CROSS JOIN events AS e"
    " ON e.seq = a.seq WHERE +a.job = ?1 AND a.seq >= ?2 AND a.at_ns < ?6"
    " AND (a.destination IN (SELECT value FROM json_each(?3))"
    " OR a.paid_with IN (SELECT value FROM json_each(?4)))"
    " AND (a.destination IN (SELECT value FROM json_each(?3))"
    f" OR json_extract({DATA_OF_E}, '{SINGLE_USE_AT}') IN (SELECT value FROM json_each(?5)))"
    " ORDER BY a.seq DESC"
)
# nearly all ids are ASCII, as many bytes as characters; the index alone tells
_BEYOND_ASCII = "seq > ? AND seq <= ? AND length(CAST(alike AS BLOB)) > length(alike)"
_ALL_BEYOND_ASCII = (
    "SELECT seq, alike FROM asked INDEXED BY asked_alike"
    f" WHERE job = ? AND {_BEYOND_ASCII}"
)
_NEW_BEYOND_ASCII = f"SELECT seq, alike FROM asked WHERE +job = ? AND {_BEYOND_ASCII}"
_ORDERS_OF = (
    "SELECT a.seq, a.order_id FROM json_each(?) AS w CROSS JOIN asked AS a"
    " ON a.seq = w.value"
)
_LATELY_SEEN = (
    "FROM events WHERE seq > ? AND seq <= ? AND +job = ? AND at_ns >= ?"
    f" AND kind IN {SEEN}"
)
# what stands beside the greatest is of its row (sqlite.org/lang_select.html, "bare columns")
_YOUNGEST = (
    f"SELECT max(json_extract({DATA}, '{CHARGE_CREATED_AT}')), at_ns {_LATELY_SEEN}"
)
_OF_THAT_TIME = (
    f"SELECT json_extract({DATA}, '{CHARGE_ID_AT}') {_LATELY_SEEN}"
    f" AND json_extract({DATA}, '{CHARGE_CREATED_AT}') = ?"
)
_AT_ONCE = (
    f"SELECT e.seq, e.order_id, e.kind, e.attempt, e.send, CASE e.kind WHEN '{Answered.kind}'"
    f" THEN json_extract({DATA_OF_E}, '{STATE_AT}') END, e.at_ns, {ASKED_FOR}"
    " FROM events AS e INDEXED BY events_of_an_order WHERE e.order_id <> ''"
    f" AND e.order_id IN (*) AND e.job = ? AND e.kind <> '{TransferSeen.kind}' ORDER BY e.seq"
)
# kind, attempt, send and state
_ONCE = [
    [Intended.kind, 1, 1, None],
    [Answered.kind, 1, 1, Outcome.SUCCEEDED.value],
]
_OF_CHARGE = (STATE_AT, CHARGE_AMOUNT_AT, CHARGE_CURRENCY_AT)
_DONE = (
    f"SELECT kind, batch_id, order_id, attempt, send, {told_at(*_OF_CHARGE)} FROM events"
    " INDEXED BY events_of_an_order WHERE order_id <> '' AND order_id IN (*) AND job = ?"
    f" AND seq > ? AND seq < ? AND {RUN} = ? ORDER BY seq"
)
# a LIMIT keeps the two apart: the run of each event is not looked up
_WROTE_ANY = (
    "SELECT run_id, batch_id, kind, attempt, send FROM (SELECT DISTINCT run_id, batch_id, kind,"
    " attempt, send FROM events WHERE seq > ? AND seq <= ? AND +job = ? AND +order_id <> ''"
    f" LIMIT -1) WHERE {RUN} = ?"
)
_WROTE = (
    "FROM events WHERE seq > ? AND seq <= ? AND +job = ?"
    " AND run_id IN (SELECT value FROM json_each(?)) AND +order_id <> ''"
)
_FIRST_SEND = f"kind = '{Intended.kind}' AND attempt = 1 AND send = 1"
_FIRST_ANSWER = f"kind = '{Answered.kind}' AND attempt = 1 AND send = 1"
_SENT_FIRST = f"SELECT order_id, batch_id {_WROTE} AND {_FIRST_SEND}"
_ANSWERED_FIRST = (
    f'SELECT order_id, batch_id, "row", {or_told_at(*_OF_CHARGE)} {_WROTE}'
    f" AND {_FIRST_ANSWER}"
)
_WROTE_ELSE = (
    f"SELECT order_id {_WROTE} AND NOT ({_FIRST_SEND}) AND NOT ({_FIRST_ANSWER})"
    f" AND kind <> '{TransferSeen.kind}'"
)
# kind, attempt and send of what is read by itself, or tells of shares
_FIRST = {(Intended.kind, 1, 1), (Answered.kind, 1, 1)}
_Told = tuple[str, str, Any, Any, Any]
"""Of an answer: order id, batch id, state, and the charge's amount and currency."""
_OVER = any_of(sorted(OVER))
# No column tells the time of what an event of a rare kind changed: a person's word that a charge is
# accepted. When a charge was made that this journal did not make, its event alone tells.
_ON_THEIR_WAY = (
    "SELECT a.order_id, a.attempt, a.at_ns, a.adopted, c.settled_ns, c.chain, c.transfer, CASE"
    f" a.adopted WHEN 1 THEN (SELECT json_extract({DATA_OF_E}, '{CHARGE_CREATED_AT}')"
    " FROM events AS e WHERE e.seq = a.seq) END FROM came_to AS c CROSS JOIN asked AS a"
    " ON a.seq = c.seq WHERE c.amount IS NOT NULL AND c.chain <> ''"
    f" AND c.transfer_status NOT IN {_OVER}"
    " AND a.job = ? AND (a.order_id, a.attempt) > (?, ?) AND (? = '' OR a.order_id <= ?)"
    " AND (a.at_ns >= ? OR c.settled_ns >= ? OR a.order_id IN (SELECT value FROM json_each(?))"
    f" OR a.order_id IN (SELECT order_id FROM events WHERE job = ? AND {RARE} AND order_id <> ''"
    " AND at_ns >= ?)) ORDER BY a.order_id, a.attempt LIMIT ?"
)


class Orders(JournalFile):
    """By the indexes over events, and by `asked` and `came_to` beside them (schema.sql)."""

    def knows_orders(self) -> bool:
        """Did any order of this job ever have an attempt?"""
        query = "SELECT 1 FROM asked WHERE job = ? LIMIT 1"
        return self._first(query, self.job) is not None

    def open_orders(self) -> list[str]:
        """Order ids with an attempt that did not end yet: in doubt, pending, unproven or never
        sent.
        """
        query = (
            "SELECT order_id FROM open_attempts WHERE job = ? AND state <> 'succeeded' ORDER BY"
            " order_id"
        )
        return self._column(query, self.job)

    def begun(self) -> Iterator[tuple[str, int]]:
        """Order id and number of every attempt of this job that was ever sent, or adopted."""
        query = (
            "SELECT seq, order_id, attempt FROM asked WHERE job = ? AND seq > ?"
            f" ORDER BY seq LIMIT {PAGE}"
        )
        after = 0
        while page := self._rows(query, self.job, after):
            yield from ((order_id, attempt) for _, order_id, attempt in page)
            after = page[-1][0]

    def cancelled(self) -> list[Event]:
        """Every word of a person that an order without an attempt is never to be sent."""
        return list(self.events([OrderCancelled.kind]))

    def orders_since(self, at_ns: int) -> list[str]:
        """Order ids with any event since then."""
        query = (
            "SELECT DISTINCT order_id FROM events WHERE job = ? AND order_id <> '' AND at_ns >= ?"
            " ORDER BY order_id"
        )
        return self._column(query, self.job, at_ns)

    def last_of_orders(self) -> int:
        """Number of the last event about an order of this job; 0 when there is none."""
        query = (
            "SELECT seq FROM events WHERE +job = ? AND +order_id <> ''"
            " ORDER BY seq DESC LIMIT 1"
        )
        row = self._first(query, self.job)
        if row:
            return int(row[0])
        return 0

    def happened(self, after: int, *, but: Collection[str]) -> bool:
        """Did anything happen after an event but what is of some kinds?"""
        part = ""
        if set(FREQUENT).issubset(but):
            part = f" AND {RARE}"
        query = (
            f"SELECT 1 FROM events WHERE job = ? AND seq > ?{part} AND kind NOT IN"
            f" ({places(list(but))}) LIMIT 1"
        )
        return self._first(query, self.job, after, *but) is not None

    def on_their_way(
        self,
        since_ns: int,
        also: Collection[str],
        after: str,
        until: str,
        at_most: int,
    ) -> list[OnItsWay]:
        """Attempts that took money with a chain and whose transfer is not over, of these orders and
        of those that were sent, settled or changed otherwise since then, by order id and attempt.

        Those behind an order (`after`) and up to another (`until`; empty: to the end): so many, and
        the rest of the last one's order.
        """
        since = (since_ns, since_ns, json.dumps(list(also)), self.job, since_ns)
        key = (self.job, after, MOST_ATTEMPTS, until, until)
        rows = self._rows(_ON_THEIR_WAY, *key, *since, at_most)
        if rows and len(rows) == at_most:
            last, attempt, *_ = rows[-1]
            rows += self._rows(
                _ON_THEIR_WAY, self.job, last, attempt, last, last, *since, -1
            )
        return [_on_its_way(*row) for row in rows]

    def wrote_in(
        self, run_id: str, after: int, before: int | None, apart: Collection[str] = ()
    ) -> Wrote:
        """What a run wrote about orders, between two numbers of events, added up; `apart` from
        these orders.
        """
        if before is None:
            before = self.head()[0] + 1
        begun: dict[str, str] = {}
        answered: list[_Told] = []
        others: set[str] = set()
        batches: set[str] = set()
        for start in range(after, before, STEP):
            where = (start, min(start + STEP, before - 1), self.job)
            forms = self._rows(_WROTE_ANY, *where, run_id)
            if not forms:
                continue
            # the few words by which events keep this run
            runs = json.dumps(list({kept for kept, *_ in forms}))
            batches.update(batch_id for _, batch_id, *_ in forms)
            begun.update(self._rows(_SENT_FIRST, *where, runs))
            answered += self._told_of_charges(_ANSWERED_FIRST, *where, runs)
            if any(_is_else(*form) for _, _, *form in forms):
                others.update(self._column(_WROTE_ELSE, *where, runs))
        times = Counter(order_id for order_id, *_ in answered)
        others |= begun.keys() ^ times.keys()
        others |= begun.keys() & apart
        if len(times) < len(answered):
            others.update(one for one in times if times[one] > 1)
        charged = _charged(begun, answered, others)
        return Wrote(charged, list(others), frozenset(batches))

    def _told_of_charges(self, query: str, *where: Any) -> Iterator[_Told]:
        rows = self._rows(query, *where)
        with self._reads() as connection:
            told = telling(connection, *_OF_CHARGE)
            texts = [told(kept, order_id, row) for order_id, _, row, kept in rows]
        # read at once: a call for each costs more than the reading
        every = values_of(f"[{','.join(texts)}]")
        for (order_id, batch_id, *_), values in zip(rows, every, strict=True):
            yield (order_id, batch_id, *values)

    def done_in(
        self, run_id: str, after: int, before: int | None, order_ids: Sequence[str]
    ) -> Iterator[Done]:
        """What a run wrote about some orders, between two numbers of events."""
        if before is None:
            before = self.head()[0] + 1
        for some in slices(order_ids):
            query = _DONE.replace("(*)", f"({places(some)})")
            page = self._rows(query, *some, self.job, after, before, run_id)
            for kind, batch_id, order_id, attempt, send, told in page:
                state, amount, currency = values_of(told)
                yield Done(
                    kind,
                    batch_id,
                    order_id,
                    attempt,
                    send,
                    state or "",
                    amount or 0,
                    currency or "",
                )

    def look_alikes(self, forms: Sequence[str]) -> dict[str, list[str]]:
        """Look-alike form of an order id (order_ids.alike) -> the ids of orders that were sent, or
        adopted, under that form, oldest first.
        """
        found = self._asked("seq, alike, order_id", "alike", forms)
        in_other_digits = self._in_other_digits()
        for form in set(forms) & in_other_digits.keys():
            found += [(seq, form, order_id) for seq, order_id in in_other_digits[form]]
        pairs = ((form, order_id) for _, form, order_id in sorted(found))
        return grouped(dict.fromkeys(pairs))

    def _in_other_digits(self) -> Mapping[str, list[tuple[int, str]]]:
        """The same of ids in digits of other scripts, by which `asked` keeps them: number of the
        event and order id. They are looked for among all forms once, and from then on among what
        was written since.
        """
        after, known = self._other_digits or (0, {})
        head, _ = self.head()
        if head > after:
            query = _NEW_BEYOND_ASCII if after else _ALL_BEYOND_ASCII
            with self._reads() as connection:
                forms = connection.execute(query, (self.job, after, head))
                found = [seq for seq, kept in forms if in_ascii_digits(kept) != kept]
            for seq, order_id in self._rows(_ORDERS_OF, json.dumps(found)):
                known.setdefault(alike(order_id), []).append((seq, order_id))
            self._other_digits = (head, known)
        return known

    # up to which event they are known; and they
    _other_digits: tuple[int, dict[str, list[tuple[int, str]]]] | None = None

    def asked_terms(
        self, beginnings: Sequence[str], since_ns: int
    ) -> dict[str, list[tuple[str, str, int, str]]]:
        """What terms (`sale_terms`) begin with -> order id, batch id and wall-clock time (ns) of
        every attempt whose terms begin so since then, with its terms, oldest first.
        """
        query = (
            "SELECT w.value, a.order_id, a.batch_id, a.at_ns, a.terms FROM json_each(?) AS w"
            " CROSS JOIN asked AS a ON a.job = ? AND a.terms BETWEEN w.value AND w.value || '~'"
            " AND a.at_ns >= ? ORDER BY a.seq"
        )
        rows = self._rows(query, json.dumps(beginnings), self.job, since_ns)
        return grouped((beginning, tuple(asked)) for beginning, *asked in rows)

    def last_asked(self) -> int:
        """The number of the event by which the last attempt began; 0: there is none."""
        query = "SELECT seq FROM asked WHERE +job = ? ORDER BY seq DESC LIMIT 1"
        row = self._first(query, self.job)
        if row:
            return int(row[0])
        return 0

    def asked_of(
        self,
        recipients: Collection[str],
        tokens: Collection[str],
        until_ns: int,
        most: int,
    ) -> Iterator[tuple[int, str, str, AskedFor]]:
        """Wall-clock time (ns), order id, batch id and terms of attempts before a time that asked
        for one of some recipients, or spent one of some card tokens, newest first: of the last
        ones, so many.

        A token pays alone (schemas/order.schema.json): by its last characters, which stand beside
        the events, those events are found that have to be read.
        """
        forms = {payment_method(token) for token in tokens}
        wanted = map(_listed, (recipients, forms, tokens))
        rows = self._rows(
            _LATELY, self.job, self._first_of_last(most), *wanted, until_ns
        )
        for at_ns, order_id, batch_id, *terms in rows:
            yield at_ns, order_id, batch_id, AskedFor(*terms)

    def orders_sent_since(self, at_ns: int) -> set[str]:
        """The ids of orders of which anything was sent, or a charge was taken over, since then."""
        found = self._since(at_ns, f"kind IN {BEGUN}", ["order_id"])
        return {order_id for (order_id,) in found}

    def orders_behind(self, seq: int) -> list[str]:
        """The ids of orders of which anything was written behind an event."""
        query = (
            "SELECT DISTINCT order_id FROM events WHERE seq > ? AND +job = ?"
            " AND +order_id <> ''"
        )
        return self._column(query, seq, self.job)

    def charged_at_once(
        self, order_ids: Sequence[str]
    ) -> Iterator[tuple[str, int, AskedFor]]:
        """Of some orders those that were sent once and answered as they should, and of which since
        then nothing was seen but where the share is: order id, when it was sent (wall clock, ns),
        and what it asked for.
        """
        for some in slices(order_ids):
            query = _AT_ONCE.replace("(*)", f"({places(some)})")
            with self._reads() as connection:
                rows = connection.execute(query, (*some, self.job)).fetchall()
                self._prove(connection, rows)
            lines: dict[str, list[Any]] = {}
            for _, order_id, *line in rows:
                lines.setdefault(order_id, []).append(line)
            for order_id, told in lines.items():
                if [line[:4] for line in told] == _ONCE:
                    at_ns, *asked = told[0][4:]
                    yield order_id, at_ns, AskedFor(*asked)

    def _first_of_last(self, most: int) -> int:
        """The number of the event by which the first of the last attempts began, so many."""
        query = (
            "SELECT seq FROM asked WHERE +job = ? ORDER BY seq DESC LIMIT 1 OFFSET ?"
        )
        row = self._first(query, self.job, most - 1)
        if row:
            return int(row[0])
        return 0

    def asked_under(
        self, beginnings: Sequence[str], but: str | None, *, corrections: bool = False
    ) -> dict[str, list[tuple[str, str, int, str, str]]]:
        """What terms are like (`fitting_terms`) -> the same of whatever age, with the cells
        that the order id was made of (job.Columns.ids_from), empty where unknown, and the kind of
        the event; `but`: not those made of these; None: all. `corrections`: also of these what came
        to correct a row.
        """
        query = (
            "SELECT a.order_id, a.batch_id, a.at_ns,"
            f" CAST(coalesce(json_extract({DATA_OF_E}, '{IDS_FROM_AT}'), '') AS TEXT)"
            " AS made_of, e.kind FROM asked AS a JOIN events AS e ON e.seq = a.seq"
            " WHERE a.job = ? AND a.terms BETWEEN ? AND ? AND a.terms LIKE '%' || ?"
            " AND (made_of IS NOT ? OR (? AND a.corrects <> '')) ORDER BY a.seq"
        )
        found = {}
        for some in dict.fromkeys(beginnings):
            beginning, _, end = some.partition("*")
            wanted = (beginning, f"{beginning}~", end)
            rows = self._rows(query, self.job, *wanted, but, corrections)
            if rows:
                found[some] = rows
        return found

    def corrected(
        self, keys: Collection[str] | None = None, since_ns: int = 0
    ) -> dict[str, list[str]]:
        """A row's place (places.place_of), or its order (places.by_order) -> the ids of orders
        whose attempt came to correct that row, by any of the names that it went by then.
        Corrections are few: all of them are read.

        `keys`: only these places and orders. `since_ns`: only what came to do so since then.
        """
        query = (
            f"SELECT a.corrects, json_extract({DATA_OF_E}, '{SALE_AT}'), a.order_id"
            " FROM asked AS a JOIN events AS e ON e.seq = a.seq"
            " WHERE a.job = ? AND a.corrects <> '' AND a.at_ns >= ? ORDER BY a.seq"
        )
        pairs: dict[tuple[str, str], None] = {}
        with self._reads() as connection:
            told = connection.execute(query, (self.job, since_ns))
            for corrects, sale, order_id in told:
                for key in (corrects, *texts_of(sale)):
                    if keys is None or key in keys:
                        pairs[key, order_id] = None
        return grouped(pairs)

    def _asked(
        self,
        columns: str,
        column: str,
        wanted: Sequence[str],
        more: str = "",
        *values: Any,
    ) -> list[Any]:
        """Rows of `asked` where one column has one of some values, oldest first within each."""
        found = []
        for some in slices(wanted):
            query = (
                f"SELECT {columns} FROM asked WHERE job = ? AND {column} IN ({places(some)})"
                f" {more} ORDER BY seq"
            )
            found += self._rows(query, self.job, *some, *values)
        return found

    def order_of_charge(self, charge_id: str) -> tuple[str, str, int] | None:
        """Job, order id and attempt of the first event, of any job in the file, that tells of a
        charge; or, of that job, of the one whose key it carries.
        """
        if not is_storable(charge_id):
            return None
        those = (
            f"FROM events WHERE kind IN {CHARGED} AND {CHARGE_TOLD_OF} = ? ORDER BY seq"
        )
        whom = "SELECT job, order_id, attempt"
        told = self._rows(f"{whom} {those}", charge_id)
        if len(set(told)) <= 1:
            return next(iter(told), None)
        key = f"json_extract({WHOLE}, '$.charge.metadata.batchpay_key')"
        how = f"kind IN {any_of(LOOKED_UP)}"
        return owner_of_charge(self._rows(f"{whom}, {how}, {key} {those}", charge_id))

    def charges_known(self, since_ns: int, before_ns: int = NEVER_NS) -> dict[str, str]:
        """Charge id -> `created_at` ("" when it was not told) of every charge that an answer, a
        look-up or an adoption of this job told of since then, by our wall clock (ns), and before.
        """
        known: dict[str, str] = {}
        columns = [told_at(CHARGE_ID_AT, CHARGE_CREATED_AT)]
        for (told,) in self._since(
            since_ns, f"at_ns < {before_ns:d} AND kind IN {SEEN}", columns
        ):
            charge_id, created_at = values_of(told)
            if charge_id is not None:
                known[charge_id] = known.get(charge_id) or created_at or ""
        return known

    def youngest_charges(self, since_ns: int) -> dict[str, str]:
        """Charge id -> `created_at` of the youngest of these, as the gateway told it.

        What was told long before one was made, by clocks that agree on that one, is older.
        """
        youngest = ""
        told_in: list[tuple[int, int]] = []
        first_ns = since_ns
        for span in self._back():
            created_at, told_ns = self._first(_YOUNGEST, *span, self.job, since_ns)
            if created_at and created_at > youngest:
                youngest, told_in = created_at, []
                made_ns = created_ns(created_at, 0)
                if made_ns <= told_ns + DISORDER_NS:
                    since_ns = max(since_ns, made_ns - DISORDER_NS)
            if created_at and created_at == youngest:
                told_in.append(span)
            if self._is_before(span, since_ns):
                break
        found: dict[str, str] = {}
        for span in told_in:
            asked = (*span, self.job, first_ns, youngest)
            ids = (charge_id for (charge_id,) in self._rows(_OF_THAT_TIME, *asked))
            found.update(dict.fromkeys(filter(None, ids), youngest))
        return found

    def uncharged_since(self, since_ns: int) -> list[str]:
        """Order ids of attempts of which an answer, or a look-up, said since then that nothing was
        charged, by our wall clock (ns).
        """
        uncharged = (
            f"kind IN ('{Answered.kind}', '{Absent.kind}') AND json_extract({DATA},"
            f" '{STATE_AT}') IN ('{Outcome.REFUSED.value}', '{Outcome.HELD.value}')"
        )
        orders = self._since(since_ns, uncharged, ["order_id"])
        return list(dict.fromkeys(order_id for (order_id,) in orders))

    def went_again_since(self, since_ns: int) -> list[str]:
        """Order ids of which a further request was meant to go since then, by our wall clock
        (ns).
        """
        again = f"kind = '{Intended.kind}' AND (send > 1 OR attempt > 1)"
        orders = self._since(since_ns, again, ["order_id"])
        return list(dict.fromkeys(order_id for (order_id,) in orders))

    def _since(
        self, since_ns: int, where: str, columns: Sequence[str]
    ) -> Iterator[list[Any]]:
        """Columns of this job's events of one sort since then, youngest first."""
        query = (
            f"SELECT {', '.join(columns)} FROM events WHERE seq > ? AND seq <= ?"
            f" AND +job = ? AND at_ns >= ? AND {where} ORDER BY seq DESC"
        )
        for span in self._back():
            yield from self._rows(query, *span, self.job, since_ns)
            if self._is_before(span, since_ns):
                return

    def _back(self) -> Iterator[tuple[int, int]]:
        """Behind which event and up to which each STEP stands, from the last one back."""
        for until in range(self.head()[0], 0, -STEP):
            yield (until - STEP, until)

    def _is_before(self, span: tuple[int, int], at_ns: int) -> bool:
        """Is a whole STEP older than a time, so that all before it is? Times stand in the order of
        the commits but for DISORDER_NS.
        """
        query = (
            "SELECT 1 FROM events WHERE seq > ? AND seq <= ? AND at_ns >= ?"
            " ORDER BY seq DESC LIMIT 1"
        )
        return self._first(query, *span, at_ns - DISORDER_NS) is None

    def elsewhere(
        self, order_ids: Sequence[str]
    ) -> dict[str, list[tuple[str, list[Event]]]]:
        """Order id -> other jobs in the same file, each with its events of that id, or of one that
        corrects it, oldest first.
        """
        asked = self._ids_elsewhere(order_ids)
        events: dict[str, dict[str, list[Event]]] = {}
        for job, event in self._of_other_jobs(
            [one for ids in asked.values() for one in ids]
        ):
            events.setdefault(event.order_id, {}).setdefault(job, []).append(event)
        found = {}
        for order_id, ids in asked.items():
            pairs = [pair for one in ids for pair in events.get(one, {}).items()]
            if pairs:
                found[order_id] = pairs
        return found

    def _ids_elsewhere(self, order_ids: Sequence[str]) -> dict[str, dict[str, None]]:
        """Order id -> the ids under which other jobs may have it: its own, and of corrections."""
        query = (
            f"SELECT a.order_id, json_extract({DATA_OF_E}, '{SALE_AT}') FROM asked AS a"
            " JOIN events AS e ON e.seq = a.seq WHERE a.job {} ? AND a.corrects <> ''"
        )
        before = self._rows(query.format("<"), self.job)
        after = self._rows(query.format(">"), self.job)
        wanted = {by_order(order_id): order_id for order_id in order_ids}
        asked: dict[str, dict[str, None]] = {
            order_id: {order_id: None} for order_id in order_ids
        }
        for correction, sale in (*before, *after):
            for key in wanted.keys() & set(texts_of(sale)):
                asked[wanted[key]][correction] = None
        return asked

    def _of_other_jobs(self, order_ids: Sequence[str]) -> Iterator[tuple[str, Event]]:
        """The events of other jobs in the file, for some order ids."""
        for some in slices(list(dict.fromkeys(order_ids))):
            query = (
                f"SELECT job, {COLUMNS} FROM events WHERE order_id <> ''"
                f" AND order_id IN ({places(some)}) AND job <> ? ORDER BY seq"
            )
            for job, *row in self._rows(query, *some, self.job):
                yield job, event_of(row)


def _is_else(kind: str, attempt: int, send: int) -> bool:
    """Is it more than the first send of an order, the answer to it, and where its share is?"""
    return kind != TransferSeen.kind and (kind, attempt, send) not in _FIRST


def _charged(
    begun: Mapping[str, str], answered: Iterable[_Told], others: set[str]
) -> list[ChargedAtOnce]:
    """The orders that succeeded, but for `others`, to which all those are added that did not.
    `begun`: order id -> batch id.
    """
    found: dict[tuple[str, str], tuple[list[int], list[str]]] = {}
    for order_id, batch_id, state, minor, currency in answered:
        if order_id in others:
            continue
        is_paid = state == Outcome.SUCCEEDED and type(minor) is int and minor
        if not (is_paid and currency) or begun[order_id] != batch_id:
            others.add(order_id)
            continue
        amounts, order_ids = found.setdefault((batch_id, currency), ([], []))
        amounts.append(minor)
        order_ids.append(order_id)
    return [
        ChargedAtOnce(batch_id, currency, sum(amounts), order_ids)
        for (batch_id, currency), (amounts, order_ids) in found.items()
    ]


def _listed(texts: Iterable[str]) -> str:
    """Texts as a query takes many of them; one that no journal can hold is nowhere in it."""
    return json.dumps(list(filter(is_storable, texts)))


def _on_its_way(
    order_id: str,
    attempt: int,
    at_ns: int,
    adopted: int,
    settled_ns: int,
    chain: str,
    transfer: str,
    created_at: Any,
) -> OnItsWay:
    begun_ns = at_ns
    if adopted:
        begun_ns = created_ns(str(created_at or ""), settled_ns)
    return OnItsWay(order_id, attempt, begun_ns, chain, transfer)
