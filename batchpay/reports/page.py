"""report.html: one page that holds all of itself, for everybody.

It loads nothing, and a policy in its head forbids it to: its style and its script are allowed by
their hashes. Without script it is read as it stands; with it, its rows are searched, filtered and
sorted. What a file or the gateway wrote is escaped by the template, whatever it holds.

The rows stand in parts of CHUNK that are opened one by one. Of a batch with more than LISTED rows
the page has those that did not simply succeed, and says so.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchpay.domain.exits import BY_NAME, PAYER
from batchpay.domain.model import MONEY_MOVED, SENT, Finding, Outcome
from batchpay.messages import labels
from batchpay.messages.problems import TOTAL_ROW
from batchpay.reconciliation.earned import earned_of
from batchpay.reconciliation.reasons import with_what_comes
from batchpay.reconciliation.totals import INTEREST
from batchpay.reports.facts import (
    Payout,
    charged_told,
    dashboard_of,
    exit_sentence,
    exits_told,
    facts,
    is_it_all,
    kept_of,
    known_last,
    left_out,
    not_charged,
    notes,
    ours_told,
    payouts_told,
    run_facts,
    started_as,
    stop_told,
    told_of,
    verdict,
    who_must_act,
    without_told,
)
from batchpay.reports.files import Directory
from batchpay.reports.pictures import Bar, Timeline, bar, timeline
from batchpay.reports.pivots import Pivots, checks, pivots_of
from batchpay.reports.since import late, since_last
from batchpay.reports.table import Inputs
from batchpay.reports.tales import Tale, shown, tale, wanted
from batchpay.reports.words import Words, local_time

if TYPE_CHECKING:
    from jinja2 import Environment, Template

HERE = Path(__file__).parent
TEMPLATE = "report.html.jinja"
LISTED = 100_000  # rows that the page shows
CHUNK = 500  # of them that are opened at once
NAMED = 5  # instants that are named
NAMED_ROWS = 20  # rows of one order that its story shows
ACTED = 200  # rows that one party must see to, and are spelled out
BUFFERED = 200  # pieces of the template that are written at once
PARTIES = tuple(BY_NAME)
UNSENT = (Outcome.HELD, Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REJECTED)
_SOME_TIME = "2026-01-01T00:00:00Z"
WENT = tuple(outcome for outcome in Outcome if outcome in SENT)
# What was sent and may still take money.
UNDECIDED = (Outcome.PENDING, Outcome.IN_DOUBT)


def write_page(directory: Directory, inputs: Inputs) -> None:
    """The file. Raises CannotWrite. Written when the files that it names are there."""
    words = Words(inputs.language, inputs.time_zone, inputs.job_file)
    with directory.file("report.html") as file:
        page = Page(inputs, words, _files(directory, words))
        write_template(file, TEMPLATE, words, page=page)


def write_template(file: Any, name: str, words: Words, **told: Any) -> None:
    """A page of ours into a file that is open to be written."""
    style = _text_of("page.css")
    script = _text_of("page.js")
    stream = _template(name).stream(
        words=words,
        say=labels,
        shown=shown,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        **told,
    )
    stream.enable_buffering(BUFFERED)
    stream.dump(file, "utf-8", "replace")


def load_pages(language: str, templates: Iterable[str]) -> None:
    """Everything of ours that these pages in this language are written with, into memory."""
    words = Words(language)
    words.number(0)
    words.instant(_SOME_TIME)
    words.day(_SOME_TIME)
    for name in templates:
        _template(name)
    for path in sorted(HERE.glob("page.*s")):
        _text_of(path.name)


@cache
def _text_of(name: str) -> str:
    return (HERE / name).read_text("utf-8")


def _template(name: str) -> Template:
    return _templates().get_template(name)


@cache
def _templates() -> Environment:
    """Ours; each is compiled once, also one that others include."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        autoescape=True,
        loader=FileSystemLoader(HERE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _hash(text: str) -> str:
    """As a Content-Security-Policy names what it allows."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _files(directory: Directory, words: Words) -> list[tuple[str, str, str]]:
    """Name, size and use of every file that was written so far, and of the manifest that comes."""
    found = []
    for path in sorted(directory.written):
        size = f"{words.number(-(-path.stat().st_size // 1024))} KiB"
        kind = "rejects" if path.name.startswith("rejects.") else path.name
        found.append((path.name, size, words.label(f"use.{kind}")))
    found.append(("manifest.json", "", words.label("use.manifest.json")))
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """A row on the page."""

    row: int
    order: str
    outcome: str  # its code
    said: str  # ... and its name
    minor: int
    amount: str
    currency: str
    destination: str
    seller: str  # what the file calls it; empty where it has the id alone
    charge: str
    reason: str
    party: str
    acts: str
    story: str = ""  # where on the page it is
    commands: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)  # name, address


@dataclass(frozen=True, slots=True)
class Party:
    """Who must act, and the first rows of it."""

    name: str
    rows: list[Shown]
    more: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Where the rows of a currency went, and their money."""

    currency: str
    rows: Bar
    sent: Bar
    money: Bar
    outcomes: list[tuple[str, int, int]]  # code, rows, sum


@dataclass(frozen=True, slots=True)
class Kept:
    """What was earned of the charges in one currency, in words."""

    ours: str
    commission: str
    fees: list[tuple[str, str]]  # how much, and what of
    shares: str
    untold: str  # charged, and nobody knows how it is split
    charged: str  # where all of it adds up in one currency
    back: str  # what was given back since


class Page:
    """What the template shows; the rows are read again when it comes to them."""

    def __init__(
        self, inputs: Inputs, words: Words, files: list[tuple[str, str, str]]
    ) -> None:
        self.inputs = inputs
        self.words = words
        self.files = files
        self.batch = inputs.batch
        self.test = inputs.batch.mode == "test"
        self.pivots: Pivots = pivots_of(
            inputs.findings(), inputs.sellers, inputs.called
        )
        self.limited = inputs.totals.rows_read > LISTED
        self.most = LISTED
        self.listed = inputs.totals.rows_read
        if self.limited:
            self.listed = min(LISTED, self.pivots.unsettled)

    # --- above

    @property
    def verdict(self) -> str:
        return verdict(self.inputs, self.words)

    @property
    def grade(self) -> str:
        """Of the verdict, for its colour: good, wait, act or alarm."""
        grades = {0: "good", 10: "act", 11: "wait"}
        return grades.get(self.inputs.exit_code, "alarm")

    @property
    def charged(self) -> str:
        return charged_told(self.inputs, self.words)

    @property
    def is_it_all(self) -> str:
        return is_it_all(self.inputs, self.words)

    @property
    def parties_told(self) -> list[str]:
        return [self.words.say(said) for said in who_must_act(self.inputs)]

    @property
    def lift(self) -> str:
        """That nothing but the stop in force is for anybody; empty where there is none."""
        if not self.inputs.stop:
            return ""
        return self.words.word(labels.ONLY_THE_STOP)

    @property
    def stop(self) -> str:
        return shown(stop_told(self.inputs.stop, self.words))

    @property
    def refusal(self) -> str:
        """Why the file is refused as a whole."""
        return shown(self.words.again(self.batch.refusal))

    @property
    def notes(self) -> list[str]:
        return [shown(note) for note in notes(self.inputs, self.words)]

    # --- where the rows and the money went

    @property
    def pictures(self) -> Iterator[Picture]:
        for currency in known_last(set(self.pivots.outcomes["currency"])):
            yield self._picture(currency)

    def _picture(self, currency: str) -> Picture:
        table = self.pivots.outcomes
        mine = table[table["currency"] == currency].to_dict("records")
        counts = {
            row["outcome"]: (int(row["rows"]), int(row["amount"])) for row in mine
        }
        sent = {one.value: counts[one.value][0] for one in WENT if one.value in counts}
        unsent = {
            one.value: counts[one.value][0] for one in UNSENT if one.value in counts
        }
        rows = bar({"sent": sum(sent.values()), **unsent})
        width = next((part.width for part in rows.parts if part.name == "sent"), 0)
        outcomes = []
        for outcome in (*WENT, *UNSENT):
            if outcome.value in counts:
                outcomes.append((outcome.value, *counts[outcome.value]))
        return Picture(
            currency, rows, bar(sent, width), self._money(currency), outcomes
        )

    def _money(self, currency: str) -> Bar:
        """What was asked for: with recipients, as commission, charged without a known split, not
        decided or not known yet, or not charged.
        """
        totals = self.inputs.totals
        charged = totals.charged[currency]
        share = totals.shares[currency, "recipient"]
        commission = totals.shares[currency, "platform"]
        parts = {
            "recipient_amount": share,
            "platform_fee": commission,
            "unknown": charged - share - commission,
        }
        for outcome in UNDECIDED:
            parts[outcome.value] = totals.sums[currency, outcome.value]
        parts["not_charged"] = self.asked(currency) - sum(parts.values())
        return bar(parts)

    def _of_total_rows(self, currency: str) -> int:
        """What rows say that are sums of those above them (smallest unit)."""
        codes = self.pivots.codes
        return sum(one.amounts[currency] for one in codes if one.code == TOTAL_ROW.code)

    def caption(self, picture: Picture) -> str:
        """A currency, its rows and what they ask for; nobody knows that without a currency."""
        rows = self.words.say(labels.ROWS(count=picture.rows.whole))
        if not picture.currency:
            unknown = self.words.word(labels.FACT_UNKNOWN)
            return f"{self.words.column('currency')}: {unknown}; {rows}"
        asked = self.words.money(self.asked(picture.currency), picture.currency)
        return self.words.say(
            labels.CURRENCY_SUM(currency=picture.currency, rows=rows, sum=asked)
        )

    def money_label(self, name: str) -> str:
        """The name of a part of the money."""
        if name == "not_charged":
            return self.words.word(labels.NOT_CHARGED)
        if name == "unknown":
            return self.words.word(labels.FACT_UNKNOWN)
        if name in UNDECIDED:
            return self.words.outcome(name)
        return self.words.column(name)

    def asked(self, currency: str) -> int:
        """What the rows of a currency ask for. A total row asks for nothing: it says the sum of
        the others once more.
        """
        sums = self.inputs.totals.sums
        said = sum(minor for (code, _), minor in sums.items() if code == currency)
        return said - self._of_total_rows(currency)

    def beside_totals(self, currency: str) -> str:
        """What total rows say, which is in no sum; nothing where there are none."""
        minor = self._of_total_rows(currency)
        if not minor:
            return ""
        return self.words.say(
            labels.BESIDE_TOTALS(sum=self.words.money(minor, currency))
        )

    @property
    def differences(self) -> list[str]:
        """Sums that the pivots have otherwise than the journal; none when all is well."""
        found = []
        for check in checks(self.pivots, self.inputs.totals):
            if not check.holds:
                name = self.words.column(check.name)
                found.append(f"{name} {check.currency}: {check.pivot} ≠ {check.noted}")
        return found

    @property
    def charged_once(self) -> str:
        """Did an order take money more than once?"""
        orders = {order for _, order, _, _ in self.inputs.totals.further}
        if orders:
            return self.words.say(labels.CHARGED_MORE(count=len(orders)))
        return self.words.word(labels.CHARGED_ONCE)

    @property
    def books(self) -> str:
        """The command that holds the days of these charges against the gateway's own ledger."""
        if not self.pivots.sent or not self.inputs.job_file:
            return ""
        at = (min(self.pivots.sent), max(self.pivots.sent))
        days = [local_time(one, self.words.zone) for one in at]
        first, last = (f"{day:%Y-%m-%d}" for day in days if day)
        command = f"batchpay audit JOB --from {first} --to {last}"
        return self.words.say(labels.BOOKS(command=command))

    # --- who must act

    @property
    def parties(self) -> Iterator[Party]:
        for name in PARTIES:
            mine = [one for one in self.pivots.action if one.who_acts == name]
            if mine:
                every = self.inputs.totals.acts[name]
                rows = [self._shown(one, whole=True) for one in mine[:ACTED]]
                yield Party(name, rows, max(every - len(rows), 0))

    def _shown(self, finding: Finding, *, whole: bool = False) -> Shown:
        words = self.words
        told = finding
        if whole:
            told = with_what_comes(finding, self.inputs.doubt_s)
        amount = ""
        if finding.amount is not None:
            amount = words.money(finding.amount, finding.currency)
        return Shown(
            row=finding.row,
            order=shown(finding.order_id),
            outcome=finding.outcome.value,
            said=words.outcome(finding.outcome.value),
            minor=finding.amount or 0,
            amount=amount,
            currency=finding.currency,
            destination=shown(finding.destination),
            seller=shown(self.pivots.names.get(finding.destination, "")),
            charge=shown(finding.charge_id),
            reason=shown(self._why(told)),
            party=finding.who_acts,
            acts=words.party(finding.who_acts) if finding.who_acts != "-" else "",
            story=self._story_of(finding),
            commands=[shown(one) for one in words.commands(finding)] if whole else [],
            links=self._links(finding) if whole else [],
        )

    def _story_of(self, finding: Finding) -> str:
        told = self.stories.get(finding.order_id)
        return told.anchor if told else ""

    def _why(self, finding: Finding) -> str:
        """The reason, and which row settled it since."""
        told = self.words.reason(finding)
        if not finding.settled_by:
            return told
        settled = f"{self.words.column('settled_by')}: {finding.settled_by}"
        return "; ".join(filter(None, [settled, told]))

    def _links(self, finding: Finding) -> list[tuple[str, str]]:
        """Where the payer goes, or scans, and others see the charge; of addresses that a browser
        may open alone.
        """
        there = {"authorize_uri": finding.authorize_uri, "qr_uri": finding.qr_uri}
        if finding.who_acts != PAYER:
            there["dashboard"] = dashboard_of(finding.charge_id, self.inputs)
        return [
            (self.words.column(name), address)
            for name, address in there.items()
            if address.startswith("https://")
        ]

    # --- money

    @property
    def recipients(self) -> list[dict[Any, Any]]:
        """By currency the largest first, at most ACTED of all; `width` is of a bar of 100."""
        rows = self.pivots.recipients.to_dict("records")
        rows.sort(key=lambda row: (row["currency"], -row["amount"], row["destination"]))
        largest: dict[str, int] = {}
        for row in rows:
            most = largest.setdefault(row["currency"], max(int(row["amount"]), 1))
            row["width"] = 100 * int(row["amount"]) // most
            row["stuck"] = [
                f"{self.words.number(int(row[name]))} {self.words.transfer(name)}"
                for name in ("failed", "deleted")
                if row[name]
            ]
            row["untold_told"] = ""
            if row["untold_rows"]:
                untold = self.words.money(int(row["untold"]), row["currency"])
                row["untold_told"] = self.words.say(
                    labels.UNTOLD(count=int(row["untold_rows"]), money=untold)
                )
            row["seller"] = shown(self.pivots.names.get(row["destination"], ""))
        return rows[:ACTED]

    @property
    def without(self) -> list[tuple[str, str, list[str]]]:
        """Recipients of which no order succeeded, at most ACTED: the id, what the file calls it,
        and why not.
        """
        words = self.words
        return [
            (
                shown(recipient),
                shown(self.pivots.names.get(recipient, "")),
                [shown(one) for one in without_told(whys, words)],
            )
            for recipient, whys in sorted(self.pivots.without.items())[:ACTED]
        ]

    @property
    def followed(self) -> str:
        """As of when the transfers are told; empty where nobody asked."""
        if not self.inputs.followed_at:
            return ""
        at = self.words.instant(self.inputs.followed_at)
        return self.words.say(labels.FOLLOWED(at=at))

    @property
    def more_recipients(self) -> int:
        """Those that the page does not list."""
        return sum(
            max(len(every) - ACTED, 0)
            for every in (self.pivots.recipients, self.pivots.without)
        )

    @property
    def fees(self) -> list[dict[str, Any]]:
        """By currency of the charges, and the currency that their fees are counted in."""
        totals = self.inputs.totals
        found = []
        for currency in known_last(totals.charged):
            counted = {code for of, code, _ in totals.fees if of == currency}
            for counted_in in known_last(counted) or [""]:
                told = {"currency": currency, "fee_currency": counted_in}
                for name, key in (("fee", "fee"), ("fee_vat", "vat"), ("net", "net")):
                    minor = totals.fees[currency, counted_in, key]
                    told[name] = (
                        self.words.money(minor, counted_in) if counted_in else ""
                    )
                interest = totals.fees[currency, counted_in, INTEREST]
                told[INTEREST] = (
                    self.words.money(interest, counted_in) if interest else ""
                )
                found.append(told)
        return found

    @property
    def earned(self) -> Iterator[Kept]:
        """By currency of the charges, with the equation of each."""
        words = self.words
        for one in earned_of(self.inputs.totals):
            fees = []
            for taken in one.taken:
                for name, minor in kept_of(taken).items():
                    fees.append(
                        (words.money(minor, taken.currency), words.column(name))
                    )
            back = ""
            if one.refunded:
                money = words.money(one.refunded, one.currency)
                back = words.say(labels.GIVEN_BACK(money=money))
            whole = ""
            if one.whole == one.charged:
                whole = words.money(one.charged, one.currency)
            yield Kept(
                ours=ours_told(one, words),
                commission=words.money(one.commission, one.currency),
                fees=fees,
                shares=words.money(one.shares, one.currency),
                untold=words.money(one.untold, one.currency) if one.untold else "",
                charged=whole,
                back=back,
            )

    @property
    def left_out(self) -> list[str]:
        return left_out(self.inputs, self.words)

    def moved(self, currency: str) -> bool:
        """Did money of a currency move?"""
        return any(
            self.inputs.totals.count(outcome, currency) for outcome in MONEY_MOVED
        )

    @property
    def transfers(self) -> list[Payout]:
        return payouts_told(self.inputs.totals.payouts, self.words)

    # --- why, when, and from what

    @property
    def codes(self) -> Iterator[dict[str, Any]]:
        for coded in self.pivots.codes:
            sums = [
                self.words.money(coded.amounts[currency], currency)
                for currency in known_last(coded.amounts)
                if coded.amounts[currency]
            ]
            yield {
                "code": shown(coded.code),
                "told": shown(told_of(coded, self.words)),
                "again": self.words.label(f"again.{coded.code}"),
                "outcome": coded.outcome,
                "acts": self.words.party(coded.first.who_acts),
                "rows": coded.rows,
                "sums": sums,
            }

    @property
    def not_charged(self) -> str:
        return not_charged(self.pivots, self.words)

    @property
    def timeline(self) -> Timeline | None:
        return timeline(self.pivots.sent, self.pivots.waits)

    @cached_property
    def told_429(self) -> list[tuple[str, str]]:
        """When the gateway answered a charge with 429, and of which order."""
        return list(self.inputs.told_429())

    @property
    def too_often(self) -> str:
        """The same in words."""
        told = self.told_429
        if not told:
            return self.words.word(labels.NEVER_429)
        instants = [self.words.instant(at) for at, _ in told[:NAMED]]
        if len(told) > NAMED:
            instants.append("…")
        at = ", ".join(instants)
        return self.words.say(labels.TOLD_429(count=len(told), at=at))

    @property
    def late(self) -> list[str]:
        return late(self.inputs, self.pivots, self.words)

    @property
    def since_last(self) -> list[str]:
        """What the report before this one had otherwise; the first line says which that was."""
        return since_last(self.inputs, self.words)

    @cached_property
    def stories(self) -> dict[str, Tale]:
        """By order id; their rows are there once all rows were read."""
        ids = wanted(self.pivots, (order_id for _, order_id in self.told_429))
        told = self.inputs.stories(ids) if ids else {}
        there = [order_id for order_id in ids if order_id in told]
        return {
            order_id: tale(
                number, order_id, told[order_id], self.words, self.pivots.names
            )
            for number, order_id in enumerate(there, 1)
        }

    @property
    def run(self) -> list[tuple[str, str]]:
        return [
            (name, shown(value)) for name, value in run_facts(self.inputs, self.words)
        ]

    @property
    def senders(self) -> list[tuple[str, str, str, str, str, str]]:
        """The runs that sent rows of this batch: what each was called, started as and when, its
        exit code, what that says, and how many rows; empty where that is the last run alone.
        """
        sent = self.pivots.runs
        last = self.inputs.run
        if last is not None and not sent.keys() - {last.id}:
            return []
        return [
            (
                run.id,
                shown(started_as(run, self.inputs)),
                self.words.instant(run.started),
                *self._ended(run.exit_code),
                self.words.number(sent[run.id]),
            )
            for run in self.inputs.runs(sent.keys())
        ]

    def _ended(self, code: int | None) -> tuple[str, str]:
        """The exit code of a run, and what it says; a run without one was killed."""
        if code is None:
            return "", self.words.word(labels.RUN_NO_END)
        return str(code), exit_sentence(code, self.words)

    @property
    def exits(self) -> list[tuple[int, str]]:
        """What the exit codes say that stand here, and those of any finished run."""
        codes = {run.exit_code for run in self.inputs.runs(self.pivots.runs.keys())}
        if self.inputs.run is not None:
            codes.add(self.inputs.run.exit_code)
        return exits_told((code for code in codes if code is not None), self.words)

    @property
    def agreed(self) -> str:
        """How often the run was to ask at most; empty where no journal kept it."""
        if self.inputs.run is None:
            return ""
        return self.inputs.run.settings.get("rate", "")

    @property
    def source(self) -> list[tuple[str, str]]:
        return [(name, shown(value)) for name, value in facts(self.inputs, self.words)]

    # --- all rows

    @property
    def chunks(self) -> Iterator[list[Shown]]:
        """All rows that the page lists, in parts."""
        part: list[Shown] = []
        left = self.listed
        for finding in self._walked():
            if not left:
                continue
            left -= 1
            part.append(self._shown(finding))
            if len(part) == CHUNK:
                yield part
                part = []
        if part:
            yield part

    def _walked(self) -> Iterator[Finding]:
        """Those that are listed; the rows of a story go to it on the way."""
        for _, findings in self.inputs.findings():
            for finding in findings:
                told = self.stories.get(finding.order_id)
                if told and len(told.rows) < NAMED_ROWS:
                    told.rows.append(self._shown(finding, whole=True))
                if not self.limited or finding.outcome is not Outcome.SUCCEEDED:
                    yield finding

    @property
    def outcomes(self) -> list[str]:
        """Those that a row has, for the filter."""
        return list(self.inputs.totals.outcomes())
