"""Numbers for operators in the text format of Prometheus, version 0.0.4. They name nobody and nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Metrics:
    """Counts since the start of the server."""

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By route and status."""
    pictures: Counter[str] = field(default_factory=Counter)
    """By what became of them: done, or the name of a problem."""
    films: Counter[str] = field(default_factory=Counter)
    """As with pictures."""
    seconds: float = 0.0
    """Of all pictures and films that are done, in the workers."""

    def render(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """
        Args:
            gauges: help and value of further ones, by their names.
        """
        lines = ["# HELP anonymizer_requests_total Requests.", "# TYPE anonymizer_requests_total counter"]
        for (route, status), number in sorted(self.requests.items()):
            lines.append(f'anonymizer_requests_total{{route="{route}",status="{status}"}} {number}')
        for name, counts in (("pictures", self.pictures), ("films", self.films)):
            lines += [f"# HELP anonymizer_{name}_total {name.title()}.", f"# TYPE anonymizer_{name}_total counter"]
            for outcome, number in sorted(counts.items()):
                lines.append(f'anonymizer_{name}_total{{outcome="{outcome}"}} {number}')
        lines += [
            "# HELP anonymizer_work_seconds_total Time that pictures and films took in the workers.",
            "# TYPE anonymizer_work_seconds_total counter",
            f"anonymizer_work_seconds_total {self.seconds:.6f}",
        ]
        for name, (text, value) in gauges.items():
            lines += [f"# HELP anonymizer_{name} {text}", f"# TYPE anonymizer_{name} gauge"]
            lines.append(f"anonymizer_{name} {value:g}")
        return "\n".join(lines) + "\n"
