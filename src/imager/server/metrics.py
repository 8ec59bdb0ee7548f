"""Figures of a running server in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})  # others are anything at all
_BOUNDS: Final = (0.005, 0.015, 0.03, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts and times of requests. Used on the event loop alone."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, list[int]] = {}
        self._sums: defaultdict[str, float] = defaultdict(float)
        self.counts: Counter[str] = Counter()
        """Anything else that is counted, by the name of its series (`imager_sign_in_failures_total`)."""

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the pattern of its address, never the address."""
        self._requests[method if method in _METHODS else "(other)", route, status] += 1
        buckets = self._seconds.setdefault(route, [0] * (len(_BOUNDS) + 1))
        buckets[bisect_left(_BOUNDS, seconds)] += 1
        self._sums[route] += seconds

    def text(self, gauges: Mapping[str, Mapping[str, float]]) -> str:
        """Everything, with `gauges` as they are just now: by name, then by labels ('desk="read"' or '')."""
        return "".join(f"{line}\n" for line in self._lines(gauges))

    def _lines(self, gauges: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
        yield "# TYPE imager_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            yield f'imager_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
        yield "# TYPE imager_request_seconds histogram"
        for route, buckets in sorted(self._seconds.items()):
            total = 0
            for bound, count in zip((*map(str, _BOUNDS), "+Inf"), buckets, strict=True):
                total += count
                yield f'imager_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'imager_request_seconds_sum{{route="{route}"}} {self._sums[route]:.6f}'
            yield f'imager_request_seconds_count{{route="{route}"}} {total}'
        for name, count in sorted(self.counts.items()):
            yield f"# TYPE {name} counter"
            yield f"{name} {count}"
        for name, values in sorted(gauges.items()):
            yield f"# TYPE {name} gauge"
            for labels, value in sorted(values.items()):
                yield f"{name}{{{labels}}} {value:g}" if labels else f"{name} {value:g}"
