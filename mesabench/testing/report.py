"""What a check says: that it holds, what is broken and what to do, or why there is nothing to check."""

from dataclasses import dataclass
from typing import Literal


class Broken(AssertionError):
    """A check failed: what is wrong, and what to do about it."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(f"{found}. {advice}")
        self.found, self.advice = found, advice


class NotApplicable(Exception):
    """There is nothing to check; the message says why."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check: what was looked at, what was found, and what to do if it failed (else '')."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    found: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.outcome:7}  {self.name}: {self.found}" + (
            f"\n         {self.advice}" if self.advice else ""
        )


@dataclass(frozen=True)
class Report:
    """All checks of one environment, in order."""

    environment: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not any(check.outcome == "failed" for check in self.checks)

    def __str__(self) -> str:
        return "\n".join([self.environment, *(f"  {check}".replace("\n", "\n  ") for check in self.checks)])
