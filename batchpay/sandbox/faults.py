"""Rules that say which request goes wrong, and how. docs/sandbox.md tells them to a user, with
examples.

In a script (`script.py`):

    [[rule]]
    action = "error_after"      # one of ACTIONS
    order_id = "A-17"           # metadata[order_id]; * and ? are wild
    times = 1

Which requests (all must hold): `method` (POST) and `path` (/charges), both with wild cards;
`order_id`; `key` (Idempotency-Key or metadata[batchpay_key]); `attempt` (only the nth POST of that
key, from 1); then of those all but the first `skip`, and of these `nth` (a number or a list, from
1), `every` (each nth), `times` (at most so often). The first rule that matches is applied. A
request that names a charge in its path is about the order of that charge. A list is about many:
there `order_id` and `key` choose which of its entries the rule is about.

How: an action is a name for some of the fields of `Rule`, and any field may be given beside it or
without it: `commit` now, never, late (`late_s` later, whatever became of the client) or twice;
`wait_before_s` and `wait_after_s` around the commit; `status`, `headers`, `retry_after`,
`location`, `code`, `message`, `body` (an object: JSON; a text: as it is) for another answer;
`change`, `null` and `drop` for fields of the true one (`metadata.order_id` reaches inside), `pad`
for so many bytes more in its metadata, `id_of` for the id of another order's charge; `reply` for an
answer that is broken on the wire; `date_offset_s` for a Date from another clock; `revoke` to refuse
the request's API key from now on; `hide_s` to keep the charge that was made out of lists and
searches for a while. For a list: `lag_s` hides younger charges, `frozen` shows it as it was when
the rule was first applied, `omit` leaves charges out, `insert` makes so many charges of somebody
else just before it is read, `empty` takes its data away. And in the books: `becomes`, `becomes_s`
later, for what the charge that the request is about is from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from batchpay.domain.errors import Misconfigured
from batchpay.messages.nights import STATUS_PAGE
from batchpay.sandbox.problems import error_object

_BAD_GATEWAY = f"<html><body>Bad gateway: see {STATUS_PAGE} for incidents</body></html>"

ACTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "reset_before": {"commit": "never", "reply": "reset"},
    "reset_after": {"reply": "reset"},
    "reset_late": {"commit": "late", "reply": "reset"},
    "close_before": {"commit": "never", "reply": "close"},
    "close_after": {"reply": "close"},
    "hang_before": {"commit": "never", "reply": "hang"},
    "hang_after": {"reply": "hang"},
    "delay_before": {"wait_before_s": 1},
    "delay_after": {"wait_after_s": 1},
    "rate_limited": {
        "commit": "never",
        "status": 429,
        "code": "too_many_requests",
        "message": "too many requests",
    },
    "refuse": {
        "commit": "never",
        "status": 400,
        "code": "bad_request",
    },
    "used_token": {
        "commit": "never",
        "status": 400,
        "code": "used_token",
    },
    "error_before": {
        "commit": "never",
        "status": 500,
        "code": "internal_error",
    },
    "error_after": {"status": 500, "code": "internal_error"},
    "error_late": {
        "commit": "late",
        "status": 500,
        "code": "internal_error",
    },
    "error_as_success": {
        "commit": "never",
        "status": 200,
        "code": "bad_request",
    },
    "html_before": {
        "commit": "never",
        "status": 502,
        "body": _BAD_GATEWAY,
    },
    "html_after": {"status": 502, "body": _BAD_GATEWAY},
    "bad_json": {"body": '{"object": "charge", "amount": '},
    "redirect": {"commit": "never", "status": 302, "body": ""},
    "torn": {"reply": "torn"},
    "drip": {"reply": "drip"},
    "huge": {"reply": "huge"},
    "gzip_bomb": {"reply": "gzip_bomb"},
    "raw": {"commit": "never", "reply": "raw"},
    "change": {},
    "double": {"commit": "twice"},
    "swap": {"reply": "swap"},
    "stale": {"reply": "stale"},
    "hidden": {"hide_s": 1},
    "revoke_key": {"revoke": True},
    "clock_skew": {
        "method": "*",
        "path": "*",
        "date_offset_s": 3600,
    },
    "crowd": {"method": "GET", "path": "/charges", "insert": 1},
    "list_lag": {"method": "GET", "path": "/charges", "lag_s": 1},
    "empty_page": {
        "method": "GET",
        "path": "/charges",
        "empty": True,
    },
    "frozen_list": {
        "method": "GET",
        "path": "/charges",
        "frozen": True,
    },
    "missing": {
        "method": "GET",
        "path": "/charges",
        "omit": True,
    },
    "no_commission": {
        "method": "*",
        "path": "/charges*",
        "order_id": "*",
        "null": ["platform_fee"],
    },
    "too_long": {"pad": 1 << 20},
    "turn": {"method": "GET", "path": "/charges*"},
}

COMMITS = ("now", "never", "late", "twice")
REPLIES = (
    "normal",
    "reset",
    "close",
    "hang",
    "torn",
    "drip",
    "huge",
    "gzip_bomb",
    "raw",
    "swap",
    "stale",
)
ENDS = (
    "pending",
    "successful",
    "failed",
    "expired",
    "reversed",
    "refunded",
    "disputed",
    "dispute_won",
    "dispute_lost",
    "forgotten",
    "transfer_sent",
    "transfer_paid",
    "transfer_failed",
)


@dataclass(frozen=True, slots=True)
class About:
    """Whom a request is about: its order, the keys it goes by, the how manieth POST of them it is;
    a list is `many`.
    """

    order_id: str = ""
    keys: tuple[str, ...] = ()
    attempt: int = 0
    many: bool = False


@dataclass(slots=True, eq=False)
class Rule:
    """One rule; see the module's docstring. Make it with `Rule.parse`, which knows the actions."""

    action: str = "none"
    method: str = "POST"
    path: str = "/charges"
    order_id: str | None = None
    key: str | None = None
    attempt: int | None = None
    skip: int = 0
    nth: int | list[int] | None = None
    every: int | None = None
    times: int | None = None
    commit: str = "now"
    wait_before_s: float = 0
    wait_after_s: float = 0
    late_s: float = 1
    reply: str = "normal"
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: str | int | None = None
    location: str | None = None
    code: str | None = None
    message: str | None = None
    body: Any = None
    change: dict[str, Any] = field(default_factory=dict)
    null: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    pad: int = 0
    id_of: str | None = None
    becomes: str | None = None
    becomes_s: float = 0
    lag_s: float = 0
    frozen: bool = False
    omit: bool = False
    empty: bool = False
    insert: int = 0
    hide_s: float = 0
    revoke: bool = False
    date_offset_s: float = 0
    # torn: so many bytes of the body are sent; default half of it
    cut: int | None = None
    size: int = 10 << 30  # huge, gzip_bomb: bytes of the (unpacked) body
    pace_s: float = 0.02  # drip: seconds between two bytes
    seen: int = 0
    applied: int = 0
    waiting: Any = None  # swap: the first of the two answers and its future
    # frozen: the lists as they were
    copies: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, given: Rule | dict[str, Any]) -> Rule:
        """A rule from its JSON or TOML form; raises Misconfigured and names what is wrong."""
        if isinstance(given, Rule):
            return given
        action = given.get("action", "none")
        if action not in ACTIONS:
            raise Misconfigured(
                f"fault rule: no action {action!r}; one of {', '.join(ACTIONS)}"
            )
        unknown = sorted(set(given) - set(_GIVEN))
        if unknown:
            raise Misconfigured(
                f"fault rule: no field {', '.join(unknown)}; fields are {', '.join(sorted(_GIVEN))}"
            )
        for name, value in given.items():
            if not fits(value, _GIVEN[name]):
                raise Misconfigured(
                    f"fault rule: {name} = {value!r} is of the wrong kind"
                )
        rule = cls(**(ACTIONS[action] | given))
        if rule.commit not in COMMITS or rule.reply not in REPLIES:
            raise Misconfigured(
                f"fault rule: commit is one of {COMMITS}, reply one of {REPLIES}"
            )
        if rule.becomes is not None and rule.becomes not in ENDS:
            raise Misconfigured(
                f"fault rule: becomes is one of {', '.join(ENDS)}, not {rule.becomes!r}"
            )
        return rule

    def matches(self, method: str, path: str, about: About) -> bool:
        """Whether it is to be applied to this request; counts what it has seen."""
        if self.times is not None and self.applied >= self.times:
            return False
        is_called = fnmatchcase(method, self.method) and fnmatchcase(path, self.path)
        if not is_called or not self._chooses(about):
            return False
        self.seen += 1
        number = self.seen - self.skip
        if number < 1:
            return False
        if isinstance(self.nth, list):
            if number not in self.nth:
                return False
        elif self.nth is not None and number != self.nth:
            return False
        if self.every is not None and number % self.every:
            return False
        self.applied += 1
        return True

    def _chooses(self, about: About) -> bool:
        """In a list the names of orders choose entries, so that a rule with them must have
        something to do to those.
        """
        if self.attempt is not None and self.attempt != about.attempt:
            return False
        if about.many and self.names_orders():
            return self._does_to_entries()
        return self._speaks_of(about.order_id, about.keys)

    def names_orders(self) -> bool:
        """Whether it is about some orders only; in a list, then, about entries."""
        return self.order_id is not None or self.key is not None

    def _does_to_entries(self) -> bool:
        said = (
            self.change,
            self.null,
            self.drop,
            self.pad,
            self.id_of,
            self.omit,
            self.becomes,
        )
        return any(said)

    def _speaks_of(self, order_id: str, keys: tuple[str, ...]) -> bool:
        if self.order_id is not None and not fnmatchcase(order_id, self.order_id):
            return False
        return self.key is None or self.key in keys

    def speaks_of(self, metadata: dict[str, Any]) -> bool:
        """Whether it is about the order of a charge, by the charge's metadata."""
        order_id = str(metadata.get("order_id") or "")
        key = str(metadata.get("batchpay_key") or "")
        return self._speaks_of(order_id, (key,))

    def replaces(self) -> bool:
        """Whether the answer is the rule's own, not the true one."""
        return self.status is not None or self.code is not None or self.body is not None

    def answer(self) -> tuple[int, Any]:
        """The rule's own answer."""
        body = self.body
        if body is None:
            body = ""
            if self.code:
                message = self.message or self._usual_message()
                body = error_object(self.code, message)
        return self.status or 200, body

    def _usual_message(self) -> str:
        code = self.code or ""
        if (self.status or 200) >= 500:
            return f"{code}: see {STATUS_PAGE} for incidents"
        return code

    def extra_headers(self, now: int) -> dict[str, str]:
        """Headers that come with the answer; a header that is given wins over one that is made."""
        extra = {str(name): str(value) for name, value in self.headers.items()}
        if self.retry_after is not None:
            extra["Retry-After"] = str(self.retry_after)
        if self.location is not None:
            extra["Location"] = self.location
        if self.date_offset_s:
            extra.setdefault("Date", formatdate(now + self.date_offset_s, usegmt=True))
        return extra


def fits(value: Any, kind: Any) -> bool:
    """Whether a value from TOML or JSON is of a kind; a whole number is good for a float, true is
    no number.
    """
    if kind is Any:
        return True
    if isinstance(kind, UnionType):
        return any(fits(value, one) for one in get_args(kind))
    if get_origin(kind) is list:
        if not isinstance(value, list):
            return False
        of_each = get_args(kind)[0]
        return all(fits(one, of_each) for one in value)
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, get_origin(kind) or kind)


_OWN = ("seen", "applied", "waiting", "copies")
_GIVEN = {name: kind for name, kind in get_type_hints(Rule).items() if name not in _OWN}
NO_RULE = Rule()
