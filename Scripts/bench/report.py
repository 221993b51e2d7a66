"""What was measured, beside its bound: a table for people, JSON for programs."""

import statistics
from dataclasses import dataclass, field

HEADER = ("what", "bound", "median", "interval", "")


def interval(values):
    """The sign test's interval, which holds the true median with a probability of at least 95 %, whatever the
    distribution; of fewer than 6 values, all of them, which holds it less often."""
    ordered, probability = sorted(values), 0.5 ** len(values)
    below, rank = probability, 0
    while below <= 0.025 and rank < len(ordered) // 2:
        rank += 1
        probability *= (len(ordered) - rank + 1) / rank
        below += probability
    rank = max(0, rank - 1)
    return ordered[rank], ordered[-1 - rank]


@dataclass
class Row:
    """One measure: as many values as rounds, each a ratio of a pair of times or a quantity of its own."""

    what: str
    values: list
    bound: float = None
    at_least: bool = True
    unit: str = ""
    pairs: list = field(default_factory=list)  # the times in seconds whose ratios the values are
    notes: dict = field(default_factory=dict)

    @classmethod
    def ratio(cls, what, pairs, **options):
        """How many times the first time of each pair is the second."""
        return cls(what, [first / second for first, second in pairs], pairs=pairs, **options)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def met(self):
        """Whether the better end of the interval meets the bound, since machines are noisy; None without a bound."""
        if self.bound is None:
            return None
        low, high = interval(self.values)
        return high >= self.bound if self.at_least else low <= self.bound

    def cells(self):
        show = lambda value: f"{value:.{0 if value >= 1000 else 1 if value >= 100 else 2}f}"  # noqa: E731
        bound = "" if self.bound is None else f"{'>=' if self.at_least else '<='} {show(self.bound)}"
        low, high = interval(self.values)
        return (self.what, bound, f"{show(self.median)}{self.unit}", f"{show(low)} to {show(high)}",
                {None: "", True: "pass", False: "short"}[self.met])

    def json(self):
        low, high = interval(self.values)
        return {"what": self.what, "bound": self.bound, "atLeast": self.at_least, "unit": self.unit.strip(),
                "median": self.median, "low": low, "high": high, "met": self.met, "values": self.values,
                "pairs": self.pairs, "notes": self.notes}


def table(rows):
    """Lines in columns."""
    lines = [HEADER] + [row.cells() for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join("  ".join(cell.ljust(width) if column in (0, 4) else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)
