"""What every form for people says first: the verdict, who must act, what batch it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

from batchpay.domain.exits import BY_CODE, OF_ROWS, messages
from batchpay.domain.model import Outcome, RunBegun, RunDone
from batchpay.domain.money import money_text
from batchpay.lifecycle.after import FOR_A_PERSON, Stands
from batchpay.messages import labels, steps
from batchpay.messages.message import Entry, Message
from batchpay.reconciliation.earned import Earned, Taken
from batchpay.reconciliation.totals import (
    ODD_COSTS,
    UNTOLD,
    Totals,
    exit_code,
    must_act,
    unknown,
    unread_told,
)
from batchpay.reports.pivots import Coded, Pivots
from batchpay.reports.table import Inputs
from batchpay.reports.words import Words

DOES_NOT_ADD_UP = 12  # or is not proven


def verdict(inputs: Inputs, words: Words) -> str:
    """How the batch stands, in one sentence or two."""
    if inputs.batch.refusal:
        return words.word(labels.REFUSED)
    adds_up = all(one.closes for one in inputs.equations)
    own = exit_code([inputs.totals], stopped=False, open_equation=not adds_up)
    told = verdict_of(own, words, adds_up=adds_up)
    if inputs.stop and own != DOES_NOT_ADD_UP:
        return words.say(labels.UNDER_A_STOP(own=told))
    return told


def verdict_of(own: int, words: Words, *, adds_up: bool) -> str:
    """How rows stand by themselves, whatever stop is in force. `adds_up`: every equation closes."""
    if own == DOES_NOT_ADD_UP and adds_up:
        return words.word(labels.NOT_AS_ASKED)
    return words.label(f"verdict.{own}")


def stop_told(stop: str, words: Words) -> str:
    """Why nothing is sent, and what ends that."""
    return f"{words.again(stop)}; {words.say(steps.LIFT_STOP())}"


def charged_told(inputs: Inputs, words: Words) -> str:
    """What was charged, of how many rows."""
    moved = inputs.totals.money_moved()
    charged = words.word(labels.NOTHING_CHARGED)
    if moved:
        charged = words.say(labels.CHARGED(money=money_in(moved, words)))
    unread = map(words.say, unread_told(inputs.totals))
    rows = words.say(labels.ROWS(count=inputs.totals.rows_read))
    return "; ".join((charged, *unread, rows))


def money_in(sums: Mapping[str, int], words: Words) -> str:
    """Sums by currency, side by side."""
    told = [words.money(minor, currency) for currency, minor in sums.items() if minor]
    nothing = money_text({}) if words.language == "en" else words.number(0)
    return " + ".join(told) or nothing


def who_must_act(inputs: Inputs) -> tuple[Message, ...]:
    """Every party that must act, and about how many orders."""
    acts = must_act([inputs.totals], stopped=bool(inputs.stop))
    return messages(inputs.exit_code, acts)


def facts(inputs: Inputs, words: Words) -> list[tuple[str, str]]:
    """What batch it is, and what the report was made from; what is empty is left out."""
    batch = inputs.batch
    told = [
        (labels.FACT_JOB, batch.job),
        (labels.FACT_FILE, batch.file),
        (labels.FACT_BATCH, batch.id),
        (labels.FACT_MODE, "TEST" if batch.mode == "test" else batch.mode),
        (labels.FACT_RECEIVED, words.instant(iso(batch.first_seen_ns))),
        (labels.FACT_ACCOUNT, inputs.whose.get("account", "")),
        (labels.FACT_GATEWAY, inputs.whose.get("url", "")),
        (labels.FACT_ZONE, words.zone),
        (labels.FACT_SHA256, batch.sha256),
        (labels.FACT_JOURNAL, inputs.journal_id),
        (labels.FACT_EVENT, str(inputs.head_seq)),
        (labels.FACT_DIGEST, inputs.head_digest),
        (labels.FACT_VERSION, inputs.versions.get("batchpay", "")),
    ]
    return [(words.word(entry), value) for entry, value in told if value]


def run_facts(inputs: Inputs, words: Words) -> list[tuple[str, str]]:
    """What the last run that changed the batch did to it; nothing when no run did."""
    return [
        (words.word(entry), value) for entry, value in _of_run(inputs, words) if value
    ]


def _of_run(inputs: Inputs, words: Words) -> Iterator[tuple[Entry, str]]:
    run = inputs.run
    if run is None:
        return
    yield labels.FACT_RUN, run.id
    yield labels.FACT_COMMAND, started_as(run, inputs)
    yield labels.FACT_STARTED, words.instant(run.started)
    yield labels.FACT_ENDED, words.instant(run.ended)
    if run.exit_code is not None:
        yield labels.FACT_EXIT, _exit_told(run.exit_code, inputs.exit_code, words)
    whole = inputs.whole or run
    for fact, own, of_all in (
        (labels.FACT_SENT, run.sent, whole.sent),
        (labels.FACT_CHARGED, run.charged, whole.charged),
        (labels.FACT_LOOKED_UP, run.looked_up, whole.looked_up),
        (labels.FACT_ADOPTED, run.adopted, whole.adopted),
    ):
        both = {"own": _told(own, words), "whole": _told(of_all, words)}
        yield fact, words.say(labels.OF_BOTH(**both))
    yield labels.FACT_REQUESTS, requests_told(run, words)
    if inputs.totals.count(Outcome.HELD) or not inputs.batch.rows_read:
        yield labels.FACT_HELD, words.again(run.held)
    settings = [f"{name} {value}" for name, value in run.settings.items()]
    yield labels.FACT_SETTINGS, " · ".join(settings)


def whole_run_facts(run: RunDone, words: Words) -> list[tuple[str, str]]:
    """What a run did, over all of its files; what is empty is left out."""
    code = ""
    if run.exit_code is not None:
        code = str(run.exit_code)
    told = [
        (labels.FACT_RUN, run.id),
        (labels.FACT_STARTED, words.instant(run.started)),
        (labels.FACT_ENDED, words.instant(run.ended)),
        (labels.FACT_EXIT, code),
        (labels.FACT_SENT, words.number(run.sent)),
        (labels.FACT_CHARGED, money_in(run.charged, words)),
        (labels.FACT_LOOKED_UP, words.number(run.looked_up)),
        (labels.FACT_ADOPTED, words.number(run.adopted)),
        (labels.FACT_REQUESTS, requests_told(run, words)),
        (labels.FACT_HELD, words.again(run.held)),
    ]
    return [(words.word(entry), value) for entry, value in told if value]


def sums_told(totals: Totals, currency: str, words: Words) -> dict[str, str]:
    """Every sum of the orders in a currency, by the name of its column; fees in the currencies that
    they are counted in. A row that asks for another one's order is none more.
    """
    again = Outcome.DUPLICATE.value
    asked = sum(
        minor
        for (code, outcome), minor in totals.sums.items()
        if code == currency and outcome != again
    )
    orders = totals.rows[currency] - totals.counts[currency, again]
    told = {
        "currency": currency or words.word(labels.FACT_UNKNOWN),
        "orders": words.number(orders),
        "asked": words.money(asked, currency),
        "charged_amount": words.money(totals.charged[currency], currency),
        "platform_fee": words.money(totals.shares[currency, "platform"], currency),
        "recipient_amount": words.money(totals.shares[currency, "recipient"], currency),
    }
    for name, key in (("fee", "fee"), ("fee_vat", "vat"), ("net", "net")):
        counted = {
            code: minor
            for (of, code, what), minor in totals.fees.items()
            if (of, what) == (currency, key)
        }
        told[name] = money_in(counted, words) if counted else NOWHERE
    return told


def _told(number: int | Mapping[str, int], words: Words) -> str:
    """A count, or sums of money."""
    if isinstance(number, int):
        return words.number(number)
    return money_in(number, words)


def requests_told(run: RunDone, words: Words) -> str:
    """How much it asked of the gateway; empty where nobody kept it."""
    asked = run.requests
    if not asked:
        return ""
    told = labels.REQUESTS(
        sent=words.number(asked.get("sent", 0)),
        throttled=words.number(asked.get("429", 0)),
        errors=words.number(asked.get("5xx", 0)),
    )
    return words.say(told)


def started_as(run: RunBegun | RunDone, inputs: Inputs) -> str:
    """The command as it was typed; empty where no journal kept it."""
    if not run.verb:
        return ""
    return " ".join(["batchpay", run.verb, inputs.job_file, *run.flags])


def _exit_told(code: int, own: int, words: Words) -> str:
    """The exit code of a run, which is about all files; where that of this one differs, both."""
    if code == own:
        return str(code)
    return words.say(labels.OF_ALL_BATCHES(code=str(code), own=str(own)))


def exit_sentence(code: int, words: Words) -> str:
    """What is to be done after a run that ended so, and who does it."""
    if code == DOES_NOT_ADD_UP:
        return words.word(labels.EXIT_PERSON)
    known = BY_CODE.get(code)
    return words.say(known.entry()) if known else ""


def exits_told(met: Iterable[int], words: Words) -> list[tuple[int, str]]:
    """What the exit codes say: those of a finished run, and others that were met."""
    every = ((code, exit_sentence(code, words)) for code in sorted(OF_ROWS.union(met)))
    return [(code, told) for code, told in every if told]


def is_it_all(inputs: Inputs, words: Words) -> str:
    """Is this the whole of it? Else what the batch waits for."""
    if inputs.batch.refusal or not inputs.totals.rows_read:
        return ""
    waits = inputs.totals.waits_for()
    if not waits:
        return words.word(labels.IS_FINAL)
    moving = waits.pop("transfers", 0)
    told = [
        f"{words.number(rows)} {words.outcome(name)}" for name, rows in waits.items()
    ]
    if moving:
        told.append(words.say(labels.TRANSFERS_MOVING(count=moving)))
    return words.say(labels.NOT_FINAL(what=", ".join(told)))


def notes(inputs: Inputs, words: Words) -> list[str]:
    """What a person should know of the file as a whole."""
    batch = inputs.batch
    kept = [*batch.notes, *filter(None, [batch.likeness])]
    told = [words.again(note) for note in kept]
    if inputs.totals.warned:
        warned = inputs.totals.warned.total()
        told.append(words.say(labels.WARNED(count=warned)))
    return told


def left_out(inputs: Inputs, words: Words) -> list[str]:
    """By currency, of how many charges the costs are in no sum, or what they took."""
    shares = inputs.totals.shares
    unread = map(words.say, unread_told(inputs.totals))
    return [*unread] + [
        words.say(
            labels.COSTS_LEFT_OUT(count=shares[currency, ODD_COSTS], currency=currency)
        )
        for currency in known_last(inputs.totals.rows)
        if shares[currency, ODD_COSTS]
    ]


_OF_OTHERS = (Outcome.CONFLICT, Outcome.DUPLICATE)
NOWHERE = "–"  # what arrives of a transfer that failed, or was taken back


class Payout(NamedTuple):
    """Shares of recipients that are at one place: how many, how much leaves, what it costs, and
    what the banks get.
    """

    currency: str
    stands: str
    rows: int
    amount: str
    fee: str
    bank: str


def payouts_told(payouts: Counter[tuple[str, str, str]], words: Words) -> list[Payout]:
    """By currency and place; `payouts` as Totals has them."""
    found = []
    for currency in known_last({code for code, _, _ in payouts}):
        for stands in Stands:
            rows = payouts[currency, stands.value, "rows"]
            if rows:
                amount, fee, bank = (
                    _of_transfers(payouts, (currency, stands.value, one), words)
                    for one in ("amount", "fee", "bank")
                )
                told = words.transfer(stands.value)
                if stands in FOR_A_PERSON:
                    bank = NOWHERE
                found.append(Payout(currency, told, rows, amount, fee, bank))
        rows = payouts[currency, UNTOLD, "rows"]
        if rows:
            share = words.money(payouts[currency, UNTOLD, "amount"], currency)
            told = words.transfer(UNTOLD)
            found.append(Payout(currency, told, rows, share, NOWHERE, NOWHERE))
    return found


def _of_transfers(
    payouts: Counter[tuple[str, str, str]], of: tuple[str, str, str], words: Words
) -> str:
    """A sum, and of how many transfers it has nothing."""
    currency, stands, name = of
    told = words.money(payouts[of], currency)
    if missing := payouts[currency, stands, unknown(name)]:
        return f"{told} + {words.number(missing)} × ?"
    return told


# API address -> dashboard, whose page of a charge is <dashboard>/<test or live>/charges/<id>, as
# Omise's own plugins for shops link to it (omise-opencart, dashboard.tpl)
_DASHBOARDS = {"https://api.omise.co": "https://dashboard.omise.co"}


def dashboard_of(charge_id: str, inputs: Inputs) -> str:
    """The address of a charge's page; empty of none, and where nobody knows the dashboard."""
    dashboard = _DASHBOARDS.get(inputs.whose.get("url", ""))
    if not charge_id or dashboard is None:
        return ""
    return f"{dashboard}/{inputs.batch.mode}/charges/{quote(charge_id, safe='')}"


def kept_of(taken: Taken) -> dict[str, int]:
    """Column -> what the gateway took; interest only where there is any."""
    kept = {"fee": taken.fee, "fee_vat": taken.vat}
    if taken.interest:
        kept["interest"] = taken.interest
    return kept


def ours_told(earned: Earned, words: Words) -> str:
    """What is ours of the charges in one currency; in two currencies, both, with their signs."""
    told = ""
    for currency, minor in earned.ours.items():
        money = words.money(abs(minor), currency)
        if not told:
            told = words.money(minor, currency)
        elif minor < 0:
            told = f"{told} − {money}"
        else:
            told = f"{told} + {money}"
    return told


def told_of(coded: Coded, words: Words) -> str:
    """A code in plain words; of one that has none, what the first of its rows says of it. What a
    row says of another one holds for that row alone.
    """
    told = words.label(f"failure.{coded.code}")
    if told:
        return told
    if coded.outcome in _OF_OTHERS:
        return words.label(f"outcome-told.{coded.outcome}")
    for problem in coded.first.problems:
        if coded.outcome == Outcome.REJECTED and problem.rule == coded.code:
            return words.say(problem.message())
    return words.reason(coded.first)


def without_told(whys: Iterable[Coded], words: Words) -> list[str]:
    """Why a recipient has nothing of a batch."""
    return [
        f"{words.number(one.rows)} {words.outcome(one.outcome)}: {told_of(one, words)}"
        for one in whys
    ]


def not_charged(pivots: Pivots, words: Words) -> str:
    """How many rows were not charged, which is what all their reasons add up to."""
    rows = sum(coded.rows for coded in pivots.codes)
    return words.say(labels.ROWS_NOT_CHARGED(count=rows))


def iso(at_ns: int) -> str:
    """An instant of the journal as its files write it; of what has none, nothing."""
    if not at_ns:
        return ""
    moment = datetime.fromtimestamp(at_ns // 10**9, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def known_last(currencies: Mapping[str, object] | set[str]) -> list[str]:
    """Currencies in order; what has none comes last."""
    return sorted(currencies, key=lambda currency: (not currency, currency))
