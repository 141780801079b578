"""What a table says: a figure against a budget, or by name why there is none."""

from dataclasses import dataclass
from typing import Literal

from measure import Broken, Missing, Result, Series

Word = Literal["pass", "FAIL", "info", "skipped", "not measured", "peer only"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line: `figure` is the number the budget speaks of, `limit` the most it may be."""

    group: str
    what: str
    word: Word
    ours: str = ""
    theirs: str = ""
    figure: float | None = None
    limit: float | None = None
    remark: str = ""
    samples: tuple[tuple[str, tuple[float, ...]], ...] = ()


def judged(figure: float, limit: float | None, *, at_least: bool = False) -> Word:
    """The verdict; without a limit the figure is there for comparison only."""
    if limit is None:
        return "info"
    return "pass" if (figure >= limit if at_least else figure <= limit) else "FAIL"


def absent(group: str, what: str, reason: str, word: Word = "not measured") -> Row:
    """A line for what could not be measured."""
    return Row(group, what, word, remark=reason)


def seconds(series: Series) -> str:
    """A median with the name of whose it is."""
    value = series.seconds
    digits = 4 if value < 0.1 else 3 if value < 10 else 1
    return f"{series.label} {value:.{digits}f} s"


def raw(*results: Series) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """The single wall times, for the JSON table."""
    return tuple(
        (series.label, tuple(round(sample.seconds, 4) for sample in series.samples))
        for series in results
    )


def compare(
    group: str,
    what: str,
    ours: Result,
    theirs: Result,
    limit: float | None = None,
    remark: str = "",
) -> Row:
    """Our median over theirs, or who is missing or broken."""
    match ours, theirs:
        case Broken(label, reason), _:
            return absent(group, what, f"{label}: {reason}", "FAIL")
        case _, Broken(label, reason):
            return absent(group, what, f"{label} failed: {reason}")
        case _, Missing(label, reason):
            return absent(group, what, f"{label}: {reason}", "skipped")
        case Missing(label, reason), Series():
            note = "; ".join(filter(None, (f"{label}: {reason}", remark)))
            return Row(
                group, what, "peer only", theirs=seconds(theirs), remark=note, samples=raw(theirs)
            )
        case Series(), Series():
            ratio = ours.seconds / theirs.seconds
            return Row(
                group,
                what,
                judged(ratio, limit),
                seconds(ours),
                seconds(theirs),
                ratio,
                limit,
                remark,
                raw(ours, theirs),
            )
