"""DOUBT: a send whose answer nobody knows, and when it proves to have made no charge (law L5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Doubt:
    """The last send whose answer nobody knows, and the look-ups that did not find it."""

    boot_id: str
    boot_s: float  # CLOCK_BOOTTIME of its intent's commit
    # (boot id, CLOCK_BOOTTIME) of complete look-ups after the period
    absents: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class DoubtRules:
    """The periods of law L5, in seconds, and the machine they are counted on."""

    period_s: float
    gap_s: float
    boot_id: str
    run_start_s: float  # CLOCK_BOOTTIME at the start of this run

    def due_s(self, doubt: Doubt) -> float:
        """CLOCK_BOOTTIME from which the next look-up may prove absence."""
        absents = self.absents(doubt)
        if absents:
            return absents[-1] + self.gap_s
        return self._start_s(doubt) + self.period_s

    def closes(self, doubt: Doubt) -> bool:
        """Would one more complete look-up without a trace prove absence?"""
        return len(self.absents(doubt)) >= 1

    def absents(self, doubt: Doubt) -> list[float]:
        """The look-ups of this boot; those of another boot prove nothing, their clock is gone."""
        return [boot_s for boot_id, boot_s in doubt.absents if boot_id == self.boot_id]

    def _start_s(self, doubt: Doubt) -> float:
        if doubt.boot_id == self.boot_id:
            return doubt.boot_s
        return self.run_start_s
