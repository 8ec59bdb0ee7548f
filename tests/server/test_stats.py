"""Figures over HTTP."""

from __future__ import annotations

from imager.library import Library
from imager.server.schemas.stats import Stats
from tests.server.conftest import PICTURES, Client
from tests.server.seen import HIDDEN, again, everybody, hide, ids, problem, share_album, told


def test_everybody_sees_figures_and_owners_where_the_library_is(client: Client, library: Library) -> None:
    for member, one in everybody(client).items():
        figures = told(one.get("/api/v1/stats"), Stats)
        assert (figures["pictures"], figures["years"]) == (PICTURES, [{"value": "2021", "count": PICTURES}])
        assert figures["library"] == (str(library.folder) if member == "owner" else None)
        assert figures["failed"] == (0 if member == "owner" else None)


def test_a_hidden_picture_is_in_no_figure(client: Client, library: Library) -> None:
    secret, shared, *_ = ids(library)
    hide(library, secret, "ed")
    for member in ("owner", "vic"):
        answer = client(member).get("/api/v1/stats")
        assert HIDDEN not in answer.text
        figures = told(answer, Stats)
        assert (figures["pictures"], figures["located"], figures["captioned"]) == (PICTURES - 1, 0, PICTURES - 1)
        assert figures["first"].startswith("2021")
    share_album(library, shared, "stranger")
    figures = told(client("stranger").get("/api/v1/stats"), Stats)
    assert (figures["pictures"], figures["albums"], figures["library"]) == (1, 1, None)


def test_figures_are_not_counted_again_until_something_changes(client: Client, library: Library) -> None:
    vic = client("vic")
    first = vic.get("/api/v1/stats")
    assert again(vic, "/api/v1/stats", first).status_code == 304
    library.set(ids(library)[0], "favourite", True)
    assert again(vic, "/api/v1/stats", first).json()["favourites"] == 1


def test_nobody_sees_figures_without_signing_in(client: Client) -> None:
    problem(client(None).get("/api/v1/stats"), 401, "unauthenticated")
    problem(client("owner", scopes=("write",)).get("/api/v1/stats"), 403, "forbidden")
