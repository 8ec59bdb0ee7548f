"""What supervisors and Prometheus ask for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imager.server import metrics
from imager.server.app import create_app
from imager.server.desks import Desks
from imager.server.metrics import Metrics
from imager.server.settings import Settings
from tests.server.client import Served
from tests.server.conftest import Client


def test_it_says_that_it_lives_and_can_work(client: Client) -> None:
    for path in ("/healthz", "/readyz"):
        assert client(None).get(path).json() == {"status": "ok"}


def test_it_is_not_ready_when_the_library_can_not_be_opened(library_folder: Path, cheap_passwords: None) -> None:
    app = create_app(Settings(library=library_folder))
    served = Served(app)
    try:
        served.state.desks = Desks(library_folder / "gone")
        with served.client() as nobody:
            assert nobody.get("/healthz").status_code == 200
            answer = nobody.get("/readyz")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
        assert answer.headers["retry-after"]
        assert str(library_folder) not in answer.text
        served.state.desks.stop()
    finally:
        served.close()


def test_figures_are_counted_by_route_and_name_no_address(client: Client) -> None:
    owner = client("owner", scopes=("manage", "read"))
    owner.get("/api/v1/session")
    owner.get("/Lisbon/Anna.jpg")
    owner.get("/api/v1/members/Anna")
    answer = owner.get("/metrics")
    assert answer.headers["content-type"] == metrics.MEDIA_TYPE
    lines = answer.text.splitlines()
    assert 'imager_requests_total{method="GET",route="/api/v1/session",status="200"} 1' in lines
    assert 'imager_requests_total{method="GET",route="(none)",status="404"} 1' in lines
    assert 'imager_requests_total{method="GET",route="/api/v1/members/{member}",status="403"} 1' in lines
    assert any(re.fullmatch(r'imager_desk_waiting\{desk="search"\} \d+', line) for line in lines)
    assert "Lisbon" not in answer.text
    assert "Anna" not in answer.text


@pytest.mark.parametrize("method", ["GET", "\nEVIL", 'X"} 1\nevil 1'])
def test_times_stand_in_buckets_that_add_up(method: str) -> None:
    made = Metrics()
    for seconds in (0.001, 0.005, 0.02, 99.0):
        made.request(method, "/x", 200, seconds)
    lines = made.text({}).splitlines()
    assert 'imager_request_seconds_bucket{route="/x",le="0.005"} 2' in lines
    assert 'imager_request_seconds_bucket{route="/x",le="+Inf"} 4' in lines
    assert 'imager_request_seconds_count{route="/x"} 4' in lines
    assert not [line for line in lines if line.startswith(("evil", "EVIL"))]
