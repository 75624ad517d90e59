"""The mutants: for each law, ways to break it, and the test that must fail for each of them."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

from batchpay.domain.events import TotalsCounted
from batchpay.domain.model import Outcome
from batchpay.domain.times import NEVER_NS
from batchpay.lifecycle.attempt import begun_ns
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.places import place_of
from batchpay.lifecycle.proof import Proof
from batchpay.lifecycle.sale_terms import terms_in
from batchpay.settlement.expected import LONGEST_SILENCE_NS
from tests.mutants.swap import always, prop, swap

SIMULATION = "simulation/test_simulation.py::test_no_seed_breaks_an_invariant"
LOOP = "test_settlement.py::"
RACES = "test_settlement_races.py::"
LIFE = "test_lifecycle.py::"
STANDING = "test_standing.py::"
JOURNAL = "contract/test_journal.py::"
WIRE = "test_gateway_omise.py::"
FILE = "test_journal_sqlite.py::"
ARCHIVES = "test_archiving.py::"
LATE = "test_late_lists.py::"
DOUBTS = "test_survivors_settlement.py::"


@dataclass(frozen=True)
class Mutant:
    """One law, broken: `breaks` replaces what keeps it, `caught_by` is the test that must fail
    then.
    """

    law: str
    name: str
    caught_by: str
    breaks: Callable[[], None]


MUTANTS: dict[str, Mutant] = {}


def mutant(
    law: str, name: str, caught_by: str
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Registers the function as what breaks the law."""

    def register(breaks: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[name] = Mutant(law, name, caught_by, breaks)
        return breaks

    return register


def in_every_world(change: Callable[[Any], None]) -> None:
    """The simulator's worlds begin with this change."""

    def make(was: Any) -> Any:
        def world(*given: Any) -> Any:
            made = was(*given)
            change(made)
            return made

        return world

    swap("tests.simulation.story:_world", make)


# --- L1: intent before byte


@mutant("L1", "no intent is written", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        async def intend(self: Any, case: Any, boot_s: float) -> None:
            journal, self._journal = self._journal, Nowhere()
            try:
                await was(self, case, boot_s)
            finally:
                self._journal = journal

        return intend

    swap("batchpay.settlement.recorder:Recorder.intend", make)


class Nowhere:
    """A journal that forgets."""

    async def write(self, events: Any) -> Any:
        return events


@mutant("L1", "the intent is not waited for", SIMULATION)
def _() -> None:
    import asyncio

    def make(was: Any) -> Any:
        async def write(self: Any, events: Any) -> Any:
            if events[0].kind != "intent":
                return await was(self, events)
            self._hurried = [
                *getattr(self, "_hurried", []),
                asyncio.ensure_future(was(self, events)),
            ]
            return events

        return write

    swap("tests.simulation.process:VirtualJournal.write", make)


@mutant("L1", "synchronous = NORMAL", SIMULATION)
def _() -> None:
    in_every_world(
        lambda world: world.pragmas.update(
            {"PRAGMA synchronous = FULL": "PRAGMA synchronous = NORMAL"}
        )
    )


@mutant(
    "L1",
    "the file is opened with NORMAL",
    FILE + "test_every_commit_is_synchronous_and_the_file_private",
)
def _() -> None:
    def make(was: Any) -> Any:
        def opened(*given: Any) -> Any:
            connection = was(*given)
            connection.execute("PRAGMA synchronous = NORMAL")
            return connection

        return opened

    swap("batchpay.journals.sqlite.file:_open", make)


@mutant("L1", "the body is made anew after its intent", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        async def charge(self: Any, intent: Any, may_leave: Any) -> Any:
            return await was(
                self,
                replace(intent, body=f"{intent.body}&description=again"),
                may_leave,
            )

        return charge

    swap("tests.simulation.door:Door.charge", make)


# --- L2: an intent goes stale, for its writer only


@mutant("L2", "a stale intent is sent all the same", SIMULATION)
def _() -> None:
    in_every_world(
        lambda world: setattr(
            world, "obeyed", replace(world.settings, send_window_s=1e9)
        )
    )


@mutant("L2", "an intent found at start is taken for void", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        def open_cases(self: Any) -> Any:
            cases = was(self)
            for case in cases:
                if case.attempt.unproven_sends and not case.attempt.doubted:
                    case.attempt = replace(case.attempt, unproven_sends=frozenset())
            return cases

        return open_cases

    swap("batchpay.settlement.cases:Cases.open_cases", make)


@mutant("L2", "a void closes the attempt", LIFE + "test_what_events_add_up_to")
def _() -> None:
    swap(
        "batchpay.lifecycle.folding:_voided",
        lambda was: (
            lambda state, event, told: replace(was(state, event, told), refused=True)
        ),
    )
    import batchpay.lifecycle.folding as life

    life._STEPS[life.Voided] = life._voided


# --- L3: one open attempt per order


@mutant(
    "L3",
    "the database lets a second attempt in",
    JOURNAL + "test_one_open_attempt_an_order",
)
def _() -> None:
    swap("batchpay.journals.sqlite.writing:Writing._guard", always(None))


@mutant(
    "L3", "a doubt may be sent again", JOURNAL + "test_only_a_held_order_is_sent_again"
)
def _() -> None:
    swap("batchpay.journals.sqlite.writing:Writing._guard", always(None))


@mutant("L3", "an attempt in doubt counts as closed", STANDING + "test_what_a_row_is")
def _() -> None:
    swap(
        "batchpay.lifecycle.attempt:Attempt.closed",
        prop(lambda self, was: was(self) or self.outcome is Outcome.IN_DOUBT),
    )


@mutant("L3", "another key for every try", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        async def charge(self: Any, intent: Any, may_leave: Any) -> Any:
            key = str(uuid.uuid4())
            body = intent.body.replace(intent.key, key)
            return await was(self, replace(intent, key=key, body=body), may_leave)

        return charge

    swap("tests.simulation.door:Door.charge", make)


@mutant(
    "L3",
    "a key of random, not of job, order and attempt",
    "test_naming.py::test_keys_never_change",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.keys:key_of",
        lambda was: lambda job, order_id, attempt: str(uuid.uuid4()),
    )


@mutant(
    "L3",
    "what is not in the journal was never there",
    "test_journal_reread.py::test_an_order_that_was_taken_out_of_the_journal_is_not_charged_again",
)
def _() -> None:
    swap("batchpay.journals.sqlite.tally:refuse_others", always(None))


@mutant(
    "L3",
    "a packed event does not tell which token it spent",
    ARCHIVES + "test_whatever_a_journal_is_asked_it_answers_the_same_when_it_is_packed",
)
def _() -> None:
    import batchpay.journals.sqlite.archiving as archiving

    def make(was: Any) -> Any:
        def asked(data: Any) -> Any:
            found = was(data)
            found.get("intent", {}).pop("single_use", None)
            return found

        return asked

    swap("batchpay.journals.sqlite.packed:_asked_of", make)
    alike = archiving._READ_ALIKE  # SQLite, too, looks away
    archiving._PACK = archiving._PACK.replace(f" AND {alike}", "")


@mutant(
    "L3",
    "what does not unpack is packed all the same",
    ARCHIVES
    + "test_nights_decide_every_row_alike_whether_batches_are_archived_between_them",
)
def _() -> None:
    import batchpay.journals.sqlite.archiving as archiving

    def make(was: Any) -> Any:
        return lambda text, seq, like: was(text.replace("0", "1", 1), seq, like)

    swap("batchpay.journals.sqlite.packed:packed", make)
    archiving._PACK = archiving._PACK.replace(" AND whole(?2) = data", "")


# --- L4: verdicts come from proof

TABLE = LIFE + "test_every_pair_of_the_proof_table"


def verdicts(change: Callable[[Any, Any, Any], Any]) -> None:
    """Every verdict passes through `change(answer, verdict, keywords)`."""

    def make(was: Any) -> Any:
        def verdict(answer: Any, intent: Any, **named: Any) -> Any:
            return change(answer, was(answer, intent, **named), named)

        return verdict

    swap("batchpay.lifecycle.proof:verdict", make)


def refused_when(test: Callable[[Any], bool]) -> Callable[[], None]:
    """These answers are called a refusal."""
    return lambda: verdicts(
        lambda answer, v, _: replace(v, proof=Proof.REFUSED) if test(answer) else v
    )


mutant("L4", "5xx is a refusal", SIMULATION)(
    refused_when(lambda a: a.out and (a.status or 0) >= 500)
)
mutant("L4", "no answer is a refusal", SIMULATION)(
    refused_when(lambda a: a.out and a.status is None)
)
mutant("L4", "408 is a refusal", TABLE)(
    refused_when(lambda a: a.out and a.status == 408)
)
mutant("L4", "409 is a refusal", TABLE)(
    refused_when(lambda a: a.out and a.status == 409)
)


@mutant("L4", "no answer means that nothing was sent", SIMULATION)
def _() -> None:
    verdicts(
        lambda answer, v, _: (
            replace(v, proof=Proof.NOT_SENT) if answer.status is None else v
        )
    )


@mutant("L4", "an error object under 200 is a refusal", TABLE)
def _() -> None:
    verdicts(
        lambda answer, v, _: (
            replace(v, proof=Proof.REFUSED) if answer.status == 200 and v.code else v
        ),
    )


@mutant("L4", "any 2xx is a success", TABLE)
def _() -> None:
    verdicts(
        lambda answer, v, _: (
            replace(v, proof=Proof.CHARGE) if answer.out and answer.status == 200 else v
        )
    )


@mutant(
    "L4",
    "a used token after a doubt is a refusal",
    LOOP + "test_a_used_token_after_a_doubt_is_never_called_refused",
)
def _() -> None:
    verdicts(
        lambda _, v, __: replace(v, proof=Proof.REFUSED, spent=False) if v.spent else v
    )


@mutant(
    "L4",
    "a 429 is believed for ever",
    LOOP + "test_a_charge_behind_a_429_is_never_sent_again",
)
def _() -> None:
    swap("batchpay.settlement.weighing:_belies_429", always(False))


@mutant(
    "L4",
    "a 429 goes again without a look",
    LOOP + "test_who_was_told_429_waits_for_a_list",
)
def _() -> None:
    def make(was: Any) -> Any:
        async def conclude(self: Any, case: Any, answer: Any, left_s: Any) -> None:
            self._throttled.add = self._queue.again
            await was(self, case, answer, left_s)

        return conclude

    swap("batchpay.settlement.loop:Settlement._conclude", make)


@mutant(
    "L4",
    "an earlier 429 of a gateway that charged behind one is still believed",
    LOOP + "test_who_was_told_429_waits_for_a_list",
)
def _() -> None:
    swap("batchpay.lifecycle.attempt:Attempt.is_told_429", prop(lambda _, __: False))


@mutant(
    "L11",
    "what goes again needs no list that reaches back to its first request",
    LATE
    + "test_what_was_said_not_to_be_charged_goes_again_after_a_list_of_its_own_night",
)
def _() -> None:
    async def reached(*_: Any) -> bool:
        return True

    swap("batchpay.settlement.reach:Reach.read", lambda _: reached)


@mutant(
    "L11",
    "only the last of its requests is looked for",
    LATE + "test_a_window_holds_all_that_its_requests_may_have_charged",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.attempt:Attempt.charged_since_ns",
        prop(lambda self, _: max(0, self.went_ns - 86_400 * 10**9)),
    )


@mutant(
    "L11",
    "a list that ends in the past ends with the first charge that is younger",
    "test_listing.py::test_a_list_of_the_past_ends_with_many_younger_charges",
)
def _() -> None:
    import batchpay.lifecycle.listing as listing

    listing.MANY = 1


@mutant(
    "B19",
    "an entry of a list that tells only its id is nobody's",
    LATE + "test_an_entry_of_a_list_that_tells_only_its_id_is_asked_for_by_it",
)
def _() -> None:
    import batchpay.settlement.odd as odd

    odd.MOST_BARE = 0


@mutant(
    "L10",
    "what was sent again is never looked at again",
    LATE + "test_a_second_charge_that_a_list_shows_nights_later_is_a_stop",
)
def _() -> None:
    async def nothing(*_: Any) -> None:
        return None

    swap("batchpay.settlement.reach:Reach.read_again", lambda _: nothing)


@mutant(
    "B19",
    "our clock is believed of when something was sent",
    "test_survivors_life.py::test_no_clock_says_that_a_charge_is_older_than_what_may_have_made_it",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.attempt:Attempt.charged_since_ns",
        prop(lambda self, _: max(0, self.sent_ns - 300 * 10**9)),
    )


@mutant(
    "J13",
    "the gateway's clock is held against ours",
    "test_survivors_life.py::test_a_charge_taken_over_since_may_be_made_since",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.attempt:may_be_made_since",
        lambda _: lambda attempt, at_ns: begun_ns(attempt) > at_ns,
    )


# --- L5: doubt has a period


@mutant("L5", "no doubt period", SIMULATION)
def _() -> None:
    swap("batchpay.lifecycle.doubt:DoubtRules.due_s", always(0.0))


@mutant("L5", "half the doubt period", SIMULATION)
def _() -> None:
    in_every_world(
        lambda world: setattr(
            world,
            "obeyed",
            replace(world.settings, doubt_period_s=world.settings.doubt_period_s / 2),
        )
    )


@mutant("L5", "the first empty look-up is proof", SIMULATION)
def _() -> None:
    swap("batchpay.lifecycle.doubt:DoubtRules.closes", always(True))


@mutant("L5", "two look-ups without a gap", SIMULATION)
def _() -> None:
    in_every_world(
        lambda world: setattr(
            world, "obeyed", replace(world.settings, lookup_gap_s=0.0)
        )
    )


@mutant("L5", "an incomplete list is as good as a whole one", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        def add(self: Any, page: Any) -> Any:
            fresh = was(self, page)
            self.complete, self.broken = True, ""
            return fresh

        return add

    swap("batchpay.lifecycle.listing:Listing.add", make)


@mutant(
    "L5",
    "the clock of another boot counts on",
    LIFE + "test_doubt_is_counted_on_the_clock_of_one_boot_only",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.doubt:DoubtRules._start_s",
        lambda was: lambda self, doubt: doubt.boot_s,
    )
    swap(
        "batchpay.lifecycle.doubt:DoubtRules.absents",
        lambda was: lambda self, doubt: [boot_s for _, boot_s in doubt.absents],
    )


@mutant(
    "L5",
    "an unanswered order is never looked up",
    LOOP + "test_an_unanswered_order_is_looked_up_and_charged_once",
)
def _() -> None:
    swap("batchpay.settlement.doubts:Doubts.add", always(None))


# --- L6: evidence is never refused


@mutant("L6", "what a list shows of a settled order is dropped", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        async def found(self: Any, case: Any, charge: Any, **named: Any) -> None:
            if case.attempt is None or case.attempt.outcome in (
                Outcome.IN_DOUBT,
                Outcome.PENDING,
            ):
                await was(self, case, charge, **named)

        return found

    swap("batchpay.settlement.recorder:Recorder.found", make)


@mutant(
    "L6",
    "a charge beside an open attempt is not kept",
    RACES + "test_a_charge_of_the_next_attempt_is_kept_beside_one_in_doubt",
)
def _() -> None:
    from batchpay.domain.errors import Taken

    def make(was: Any) -> Any:
        async def adopt(self: Any, charge: Any, number: int) -> Any:
            if self._journal.histories([charge.metadata["order_id"]]):
                raise Taken("open")
            return await was(self, charge, number)

        return adopt

    swap("batchpay.settlement.recorder:Recorder.adopt", make)


@mutant(
    "L6",
    "the second charge of a key takes the place of the first",
    LIFE + "test_two_charges_under_one_key_are_seen_and_the_first_is_kept",
)
def _() -> None:
    import batchpay.lifecycle.folding as life

    def make(was: Any) -> Any:
        return lambda state, event, told: was(
            replace(state, charge=None, twins=frozenset()), event, told
        )

    swap("batchpay.lifecycle.folding:_evidence", make)
    for kind in (life.Found, life.Adopted):
        life._STEPS[kind] = life._evidence


@mutant(
    "L6",
    "what waits for the disk when a run fails is dropped",
    FILE + "test_what_waits_when_a_run_fails_is_written_all_the_same",
)
def _() -> None:
    def make(was: Any) -> Any:
        def tell(group: Any, results: Any) -> None:
            was(group, results)
            if group[0].loop.is_closed():
                raise RuntimeError("Event loop is closed")

        return tell

    swap("batchpay.journals.sqlite.writing:_tell", make)


# --- L7: an answer is checked


def blind_to(field: str) -> Callable[[], None]:
    """One comparison of an answer with its intent is left out."""

    def make(was: Any) -> Any:
        return lambda *given: tuple(
            flaw for flaw in was(*given) if not flaw.startswith(field)
        )

    return lambda: swap("batchpay.lifecycle.charge:flaws_of", make)


CHECKED = LIFE + "test_an_answer_that_is_not_what_was_asked_is_unproven"
mutant("L7", "answers are not checked", SIMULATION)(blind_to(""))
for _field in (
    "id",
    "livemode",
    "amount",
    "currency",
    "destination",
    "metadata[batchpay_key]",
    "paid",
):
    mutant("L7", f"{_field} of an answer is not checked", CHECKED)(blind_to(_field))


@mutant(
    "L3",
    "a charge that failed and says it is paid took nothing",
    LIFE + "test_a_charge_that_says_it_is_paid_never_ended_without_money",
)
def _() -> None:
    swap(
        "batchpay.domain.model:ChargeSeen.ended_without_money",
        prop(lambda self, was: self.status in ("failed", "expired", "reversed")),
    )


@mutant("L7", "a paid charge without a chain succeeds", SIMULATION)
def _() -> None:
    swap("batchpay.lifecycle.attempt:Attempt._split_missing", always(False))

    def make(was: Any) -> Any:
        def charged(self: Any) -> Any:
            outcome = was(self)
            no_chain = (
                self.charge is not None and self.charge.chain is None and not self.flaws
            )
            return (
                Outcome.SUCCEEDED
                if no_chain and self.charge.status == "successful"
                else outcome
            )

        return charged

    swap("batchpay.lifecycle.attempt:Attempt._charged", make)


# --- L8: one retry layer


@mutant("L8", "the client tries twice", SIMULATION)
def _() -> None:
    class Twice:
        def __init__(self, gateway: Any) -> None:
            self._gateway = gateway

        def __getattr__(self, name: str) -> Any:
            return getattr(self._gateway, name)

        async def charge(self, intent: Any, may_leave: Any) -> Any:
            answer = await self._gateway.charge(intent, may_leave)
            if answer.out and (answer.status is None or answer.status >= 500):
                answer = await self._gateway.charge(intent, lambda: True)
            return answer

    in_every_world(lambda world: setattr(world, "wrap_gateway", Twice))


@mutant(
    "L8",
    "the transport repeats what a stale connection lost",
    WIRE + "test_a_request_without_an_answer_is_not_repeated",
)
def _() -> None:
    import httpx

    def make(was: Any) -> Any:
        async def exchange(self: Any, request: bytes, flight: Any) -> Any:
            try:
                return await was(self, request, flight)
            except httpx.TransportError:
                return await was(self, request, flight)

        return exchange

    swap("batchpay.gateways.omise.wire:Wire.exchange", make)


@mutant("L8", "redirects are followed", WIRE + "test_a_redirect_is_not_followed")
def _() -> None:
    import httpx

    from batchpay.gateways.omise.wire import Wire

    def make(was: Any) -> Any:
        async def exchange(self: Any, request: bytes, flight: Any) -> Any:
            status, headers, body = await was(self, request, flight)
            location = dict(headers).get(b"location")
            if not 300 <= status <= 399 or location is None:
                return status, headers, body
            onward = httpx.URL(location.decode())
            method, _, rest = request.split(b" ", 2)
            again = b" ".join((method, onward.raw_path, rest))
            return await was(Wire(onward, 5.0), again, flight)

        return exchange

    swap("batchpay.gateways.omise.wire:Wire.exchange", make)


# --- L9: everything shown is a function of the journal


@mutant(
    "L9",
    "the loop believes its memory, not the journal",
    RACES + "test_two_pieces_of_evidence_at_once_both_count",
)
def _() -> None:
    def make(was: Any) -> Any:
        async def write(self: Any, case: Any, told: Any, send: int = 0) -> None:
            case.writing = Unlocked()
            await was(self, case, told, send)

        return write

    swap("batchpay.settlement.recorder:Recorder._write", make)


class Unlocked:
    """A lock that locks nobody out."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *given: object) -> None:
        return None


@mutant("L9", "reports show what was known when the run began", SIMULATION)
def _() -> None:
    known: dict[Any, Any] = {}

    def make(was: Any) -> Any:
        def history_of(journal: Any, batch_id: str, chunk: Any, *more: Any) -> Any:
            return known.setdefault(
                (journal.path, batch_id, chunk.number),
                was(journal, batch_id, chunk, *more),
            )

        return history_of

    swap("batchpay.batches.history:history_of", make)


# --- L10: stop on the impossible, and stay stopped


@mutant("L10", "no stop is ever written", SIMULATION)
def _() -> None:
    swap("batchpay.settlement.weighing:why_stop", always(""))


@mutant(
    "L10",
    "a stop ends with its run",
    LOOP + "test_an_answer_that_proves_nothing_stops_this_run_and_the_next",
)
def _() -> None:
    swap("batchpay.settlement.recorder:stop_in_force", always(""))


@mutant(
    "L10",
    "a row that took money under two ids is no stop",
    "test_sale.py::"
    "test_a_row_that_another_journal_charged_under_another_id_is_a_stop_and_both_are_told",
)
def _() -> None:
    swap("batchpay.settlement.weighing:Weighing.charged_twice", always(()))


@mutant(
    "L10",
    "a stop is written behind what brings it",
    "crash/test_every_call.py::test_no_death_parts_evidence_and_the_stop_that_it_brings",
)
def _() -> None:
    def make(was: Any) -> Any:
        behind = cycle((False, True))

        def stops_beside(*given: Any) -> Any:
            if next(behind):
                return was(*given)
            return []

        return stops_beside

    swap("batchpay.settlement.recorder:Recorder._stops_beside", make)


@mutant(
    "L5",
    "a charge that an earlier list showed, and this one does not, is forgotten",
    "test_doors.py::"
    "test_a_list_that_lacks_what_an_earlier_one_showed_proves_no_absence",
)
def _() -> None:
    async def forgotten(*given: Any) -> bool:
        return False

    swap("batchpay.settlement.may_be:MayBe._may_still_be", lambda _: forgotten)


PAYER = (
    "test_survivors_lists.py::"
    "test_whether_a_charge_may_be_an_orders_by_its_payer_has_one_answer"
)
mutant("L5", "another customer's charge may be an order's", PAYER)(
    lambda: swap(
        "batchpay.lifecycle.payers:payer_fits",
        lambda was: lambda asked, told: was(asked, told) or None,
    )
)
mutant("L5", "a charge that tells no payer is another's", PAYER)(
    lambda: swap(
        "batchpay.lifecycle.payers:payer_fits",
        lambda was: lambda asked, told: bool(was(asked, told)),
    )
)


@mutant(
    "L11",
    "a charge that names nobody is held against what a row asks today alone",
    "test_next_steps.py::"
    "test_a_charge_that_names_nobody_is_held_against_what_its_sale_asked_for_before",
)
def _() -> None:
    def make(was: Any) -> Any:
        return lambda *given: was(*given)[:1]

    swap("batchpay.lifecycle.contested:asked_for_sale", make)
    swap("batchpay.settlement.strays:Strays.is_maybe_charged", always(False))


@mutant(
    "L10",
    "a person's word that an order is never sent holds for its last attempt alone",
    STANDING
    + "test_no_charge_that_took_no_money_takes_the_word_back_that_an_order_is_never_sent",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.attempt:Attempt.cancelled",
        prop(lambda self, was: was(self) if self.refused else None),
    )


@mutant(
    "L6",
    "a person's word of a charge is held against a clock that nobody checked",
    "test_doors.py::"
    "test_a_charge_that_names_nobody_is_told_of_an_order_that_a_wrong_clock_sent",
)
def _() -> None:
    def make(was: Any) -> Any:
        return lambda *given, dated: was(*given, dated=True)

    swap("batchpay.commands.resolve:may_be", make)


@mutant(
    "L10",
    "a sale that took money by its correction too is no stop",
    "test_sale.py::test_a_sale_that_another_journal_charged_by_a_correction_is_a_stop",
)
def _() -> None:
    swap("batchpay.settlement.cases:places_of", lambda was: lambda one: was(one)[:1])


@mutant("L10", "a stop does not stop the run that wrote it", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        def stopped_by(self: Any, stops: Any) -> None:
            stopped = self.stopped
            was(self, stops)
            self.stopped = stopped

        return stopped_by

    swap("batchpay.settlement.recorder:Recorder._stopped_by", make)


@mutant(
    "L10",
    "the hash chain is not looked at",
    FILE + "test_an_edited_line_breaks_the_chain",
)
def _() -> None:
    swap("batchpay.journals.sqlite.soundness:verify", always(None))


@mutant(
    "L10",
    "twins are not told apart",
    LOOP + "test_two_charges_for_one_key_are_found_and_stop",
)
def _() -> None:
    import batchpay.lifecycle.folding as life

    swap(
        "batchpay.lifecycle.folding:_evidence",
        lambda was: (
            lambda state, event, told: replace(
                was(state, event, told), twins=frozenset()
            )
        ),
    )
    for kind in (life.Found, life.Adopted):
        life._STEPS[kind] = life._evidence


# --- L11: look before the first send


@mutant("L11", "nobody looks before the first send", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        async def look(self: Any, how: Any) -> str:
            return ""

        return look

    swap("batchpay.settlement.first_look:FirstLook.look", make)


@mutant("L11", "a look that cannot be had is done without", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        async def look(self: Any, how: Any) -> str:
            await was(self, how)
            return ""

        return look

    swap("batchpay.settlement.first_look:FirstLook.look", make)


@mutant(
    "L11",
    "a list is bound by our own clock",
    RACES + "test_a_clock_that_nobody_checked_bounds_no_list",
)
def _() -> None:
    from batchpay.settlement.since import iso, now_of

    swap(
        "batchpay.settlement.bound:Bound._told_by",
        lambda was: lambda self, listing: iso(now_of(self._clock)),
    )


@mutant(
    "L11",
    "nobody looks while orders are sent",
    LOOP + "test_another_run_with_another_journal_is_seen_while_charging",
)
def _() -> None:
    def make(was: Any) -> Any:
        async def watch(self: Any, since: Any, *, opening: bool) -> Any:
            return since

        return watch

    swap("batchpay.settlement.watching:Watching.watch", make)


@mutant(
    "L11",
    "all orders go before the first list",
    RACES + "test_one_order_goes_alone_until_a_list_followed_it",
)
def _() -> None:
    def make(was: Any) -> Any:
        def begin(self: Any, candidates: Any) -> None:
            was(self, candidates)
            self.open()

        return begin

    swap("batchpay.settlement.queue:Queue.begin", make)


@mutant("L11", "what the gateway has of a lost journal is not adopted", SIMULATION)
def _() -> None:
    def make(was: Any) -> Any:
        async def absorb(self: Any, charge: Any, known: Any, *, adopting: bool) -> None:
            if not isinstance(known, int):
                await was(self, charge, known, adopting=adopting)

        return absorb

    swap("batchpay.settlement.absorbing:Absorbing.absorb", make)


# --- L12: the journal is the truth, the queue is a hint


def rows_judged_without_a_journal(guarded: bool) -> Callable[[], None]:
    """Every row that is handed over is new to the loop."""

    def make(was: Any) -> Any:
        def claim(self: Any, candidate: Any) -> Any:
            from batchpay.settlement.cases import Case

            return (
                Case(candidate.intent)
                if candidate.intent is not None
                else was(self, candidate)
            )

        return claim

    def breaks() -> None:
        swap("batchpay.settlement.queue:Queue._claim", make)
        if not guarded:
            swap("batchpay.journals.memory:_guard", always(None))

    return breaks


mutant(
    "L12",
    "an order handed over twice is sent twice",
    RACES + "test_orders_handed_over_twice_or_not_at_all_cost_nothing",
)(rows_judged_without_a_journal(guarded=False))


# --- L13: what was not delivered is discarded


@mutant("L13", "sockets linger", WIRE + "test_what_was_not_delivered_is_discarded")
def _() -> None:
    import socket
    import struct

    import batchpay.gateways.omise.wire as wire

    class Lingering(socket.socket):
        def setsockopt(self, level: int, option: int, value: Any, *more: Any) -> None:  # type: ignore[override]
            kept = (
                struct.pack("ii", 0, 0)
                if option == socket.SO_LINGER and level == socket.SOL_SOCKET
                else value
            )
            super().setsockopt(level, option, kept, *more)

    class Sockets:
        socket = Lingering

        def __getattr__(self, name: str) -> Any:
            return getattr(socket, name)

    wire.socket = Sockets()  # type: ignore[attr-defined]


# --- money


@mutant(
    "I17",
    "amounts pass through floats",
    "test_money.py::test_amounts_that_floats_get_wrong",
)
def _() -> None:
    from batchpay.domain.money import EXPONENTS

    def make(was: Any) -> Any:
        def to_minor(text: str, currency: str, unit: str = "major") -> int:
            was(text, currency, unit)
            return int(
                float(text.replace(",", ""))
                * 10 ** (EXPONENTS[currency.upper()] if unit == "major" else 0)
            )

        return to_minor

    swap("batchpay.domain.money:to_minor", make)


@mutant("I11", "each run has the whole rate for itself", SIMULATION)
def _() -> None:
    swap("batchpay.journals.lock:RunLock.ages_s", always(()))


def forgets_the_first(name: str) -> Callable[[], None]:
    """Whoever counts does not count the first thing it is given."""

    def make(was: Any) -> Any:
        def add(self: Any, given: Any) -> None:
            if self.read if hasattr(self, "read") else self.rows_read:
                was(self, given)
            else:
                _count_the_rest(self, given, was)

        return add

    return lambda: swap(name, make)


def _count_the_rest(counter: Any, given: Any, was: Any) -> None:
    if not hasattr(given, "documents"):
        counter.rows_read += 1  # of a finding nothing else is counted
        return
    chunk = replace(given.chunk, rows=given.chunk.rows[1:])
    problems = {at - 1: found for at, found in given.problems.items() if at}
    was(
        counter,
        replace(given, chunk=chunk, documents=given.documents[1:], problems=problems),
    )


TWO_SIDES = (
    "test_reconciliation.py::test_what_was_read_is_held_against_what_is_reported"
)
mutant("I3", "the reader does not count a row", TWO_SIDES)(
    forgets_the_first("batchpay.intake.controls:Tally.add")
)
mutant("I3", "a row is in no total", TWO_SIDES)(
    forgets_the_first("batchpay.reconciliation.totals:Totals.add")
)


ROWLESS = "test_rowless.py::"
mutant(
    "I14",
    "of a charge that no row shows its transfer is not heard",
    ROWLESS + "test_a_share_that_differs_is_a_12_also_where_no_row_shows_its_charge",
)(
    lambda: swap(
        "batchpay.reconciliation.findings:find_without_row",
        lambda was: (
            lambda one, siblings, **named: was(
                replace(one, transfer=None), siblings, **named
            )
        ),
    )
)
mutant(
    "I14",
    "a charge that no row shows is judged as if its order had no other",
    ROWLESS + "test_two_attempts_that_took_money_are_a_persons_also_without_a_row",
)(
    lambda: swap(
        "batchpay.reconciliation.findings:find_without_row",
        lambda was: lambda one, _, **named: was(one, [one], **named),
    )
)
mutant(
    "I14",
    "a report that is behind the journal is what its batch comes to",
    ROWLESS + "test_where_a_report_is_behind_the_journal_no_other_command_ends_by_it",
)(lambda: swap("batchpay.batches.counted:is_due", always(False)))


# --- doors that no guard watched (docs/faults.md, J01 to J36)

DOORS = "test_doors.py::"
STEPS = "test_next_steps.py::"


async def nothing(*given: Any, **named: Any) -> None:
    """A step that is left out."""


def left_out(was: Any) -> Any:
    """An asynchronous step that does nothing."""
    return nothing


@mutant(
    "J01",
    "--since narrows the look, and stands for an empty journal's",
    DOORS + "test_since_only_widens_what_a_lost_journal_looks_at",
)
def _() -> None:
    def make(was: Any) -> Any:
        def look_of(opened: Any, options: Any) -> Any:
            look = was(opened, options)
            return replace(
                look,
                since=options.since or look.since,
                known_before=look.known_before or bool(options.since),
            )

        return look_of

    swap("batchpay.batches.session:look_of", make)


@mutant(
    "J02",
    "nothing is thought of an unknown charge, nothing waited out",
    DOORS + "test_a_whole_state_folder_put_back_waits_for_what_was_under_way",
)
def _() -> None:
    swap("batchpay.settlement.first_look:FirstLook._met", left_out)


FORGOTTEN = DOORS + "test_a_charge_that_lost_its_names_bars_its_order_on_a_later_night"


def nothing_kept(was: Any) -> Any:
    async def keep(*given: Any) -> None:
        return None

    return keep


@mutant("J02", "what kept its key alone is known to its process alone", FORGOTTEN)
def _() -> None:
    swap("batchpay.settlement.strays:Strays.keep_strays", nothing_kept)


@mutant("J02", "what says nothing is passed over after a loss", FORGOTTEN)
def _() -> None:
    swap("batchpay.settlement.strays:Strays.keep_nameless", nothing_kept)


@mutant(
    "J07",
    "a row that names its row no more is an order like any other",
    "test_coming_back.py::test_a_row_that_names_its_row_no_more_is_no_new_order",
)
def _() -> None:
    swap(
        "batchpay.intake.cameback:rows_corrected",
        lambda was: lambda chunk, found: was(chunk, type(found)({})),
    )


@mutant(
    "J07",
    "a row that was filled down is settled by the order that it copies",
    "test_coming_back.py::test_a_row_that_was_filled_down_answers_for_no_sale",
)
def _() -> None:
    swap("batchpay.lifecycle.terms:contradicts", always(False))


@mutant(
    "J02",
    "a run that adopts asks nothing about files of other ids",
    "test_sale.py::test_a_file_of_new_ids_is_asked_about_after_a_loss",
)
def _() -> None:
    swap("batchpay.batches.open_job:OpenJob.judge_again", always(None))


@mutant(
    "J13",
    "a question is asked once",
    "test_sale.py::test_a_question_about_a_file_stays_asked",
)
def _() -> None:
    swap("batchpay.batches.recent:_is_open", always(False))


@mutant(
    "J13",
    "an earlier id is the row's sale, whoever was charged",
    "test_sale.py::test_a_sale_that_had_anothers_id_by_mistake_goes_when_that_is_mended",
)
def _() -> None:
    swap("batchpay.lifecycle.sales:is_kin", always(True))


@mutant(
    "J13",
    "an earlier id is another sale's, whoever was charged",
    "test_sale.py::test_a_copy_of_a_sale_whose_id_was_edited_is_no_other_sale",
)
def _() -> None:
    swap("batchpay.lifecycle.sales:is_kin", always(False))


@mutant(
    "L11",
    "a cancellation that only a report tells of is none",
    DOORS + "test_a_cancelled_order_is_not_sent_by_a_journal_that_does_not_know_it",
)
def _() -> None:
    swap("batchpay.batches.wholeness:_gone", always({}))


@mutant(
    "L11",
    "any word about an order says all that a report tells of it",
    "test_losses.py::test_an_order_that_is_cancelled_after_it_was_settled_stays_so",
)
def _() -> None:
    swap("batchpay.batches.wholeness:_is_said", lambda was: lambda *given: given[2])


@mutant(
    "L11",
    "a journal with as many events has the same ones",
    "test_losses.py::test_an_older_copy_is_noticed_although_it_has_as_many_events",
)
def _() -> None:
    def has(journal: Any, witnessed: Any) -> bool:
        return bool(witnessed.seq <= journal.head()[0])

    swap("batchpay.batches.wholeness:_has", lambda was: has)


@mutant(
    "L11",
    "of copies that went on apart the longer one is right",
    "test_losses.py::test_a_copy_that_went_on_for_longer_takes_nothing_back",
)
def _() -> None:
    swap("batchpay.batches.words:short", always(""))


@mutant(
    "L11",
    "once a loss was dealt with, no manifest tells of another",
    "test_losses.py::test_a_manifest_that_says_it_is_of_tomorrow_hides_none_of_later",
)
def _() -> None:
    def make(was: Any) -> Any:
        def noted(journal: Any) -> Any:
            found, heads, manifests_ns = was(journal)
            return found, heads, 2**63 if heads else manifests_ns

        return noted

    swap("batchpay.batches.wholeness:_noted", make)


@mutant(
    "L11",
    "of a loss that the list tells of, reports tell nothing",
    "test_losses.py::test_a_loss_that_the_list_tells_of_takes_over_what_reports_tell",
)
def _() -> None:
    def alone(self: Any, met: Any) -> Any:
        return [self._event(met)]

    swap("batchpay.batches.open_job:OpenJob._taking_over", lambda was: alone)


@mutant(
    "L11",
    "what a list showed an empty journal is forgotten",
    "test_losses.py::test_what_is_no_evidence_holds_nobody_up",
)
def _() -> None:
    async def lost(*_: Any) -> None:
        pass

    swap("batchpay.settlement.recorder:Recorder.lost", lambda was: lost)


@mutant(
    "J03",
    "a lost journal is adopted with any account",
    DOORS + "test_a_lost_journal_is_adopted_with_the_account_that_its_reports_name",
)
def _() -> None:
    swap("batchpay.batches.wholeness:whose_before", always({}))


@mutant(
    "J03",
    "any account will do",
    DOORS + "test_the_key_of_another_account_is_refused_before_it_charges",
)
def _() -> None:
    from batchpay.settlement.run import Account

    def make(was: Any) -> Any:
        async def enter(*given: Any) -> Account:
            return Account()

        return enter

    swap("batchpay.settlement.run:enter", make)


@mutant(
    "J04",
    "earlier charges are not read again",
    LOOP
    + "test_a_charge_that_ended_and_became_successful_is_found_before_the_next_attempt",
)
def _() -> None:
    def make(was: Any) -> Any:
        async def clears(self: Any, case: Any) -> bool:
            return True

        return clears

    swap("batchpay.settlement.doubts:Doubts.clears", make)


@mutant(
    "J05",
    "a list that lacks known charges proves absence",
    LOOP + "test_a_stale_copy_of_the_list_proves_no_absence",
)
def _() -> None:
    swap("batchpay.settlement.witnesses:Witnesses.lacking", always([]))


@mutant(
    "J05",
    "what was told last of a charge is the last charge",
    DOUBTS
    + "test_what_is_told_of_an_old_charge_makes_no_list_begin_before_the_last_one",
)
def _() -> None:
    def make(was: Any) -> Any:
        def youngest(self: Any, since_ns: int) -> Any:
            told_since = self.charges_known(since_ns + LONGEST_SILENCE_NS)
            return {} if told_since else was(self, since_ns)

        return youngest

    swap("batchpay.journals.memory:MemoryJournal.youngest_charges", make)


@mutant(
    "J05",
    "a list of long ago may lack what was charged then",
    "test_late_lists.py::"
    "test_a_list_that_lacks_the_charges_of_its_own_night_lets_nothing_go_again",
)
def _() -> None:
    def make(was: Any) -> Any:
        def witness(self: Any, since_ns: int, until_ns: Any = None) -> None:
            if self._known_from_ns == NEVER_NS:
                was(self, since_ns)

        return witness

    swap("batchpay.settlement.expected:Expected.witness", make)


@mutant(
    "J05",
    "a later look that could not be made counts as made",
    "test_late_lists.py::test_a_later_look_that_could_not_be_made_is_made_by_the_next_run",
)
def _() -> None:
    def make(was: Any) -> Any:
        return lambda self, **_: was(self, charges=True, words=True)

    swap("batchpay.settlement.reach:LateLook.done_of", make)


@mutant(
    "J05",
    "a night without a file makes no later look",
    "test_late_lists.py::test_a_second_charge_is_looked_for_on_nights_without_a_file",
)
def _() -> None:
    swap(
        "batchpay.settlement.reach:LateLook.is_anything", prop(lambda self, was: False)
    )


@mutant(
    "J05",
    "a list of long ago is over once charges are younger, in whatever order",
    "test_listing.py::test_a_list_without_an_order_has_no_past",
)
def _() -> None:
    def make(was: Any) -> Any:
        def end(self: Any, fresh: Any) -> None:
            past = [one.created_at > self.until for one in fresh]
            self._past = self._past + len(past) if all(past) else 0
            if self.until and self._past >= 10 and not (self.complete or self.broken):
                self.complete = self.is_past = True

        return end

    swap("batchpay.lifecycle.listing:Listing._end_in_the_past", make)


@mutant(
    "J05",
    "of two charges of one second lists must show one",
    DOUBTS + "test_lists_must_show_what_was_proven_since_and_the_last_before",
)
def _() -> None:
    def make(was: Any) -> Any:
        return lambda self, since_ns: dict([*was(self, since_ns).items()][:1])

    swap("batchpay.journals.memory:MemoryJournal.youngest_charges", make)


@mutant(
    "J06",
    "another job's charge of the order is no matter",
    DOORS + "test_a_renamed_job_is_refused_on_every_night",
)
def _() -> None:
    swap("batchpay.lifecycle.contested:_elsewhere", always(None))
    swap("batchpay.settlement.others:OtherJobs.charge_of", always(None))


mutant(
    "J06",
    "a row that another job of the journal asked for is known by its id alone",
    "test_sale.py"
    "::test_a_second_job_of_a_journal_knows_whose_rows_of_the_file_were_asked_for",
)(lambda: swap("batchpay.batches.resembling:rows_elsewhere", always({})))


@mutant(
    "J06",
    "another job's charge is held against what the row asks today alone",
    DOORS + "test_what_the_new_name_charged_counts_for_a_row_that_was_corrected",
)
def _() -> None:
    def today(original: Any) -> Any:
        return lambda documents, intents: original(list(documents)[:1], ())

    swap("batchpay.lifecycle.elsewhere:asked_for", today)


@mutant(
    "J27",
    "a list that lacks a charge which is gone for good proves absences all the same",
    DOORS + "test_what_has_lost_one_charge_proves_no_absence_of_another",
)
def _() -> None:
    def forgets(original: Any) -> Any:
        async def is_for_a_person(self: Any, charge_id: str) -> bool:
            is_gone = await original(self, charge_id)
            if is_gone:
                self._recorder.expected.known.pop(charge_id)
            return is_gone

        return is_for_a_person

    swap("batchpay.settlement.unshown:Unshown._is_for_a_person", forgets)


@mutant(
    "J07",
    "a second attempt passes no look-alike guard",
    DOORS + "test_a_look_alike_that_was_declined_does_not_come_back",
)
def _() -> None:
    def make(was: Any) -> Any:
        return lambda row, history, guards: (
            None
            if history.attempts.get(row.document["order_id"])
            else was(row, history, guards)
        )

    swap("batchpay.lifecycle.contested:look_alike", make)


@mutant(
    "J07",
    "an order that was sent is not looked for in the digits of another script",
    DOORS + "test_an_id_in_digits_of_another_script_is_a_look_alike",
)
def _() -> None:
    swap("batchpay.journals.sqlite.orders:Orders._in_other_digits", always({}))


@mutant(
    "J08",
    "a trailing .0 makes another order",
    DOORS + "test_an_id_that_a_program_damaged_is_a_conflict_whatever_it_asks",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.order_ids:alike",
        lambda was: lambda order_id: order_id.strip().casefold().lstrip("0"),
    )


@mutant(
    "J07",
    "an id in digits of another script is another order",
    DOORS + "test_an_id_in_digits_of_another_script_is_a_look_alike",
)
def _() -> None:
    swap("batchpay.lifecycle.order_ids:in_ascii_digits", lambda was: str)


@mutant(
    "E08",
    "every refused row gives way to what came back",
    "test_taken_back.py::test_a_correction_waits_beside_what_takes_it_back_elsewhere",
)
def _() -> None:
    def make(was: Any) -> Any:
        def given_way(rows: Any, refused: Any, groups: Any) -> Any:
            found = was(rows, refused, groups)
            batches = {row.place[0] for row in rows}
            for row in refused:
                found[place_of(*row.place)] |= batches
            return found

        return given_way

    swap("batchpay.intake.repeats:_given_way", make)


@mutant(
    "E08",
    "a row that a person gave up stands in the way of others",
    "test_taken_back.py::test_a_row_that_a_person_gave_up_stands_in_nobodys_way",
)
def _() -> None:
    def make(was: Any) -> Any:
        return lambda self, *, given_up=None, **words: was(self, **words)

    swap("batchpay.intake.repeats:Repeats.__init__", make)


@mutant(
    "J10",
    "another mode or address is the same journal",
    DOORS + "test_another_mode_or_address_is_another_journal",
)
def _() -> None:
    swap("batchpay.settlement.run:refuse_other_place", always(None))


@mutant(
    "J11",
    "one charge id may be of two orders",
    DOORS + "test_one_charge_id_for_two_orders_is_a_stop",
)
def _() -> None:
    swap("batchpay.settlement.whose:Whose.anothers_charge", always(""))


@mutant(
    "H05",
    "nobody can end a charge whose status nobody knows",
    STEPS + "test_a_charge_in_a_status_that_nobody_knows_is_ended_by_a_person",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.attempt:Attempt.waits_in_unknown_status",
        prop(lambda self, was: False),
    )


@mutant(
    "J27",
    "a transfer that is not the share is nobody's once its charge is gone",
    STEPS
    + "test_a_transfer_that_is_not_the_share_of_a_charge_that_is_gone_is_taken_as_it_is",
)
def _() -> None:
    swap("batchpay.commands.resolve:_is_gone", always(False))


@mutant(
    "L10",
    "a list that a person's word asks for tells nothing of other orders",
    STEPS
    + "test_what_a_look_up_shows_of_other_orders_and_of_a_second_charge_is_told_at_once",
)
def _() -> None:
    async def nothing(self: Any, page: Any) -> None:
        pass

    swap("batchpay.settlement.absorbing:Absorbing.absorb_known", lambda was: nothing)


def as_it_was_answered(was: Any) -> Any:
    """Whose a charge is, as if nothing had been looked up."""

    def anothers_charge(self: Any, charge: Any, intent: Any, **how: Any) -> Any:
        return was(self, charge, intent)

    return anothers_charge


@mutant(
    "J11",
    "whoever is told of a charge first keeps it",
    DOORS + "test_a_charge_told_for_another_order_is_its_whose_key_it_carries",
)
def _() -> None:
    swap("batchpay.settlement.whose:Whose.carries_their_key", always(True))
    swap("batchpay.settlement.whose:Whose.anothers_charge", as_it_was_answered)
    swap(
        "batchpay.journals.asked:owner_of_charge",
        lambda was: lambda told: next((one[:3] for one in told), None),
    )


@mutant(
    "J11",
    "the key in an answer outranks the one that a look-up shows",
    DOORS
    + "test_a_charge_told_for_two_orders_with_the_key_of_each_is_whose_key_a_look_up_shows",
)
def _() -> None:
    swap("batchpay.settlement.whose:Whose.anothers_charge", as_it_was_answered)


@mutant(
    "J11",
    "who held another's charge keeps it beside its own",
    DOORS
    + "test_a_charge_told_for_two_orders_with_the_key_of_each_is_whose_key_a_look_up_shows",
)
def _() -> None:
    swap("batchpay.settlement.whose:Whose.who_lost", always(None))


@mutant(
    "J11",
    "a charge that no list shows is no finding",
    DOORS + "test_a_charge_that_no_list_shows_is_a_stop_after_the_doubt_period",
)
def _() -> None:
    swap("batchpay.settlement.recorder:Recorder.stop_for_charge", left_out)


@mutant(
    "J12",
    "a page that is too long ends the night",
    DOORS + "test_pages_shrink_until_they_fit",
)
def _() -> None:
    from batchpay.domain.errors import GatewaySilent

    def make(was: Any) -> Any:
        def smaller(listing: Any, limit: int) -> int:
            raise GatewaySilent("too long")

        return smaller

    swap("batchpay.settlement.paging:_smaller", make)


@mutant(
    "J13",
    "what was never charged is never planned anew",
    DOORS
    + "test_a_row_that_was_never_charged_is_planned_anew_when_its_lookup_is_mended",
)
def _() -> None:
    swap("batchpay.lifecycle.standing:_planned_anew", always(False))


@mutant(
    "J15",
    "the commission is not looked at",
    DOORS + "test_a_commission_that_was_not_taken_is_no_success",
)
def _() -> None:
    swap("batchpay.lifecycle.charge:fee_flaws_of", always(()))


@mutant(
    "J17",
    "a batch is of its bytes alone",
    DOORS + "test_two_jobs_with_one_file_and_one_folder_write_two_reports",
)
def _() -> None:
    swap(
        "batchpay.lifecycle.places:batch_id_of",
        lambda was: lambda first, job, sha256: was(first, "any", sha256),
    )


@mutant(
    "J19",
    "what cannot be read of a charge is overlooked",
    DOORS + "test_evidence_that_is_not_as_documented_is_kept_and_is_a_stop",
)
def _() -> None:
    swap("batchpay.lifecycle.charge:flaws_of", always(()))


@mutant(
    "J27",
    "a pending charge that the gateway forgot is still its to decide",
    DOORS + "test_a_pending_charge_that_the_gateway_forgot_is_for_a_person",
)
def _() -> None:
    swap("batchpay.settlement.recorder:Recorder.missing", left_out)


@mutant(
    "J28",
    "a fixed fee is the same number in every currency",
    "test_naming.py::test_a_fixed_fee_is_that_of_the_orders_own_currency",
)
def _() -> None:
    swap(
        "batchpay.job.job:Fee.fixed_in",
        lambda was: lambda self, currency: next(iter(self.fixed.values()), None),
    )


@mutant(
    "J29",
    "a share may be smaller than any transfer",
    DOORS + "test_a_share_below_the_smallest_transfer_is_held_unless_the_job_says_send",
)
def _() -> None:
    swap("batchpay.settlement.preflight:_limits", lambda was: nothing_told)


async def nothing_told(*given: Any) -> tuple[dict[str, int], dict[str, int]]:
    """A gateway without limits."""
    return {}, {}


REFUNDS = "test_auditing_refunds.py::"
mutant(
    "J31",
    "a refund is dropped from the day it was made",
    REFUNDS + "test_a_refund_is_found_on_the_day_of_the_charge_and_on_its_own",
)(lambda: swap("batchpay.commands.audit:_is_made_in", always(False)))
mutant(
    "J31",
    "what was given back is not taken from what was charged",
    "test_refunds.py::test_the_totals_say_gross_refunded_and_left_and_what_the_days_gave_back",
)(
    lambda: swap(
        "batchpay.reconciliation.refunds:Totals.left",
        prop(lambda self, was: self.gross),
    )
)
mutant(
    "J31",
    "a note holds for ever, whatever its difference becomes",
    REFUNDS + "test_a_noted_difference_is_listed_and_no_longer_12_until_it_changes",
)(lambda: swap("batchpay.reconciliation.noting:Note.holds", always(True)))


mutant(
    "I2",
    "what a row was charged that the job reads no more is told nowhere",
    "test_sale.py::test_a_charge_whose_row_the_job_reads_no_more_is_told_all_the_same",
)(lambda: swap("batchpay.journals.sqlite.batches:Batches.gone_rows", always([])))


mutant(
    "I1",
    "a row that was kept back beside a look-alike goes under a new id",
    "test_coming_back.py::"
    "test_a_row_that_was_kept_back_beside_a_look_alike_is_no_other_sale_under_a_new_id",
)(lambda: swap("batchpay.batches.resembling:kept_back_beside", always([])))


mutant(
    "I1",
    "a row that was kept back beside a look-alike goes under an id of an edited job",
    "test_sale.py::"
    "test_a_row_that_was_kept_back_beside_a_look_alike_goes_under_no_edited_id",
)(lambda: swap("batchpay.batches.resembling:kept_back_beside", always([])))


mutant(
    "I1",
    "a charge that names an id that the row had is none of the row's",
    STANDING
    + "test_a_charge_without_a_key_that_names_an_id_that_the_row_had_may_be_the_rows",
)(
    lambda: swap(
        "batchpay.lifecycle.unclaimed:fits",
        lambda was: lambda kept, order, ids, *who: was(kept, order, ids[:1], *who),
    )
)


mutant(
    "I1",
    "a file is as old as it was when it first came, whatever it sent since",
    "test_sale.py::"
    "test_a_file_that_came_when_the_clock_was_behind_is_as_recent_as_what_it_sent",
)(lambda: swap("batchpay.journals.sqlite.batches:Batches.last_sent_of", always(0)))


mutant(
    "I1",
    "what a clock that was ahead said of a file stays",
    "test_sale.py::"
    "test_a_file_that_came_when_the_clock_was_ahead_is_held_against_what_was_asked",
)(lambda: swap("batchpay.batches.last:is_behind", always(True)))


mutant(
    "I1",
    "a clock that is behind says when files came that came before",
    "test_sale.py::"
    "test_a_file_that_came_when_the_clock_was_behind_is_as_recent_as_what_it_sent",
)(lambda: swap("batchpay.batches.last:is_behind", always(False)))


mutant(
    "I1",
    "an id that a row may have had is as good as its own",
    STANDING + "test_an_id_that_was_a_mistake_excuses_no_row_from_a_look_at_that_order",
)(
    lambda: swap(
        "batchpay.lifecycle.sales:ids_for_sure",
        lambda was: lambda row, history, guards: {*history.ids(row)},
    )
)


mutant(
    "I1",
    "a 429 that proves nothing is believed of an attempt that gives way",
    RACES + "test_beside_a_429_that_is_believed_no_more_no_other_attempt_goes",
)(lambda: swap("batchpay.settlement.cases:Cases.open_before", always(())))


mutant(
    "I2",
    "the last attempt of a row is shown, whichever took the money",
    STANDING + "test_an_attempt_that_was_withdrawn_and_had_been_charged_is_what_its_row"
    "_came_to",
)(lambda: swap("batchpay.lifecycle.attempt:Attempt.stands", prop(never)))


def never(self: Any, was: Any) -> bool:
    """No attempt does."""
    return False


COLUMNS = "test_came_to.py::test_it_is_the_same_however_events_are_grouped"


def another(**columns: Any) -> Callable[[Any], Any]:
    """What came of an attempt at once, but for some of its columns."""

    def make(was: Any) -> Any:
        def came(*given: Any) -> Any:
            row = was(*given)
            return row and row._replace(**columns)

        return came

    return make


mutant("I9", "a column drifts from the events: what is left of a charge", COLUMNS)(
    lambda: swap("batchpay.journals.came_to:came_at_once", another(net=0))
)
mutant("I9", "a column drifts from the events: what follows the first answer", COLUMNS)(
    lambda: swap("batchpay.journals.attempts:came_of_order", always([]))
)


PROVEN = (
    "test_coming_back.py"
    "::test_what_a_whole_file_proved_holds_for_the_rows_that_come_back_of_it"
)
mutant(
    "J07", "what a file proved of its amounts is forgotten as a row comes back", PROVEN
)(lambda: swap("batchpay.lifecycle.earlier:EarlierRows.read_right", always(None)))
mutant(
    "H01",
    "a sender's totals are asked of the rows that came back, too",
    "test_coming_back.py::test_a_senders_totals_are_not_of_the_rows_that_come_back",
)(
    lambda: swap(
        "batchpay.intake.take_in:_controls",
        lambda was: lambda job, path, *, came_back: was(job, path, came_back=False),
    )
)
mutant(
    "J07",
    "one charge settles every row that says the same",
    "test_coming_back.py::test_of_rows_that_say_the_same_one_charge_settles_one",
)(lambda: swap("batchpay.batches.kin:_are_enough", always(True)))
mutant(
    "J07",
    "a cancellation is forgotten where ids are made of other cells",
    "test_sale.py"
    "::test_an_order_that_was_cancelled_waits_under_an_id_of_another_column",
)(
    lambda: swap(
        "batchpay.lifecycle.cancelled:Cancellations.under_other_ids",
        lambda was: lambda *given: [],
    )
)
mutant(
    "J07",
    "a cancelled attempt is forgotten where ids are made of other cells",
    "test_sale.py"
    "::test_an_order_that_was_asked_for_in_vain_and_cancelled_waits_under_such_an_id_too",
)(
    lambda: swap(
        "batchpay.batches.resembling:_what_stands",
        lambda was: (
            lambda *given: {
                order_id: told
                for order_id, told in was(*given).items()
                if told == (0, "")
            }
        ),
    )
)
mutant(
    "J07",
    "a sale of which nobody told the id is sent under the new one",
    "test_sale.py"
    "::test_an_order_that_was_asked_for_in_vain_and_cancelled_waits_under_such_an_id_too",
)(lambda: swap("batchpay.lifecycle.holds:unnamed", always(None)))
mutant(
    "J07",
    "what may be the row's sale under an id that it had is another one",
    "test_sale.py::test_rows_that_were_duplicates_are_no_new_orders_under_other_ids",
)(lambda: swap("batchpay.lifecycle.holds:undecided", always(None)))
mutant(
    "J13",
    "what was asked for in vain is asked for again under another id",
    "test_sale.py::test_a_payer_who_could_not_pay_is_asked_by_a_person_alone",
)(lambda: swap("batchpay.lifecycle.sales:asked_before", always(None)))
mutant(
    "J13",
    "a person's word that an order is never sent is not asked for",
    STANDING + "test_a_cancelled_order_is_never_sent",
)(lambda: swap("batchpay.lifecycle.sales:why_cancelled", always("")))
ALONE = (
    "test_coming_back.py::test_what_only_its_file_showed_of_a_row_stays_wrong_with_it"
)
mutant("J08", "an id that a sheet rounded is a text once it came back", ALONE)(
    lambda: swap("batchpay.intake.asbefore:_stands", always(False))
)


mutant(
    "J07",
    "a correction goes beside what was charged under an id that its old id became",
    "test_sale.py"
    "::test_a_correction_waits_for_what_was_charged_under_an_id_of_its_sale_of_before",
)(lambda: swap("batchpay.lifecycle.names:KnownNames.had_by", always(())))


mutant(
    "J33",
    "a row is settled by another row of its file that has its id",
    "test_coming_back.py"
    "::test_a_row_beside_another_of_its_order_is_not_settled_by_that_one",
)(lambda: swap("batchpay.lifecycle.sales:_came_later", always(True)))


mutant(
    "J13",
    "a row that the gateway never takes waits for a later run",
    "test_preflight.py"
    "::test_a_share_too_small_to_be_transferred_is_held_unless_the_job_says_send",
)(lambda: swap("batchpay.lifecycle.holds:never_taken", always(None)))


mutant(
    "J07",
    "a row beside the columns of its neighbour gives that one its own id",
    "test_coming_back.py"
    "::test_a_row_beside_the_columns_of_its_neighbour_gives_that_one_no_other_id",
)(lambda: swap("batchpay.lifecycle.earlier:EarlierRows.orders_beside", always({})))


mutant(
    "J13",
    "an edited amount answers what was asked for under an earlier id",
    "test_survivors_decision.py"
    "::test_what_may_be_of_the_sale_keeps_the_row_back_whatever_an_edit_makes_of_it",
)(
    lambda: swap(
        "batchpay.lifecycle.sales:ever_asked_for",
        lambda was: lambda row, attempt: was(replace(row, asked=()), attempt),
    )
)
mutant(
    "J13",
    "what may be of the row's sale is not looked for before it goes",
    LATE
    + "test_a_row_that_came_back_goes_under_another_id_after_a_list_of_the_first_one",
)(
    lambda: swap(
        "batchpay.lifecycle.sales:kin_without_money",
        lambda was: (
            lambda *given: (
                one
                for one in was(*given)
                if importlib.import_module("batchpay.lifecycle.sales").is_kin(
                    given[0], one, *given[1:]
                )
            )
        ),
    )
)
mutant(
    "J07",
    "what only its terms link to a row is not looked for before the row goes",
    LATE
    + "test_a_charge_behind_a_refusal_is_looked_for_under_the_id_of_another_column",
)(lambda: swap("batchpay.lifecycle.sales:BY_TERMS_NS", lambda was: 0))
mutant(
    "J07",
    "what only its terms link to a row is not looked for where the row came back",
    LATE
    + "test_a_charge_behind_a_refusal_is_looked_for_when_a_row_with_its_terms_comes_back",
)(
    lambda: swap(
        "batchpay.lifecycle.standing:in_vain_by_terms",
        lambda was: lambda row, *given: () if row.corrects else was(row, *given),
    )
)
mutant(
    "J13",
    "a row that came back is told apart by ids that its sale never had",
    "test_coming_back.py"
    "::test_a_row_that_came_back_waits_where_its_sale_may_be_charged_under_another_column",
)(lambda: swap("batchpay.lifecycle.names:KnownNames.is_told", always(True)))
NEXT = "test_edits.py::test_the_next_file_"
mutant(
    "J07",
    "what a refused file asked is asked only of files that look like it",
    f"{NEXT}answers_no_question_about_one_that_was_refused",
)(lambda: swap("batchpay.batches.recent:_is_open", always(False)))
mutant(
    "J07",
    "a person is asked about a row, and not about its order in the next file",
    f"{NEXT}answers_no_question_either",
)(lambda: swap("batchpay.batches.history:asked_beside", always({})))
mutant(
    "J13",
    "what a row asked for before an edit tells no other name of its order",
    f"{NEXT}waits_where_ids_payers_and_amounts_were_edited_in_one_go",
)(
    lambda: swap(
        "batchpay.batches.renaming:_Row.may_repeat",
        lambda was: lambda row, attempts: was(replace(row, asked=()), attempts),
    )
)
mutant(
    "J13",
    "a row knows only the last order that it caused",
    LATE
    + "test_a_row_shows_its_money_when_what_it_asked_for_under_a_former_id_turns_up",
)(
    lambda: swap(
        "batchpay.journals.asked:by_row",
        lambda was: lambda pairs: {at: ids[-1:] for at, ids in was(pairs).items()},
    )
)
EDITED = "test_edits.py::test_an_edit_answers_no_question"
mutant(
    "J06",
    "a recipient that a lookup file gives tells another sale",
    "test_edits.py"
    "::test_a_renamed_job_whose_recipients_are_edited_charges_nothing_again",
)(
    lambda: swap(
        "batchpay.lifecycle.terms:Asked.may_be_sale_of",
        lambda was: lambda self, other: not self.contradicts(other),
    )
)
mutant("J13", "an edited amount answers what was asked of a row", EDITED)(
    lambda: swap(
        "batchpay.lifecycle.rows:Row.ever_asked", prop(lambda row, was: (row.document,))
    )
)
mutant("J13", "an edited job lets a refused file go", EDITED)(
    lambda: swap(
        "batchpay.batches.recent:_still_asked",
        lambda was: (
            lambda *given: importlib.import_module("batchpay.batches.recent").Likeness()
        ),
    )
)


mutant(
    "L10",
    "a charge that failed takes back what a person said of one that is gone",
    "test_survivors_life.py"
    "::test_a_charge_that_was_told_and_is_gone_gives_way_to_none_but_itself",
)(lambda: swap("batchpay.lifecycle.folding:_is_vouched_for", always(False)))

mutant(
    "L10",
    "a charge that was answered gives way to another one under its key",
    "test_survivors_life.py"
    "::test_a_charge_that_was_told_and_is_gone_gives_way_to_none_but_itself",
)(lambda: swap("batchpay.lifecycle.folding:_is_misnamed", always(True)))

LATE = "test_late_changes.py::"

mutant(
    "L10",
    "what a list shows of a paid charge as it was before is never asked for by its id",
    LATE + "test_a_charge_that_is_pending_again_is_told_until_it_is_not",
)(lambda: swap("batchpay.settlement.absorbing:Absorbing._is_older", always(False)))

mutant(
    "L10",
    "a paid charge that is pending again is no news once its stop is lifted",
    LATE + "test_a_charge_that_is_pending_again_is_told_until_it_is_not",
)(
    lambda: swap(
        "batchpay.lifecycle.attempt:Attempt.waits_again",
        prop(lambda one, was: False),
    )
)

mutant(
    "L10",
    "what is said of a paid charge stays told when it is shown as it was proven",
    LATE + "test_a_charge_that_is_pending_again_is_told_until_it_is_not",
)(
    lambda: swap(
        "batchpay.lifecycle.folding:_odd_still",
        lambda was: lambda state, found, *, by_id: state.odd,
    )
)

mutant(
    "J31",
    "of a sale that was given back nobody hears what its recipient got",
    "test_following.py"
    "::test_a_sale_that_was_given_back_tells_what_its_recipient_got_too_much",
)(lambda: swap("batchpay.lifecycle.after:too_much", always(0)))

mutant(
    "L10",
    "which of two charges is the order's is a new double when a person says it",
    "test_survivors_register.py::test_what_breaks_a_promise_is_a_stop_once",
)(lambda: swap("batchpay.settlement.evidence:_has_all", always(False)))

mutant(
    "L10",
    "a charge of which a person said what became is asked for no more",
    "test_late_changes.py"
    "::test_a_charge_that_a_person_called_paid_is_told_when_it_comes_back_otherwise",
)(lambda: swap("batchpay.settlement.cases:Cases.said_cases", always([])))

mutant(
    "L10",
    "what a person saw paid, and the gateway knows no more, stays pending",
    "test_next_steps.py"
    "::test_a_pending_charge_that_the_gateway_forgot_was_paid_as_a_person_says",
)(
    lambda: swap(
        "batchpay.lifecycle.folding:_paid_as_said",
        lambda was: lambda state, event, word: state,
    )
)

mutant(
    "L11",
    "a charge that gave a loss away need not be shown again",
    "test_losses.py::test_what_was_met_must_be_shown_when_a_person_says_adopt",
)(lambda: swap("batchpay.settlement.expected:met_before", always({})))

mutant(
    "L11",
    "what the list after a loss hid is looked for no more",
    "test_late_lists.py::test_a_charge_that_the_list_after_a_loss_hid_is_looked_for",
)(lambda: swap("batchpay.batches.sentagain:_lost", always([])))

mutant(
    "J07",
    "what was asked for in vain before ids were made of other cells is looked for no more",
    "test_late_lists.py"
    "::test_a_charge_that_is_shown_after_its_sale_went_under_the_id_of_another_column",
)(lambda: swap("batchpay.batches.sentagain:_by_ids_of_before", always(frozenset())))

mutant(
    "J13",
    "a charge that is shown late is held against no order that only its terms link to it",
    "test_late_lists.py"
    "::test_a_charge_that_is_shown_after_its_sale_went_under_the_id_of_another_column",
)(lambda: swap("batchpay.settlement.cases:Cases.by_terms", always(())))

mutant(
    "L3",
    "what was found to go beside attempts that took nothing goes, whatever those have by now",
    "test_late_lists.py::test_what_a_list_of_this_run_shows_of_its_sale_keeps_an_order_back",
)(lambda: swap("batchpay.settlement.cases:Cases.stands_beside", always(False)))


@mutant(
    "J02",
    "a look after a loss that an old list shows counts as made, whatever came of it",
    "test_late_lists.py"
    "::test_nothing_goes_where_the_list_after_a_loss_that_an_old_one_shows_cannot_be_had",
)
def _() -> None:
    def make(was: Any) -> Any:
        async def look_again(self: Any, since: Any) -> Any:
            why = await was(self, since)
            self.unsure = ""
            return why

        return look_again

    swap("batchpay.settlement.first_look:FirstLook.look_again", make)


mutant(
    "L11",
    "a charge without a recipient that a report tells of means nothing after a loss",
    "test_late_lists.py"
    "::test_a_charge_that_a_person_took_keeps_its_order_back_after_a_loss",
)(
    lambda: swap(
        "batchpay.settlement.recorder:Recorder.called_unproven", always(frozenset())
    )
)

mutant(
    "L11",
    "what reports of before a loss tell of charges that no list shows means nothing",
    "test_late_lists.py"
    "::test_a_charge_that_is_gone_and_was_paid_as_a_person_says_is_a_stop_after_a_loss",
)(
    lambda: swap(
        "batchpay.settlement.recorder:Recorder.called_unproven", always(frozenset())
    )
)


def by_law() -> Iterator[Mutant]:
    """In the order of the laws."""
    yield from sorted(MUTANTS.values(), key=lambda m: (m.law[0] != "L", int(m.law[1:])))


def quick() -> Iterator[Mutant]:
    """The first of each law that another test than the simulator's catches."""
    seen: set[str] = set()
    for one in MUTANTS.values():
        if one.caught_by != SIMULATION and one.law not in seen:
            seen.add(one.law)
            yield one


mutant(
    "J04",
    "a doubt that others decided is taken up as it was",
    "test_survivors_doubts.py::test_a_doubt_that_others_decided_is_taken_up_as_it_is_now",
)(
    lambda: swap(
        "batchpay.settlement.recorder:Recorder.take_up",
        lambda _: lambda self, case: self.register(case),
    )
)

mutant(
    "J23",
    "of whom the gateway does not tell nobody waits, though it tells of others",
    "test_next_steps.py"
    "::test_whom_the_gateway_does_not_tell_of_waits_where_it_tells_of_others",
)(
    lambda: swap(
        "batchpay.settlement.preflight:why_barred",
        lambda was: lambda *given: was(*given) or "",
    )
)

mutant(
    "J07",
    "an id that may be another's of the night is told by its recipient, too",
    "test_doors.py"
    "::test_an_id_that_may_be_anothers_of_the_night_is_a_conflict_whichever_recipient_it_has",
)(
    lambda: swap(
        "batchpay.lifecycle.going:_terms_of_sale",
        lambda _: lambda row: {terms_in(row.document)},
    )
)

mutant(
    "J08",
    "another sheet of a workbook is held against none that was charged",
    "test_doors.py::test_another_sheet_of_a_charged_workbook_is_held_against_it",
)(lambda: swap("batchpay.batches.recent:_asked_elsewhere", always([])))


mutant(
    "D09",
    "a word about a row of an old batch is told by no report",
    DOORS
    + "test_an_order_of_an_old_batch_that_is_cancelled_stays_so_without_its_journal",
)(lambda: swap("batchpay.batches.counted:row_at", always(None)))


mutant(
    "E04",
    "a file that waited is held against none that came after it",
    DOORS + "test_a_file_that_waited_is_held_against_the_one_that_went",
)(
    lambda: swap(
        "batchpay.batches.judging:_before",
        lambda was: lambda *given: (was(*given)[0], []),
    )
)

mutant(
    "E04",
    "what came more than ten days ago repeats nothing, though it goes tonight",
    DOORS + "test_a_file_is_held_against_one_that_waited_for_long_and_goes_beside_it",
)(
    lambda: swap(
        "batchpay.batches.recent:likeness",
        lambda was: (
            lambda journal, planned, now_ns, asking: was(
                journal, planned, now_ns, replace(asking, goes=lambda _: False)
            )
        ),
    )
)

mutant(
    "J14",
    "a run that was killed before it counted asked nothing",
    "test_edits.py"
    "::test_a_question_of_a_run_that_was_killed_before_it_told_of_it_is_still_open",
)(
    lambda: swap(
        "batchpay.batches.unanswered:kinds",
        lambda was: lambda *_: was(TotalsCounted),
    )
)

mutant(
    "J24",
    "an older copy of the journal writes reports, and takes words, before a run has dealt with it",
    "test_next_steps.py"
    "::test_nothing_is_said_or_written_of_an_older_copy_before_a_run_has_dealt_with_it",
)(lambda: swap("batchpay.batches.open_job:refuse_behind", always(None)))

mutant(
    "L10",
    "a charge that is taken over against a person's word is no stop",
    "test_next_steps.py"
    "::test_a_charge_against_a_persons_word_is_a_stop_and_says_whose_word_it_was",
)(lambda: swap("batchpay.settlement.recorder:Recorder._charged_although", always(())))

mutant(
    "J14",
    "what a cell meant that could not be read is known to nobody when its column was sorted",
    "test_coming_back.py"
    "::test_a_column_that_was_corrected_and_then_sorted_alone_charges_nobody",
)(lambda: swap("batchpay.intake.moved:_read_otherwise", always({})))

mutant(
    "J14",
    "a file that is corrected where it lies has no rows of before",
    "test_in_place.py"
    "::test_a_column_that_was_sorted_in_the_file_itself_charges_nobody[exchanged-amount]",
)(lambda: swap("batchpay.lifecycle.kinship:rows_before", always({})))

mutant(
    "J14",
    "a part of a sum is no cell that may have moved",
    "test_in_place.py"
    "::test_a_part_of_a_sum_that_was_sorted_alone_charges_nobody[in place-sorted]",
)(lambda: swap("batchpay.intake.moved:_Cells.pairs", always({})))

mutant(
    "X09",
    "an amount whose point a spreadsheet moved is meant",
    "test_coming_back.py::test_an_amount_whose_point_a_spreadsheet_moved_is_asked_about",
)(lambda: swap("batchpay.intake.moved:_is_rescaled", always(False)))

mutant(
    "X17",
    "an amount is charged that the sheet shows as another one",
    "readers/test_ids.py"
    "::test_an_amount_that_a_sheet_shows_as_another_one_is_not_charged",
)(
    lambda: swap(
        "batchpay.intake.amounts:_without_untrue",
        lambda _: lambda texts, *_: texts,
    )
)

mutant(
    "J14",
    "a yes about one file frees what another one asks for again",
    "test_coming_back.py"
    "::test_a_yes_about_another_file_frees_no_order_that_asked_nothing",
)(lambda: swap("batchpay.lifecycle.sales:_asked_as_a_stranger", always(True)))

mutant(
    "J07",
    "a cancelled order is one by its very id alone",
    "test_coming_back.py"
    "::test_what_a_person_cancelled_is_not_sent_under_what_was_made_of_its_id",
)(lambda: swap("batchpay.lifecycle.cancelled:may_be_one", always(False)))

mutant(
    "X04",
    "a source may have one text in two kinds of characters",
    "test_coming_back.py"
    "::test_one_text_in_other_characters_is_one_order_whatever_the_job_says",
)(lambda: swap("batchpay.lifecycle.order_ids:one_text", lambda _: str))

mutant(
    "J07",
    "of cancelled ids that only look alike the last one alone is known",
    "test_coming_back.py"
    "::test_each_of_several_cancelled_ids_that_look_alike_holds_its_own_text",
)(
    lambda: swap(
        "batchpay.lifecycle.rows:Guards.form",
        prop(lambda guards, _: alike),
    )
)

mutant(
    "J14",
    "who only looks knows nothing of what a journal that was put back lost",
    "test_losses.py"
    "::test_before_a_run_a_cancelled_order_is_known_in_another_file_of_a_copy_put_back",
)(lambda: swap("batchpay.batches.putback:lay_over", always(None)))

mutant(
    "J07",
    "a rejected row that is corrected in its own file is another row",
    "test_two_places.py::test_a_row_without_an_id_is_corrected_in_two_places",
)(lambda: swap("batchpay.intake.take_in:stood_before", always({})))

mutant(
    "J07",
    "whatever stands where a row was rejected is that row",
    "test_two_places.py::test_what_is_another_row_goes",
)(lambda: swap("batchpay.intake.stoodbefore:_is_the_row", always(True)))

mutant(
    "J31",
    "a charge that was captured in part took its amount",
    "test_refunds.py::test_of_a_charge_captured_in_part_is_left_what_it_took",
)(
    lambda: swap(
        "batchpay.domain.model:ChargeSeen.taken", prop(lambda charge, _: charge.amount)
    )
)

mutant(
    "L7",
    "a sum that nobody can read was not told",
    "test_unread_money.py::test_a_captured_amount_that_nobody_can_read_proves_nothing",
)(
    lambda: swap(
        "batchpay.gateways.omise.documents:money",
        lambda was: lambda *path, **more: (was(*path, **more)[0], ""),
    )
)

mutant(
    "J29",
    "a share of nothing goes where no smallest transfer is known",
    "test_unread_money.py::test_a_share_of_nothing_is_held_in_whichever_currency",
)(
    lambda: swap(
        "batchpay.lifecycle.holds:_share_too_small",
        lambda was: lambda row, guards: was(row, replace(guards, holds_no_share=False)),
    )
)

mutant(
    "L7",
    "of a charge that nobody can read nothing was taken",
    "test_unread_money.py"
    "::test_an_amount_that_nobody_can_read_is_in_no_sum_before_and_after_a_word",
)(
    lambda: swap(
        "batchpay.domain.model:ChargeSeen.taken",
        prop(lambda charge, was: was(charge) or 0),
    )
)

mutant(
    "B31",
    "a second charge that says it is paid is none by its status",
    "test_matching.py"
    "::test_a_second_charge_that_says_it_is_paid_is_a_double_whatever_its_status",
)(
    lambda: swap(
        "batchpay.domain.model:ChargeSeen.took_money",
        prop(lambda charge, _: charge.status == "successful"),
    )
)

mutant(
    "J06",
    "another job's charge is of the order that it names alone",
    "test_losses.py"
    "::test_an_audit_lists_another_jobs_charge_by_whichever_id_a_run_stops_for_it",
)(
    lambda: swap(
        "batchpay.settlement.others:orders_of",
        lambda _: lambda charge, *_: (charge.metadata["order_id"],),
    )
)

ALL_BACK = (
    "test_doubles.py"
    "::test_of_all_charges_what_is_too_much_and_not_given_back_yet_is_asked_for"
)
mutant(
    "B31",
    "the charge that stays is not given back, whichever a person gave back",
    ALL_BACK,
)(
    lambda: swap(
        "batchpay.lifecycle.paid:Paid.too_much",
        prop(
            lambda paid, _: {one.id: one.left for one in paid.charges[1:] if one.left}
        ),
    )
)
mutant("J31", "a part that was given back counts for nothing", ALL_BACK)(
    lambda: swap(
        "batchpay.domain.model:ChargeSeen.back",
        prop(lambda charge, was: was(charge) * (was(charge) >= charge.taken)),
    )
)
mutant(
    "B31",
    "of a sale that was corrected the first charge stays",
    "test_doubles.py"
    "::test_a_sale_that_was_corrected_should_have_paid_what_was_asked_for_last",
)(lambda: swap("batchpay.lifecycle.paid:_terms", always("")))
mutant(
    "J06",
    "what another job charged of a sale is too much until all of it was given back",
    "test_doubles.py"
    "::test_of_a_sale_that_two_jobs_charged_all_that_was_given_back_counts",
)(
    lambda: swap(
        "batchpay.reconciliation.doubles:paid_by",
        lambda was: lambda charged: replace(was(charged), due=0),
    )
)


ENDED_SINCE = (
    "test_late_changes.py"
    "::test_what_took_the_place_of_a_charge_that_ended_since_a_copy_is_no_double"
)


@mutant(
    "L10", "what a copy knows of a charge is believed beside a new one", ENDED_SINCE
)
def _() -> None:
    async def nothing(*_: Any) -> list[Any]:
        return []

    swap("batchpay.settlement.still_paid:StillPaid.read", lambda was: nothing)


@mutant("L10", "a charge that nobody shows any more has no money", ENDED_SINCE)
def _() -> None:
    def make(was: Any) -> Any:
        async def shown(self: Any, attempts: Any) -> Any:
            found = await was(self, attempts)
            told = {charge.id for _, charge in found}
            for attempt in attempts:
                charge = attempt.charge
                case = self._cases.case_at(
                    attempt.intent.order_id, attempt.intent.attempt
                )
                if charge is not None and charge.id not in told:
                    ended = replace(charge, status="reversed", paid=False)
                    found.append((case, ended))
            return found

        return shown

    swap("batchpay.settlement.still_paid:StillPaid.shown", make)
