"""The command that serves a library. The server itself is imported only by it."""

from __future__ import annotations

import json as codec
import sys
from pathlib import Path
from typing import Annotated

import typer

from imager.cli import output
from imager.cli.common import open_library
from imager.cli.main import app


@app.command()
def serve(
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", envvar="IMAGER_HOST", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, envvar="IMAGER_PORT", help="Port to listen on; 0: any.")
    ] = 8643,
    base_path: Annotated[
        str, typer.Option("--base-path", metavar="PATH", envvar="IMAGER_BASE_PATH", help="Serve below this path.")
    ] = "",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            envvar="IMAGER_ALLOW_HOST",
            help="A name under which the server is reached; may be given several times.",
        ),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy",
            metavar="ADDRESS",
            envvar="IMAGER_PROXY",
            help="A reverse proxy (or a network of them) whose X-Forwarded headers are believed.",
        ),
    ] = None,
    certificate: Annotated[
        str | None, typer.Option("--certificate", metavar="FILE", help="Serve over TLS with this certificate (PEM).")
    ] = None,
    private_key: Annotated[
        str | None, typer.Option("--private-key", metavar="FILE", help="The certificate's key, if not in its file.")
    ] = None,
    inbox: Annotated[
        str | None,
        typer.Option(
            "--inbox",
            metavar="FOLDER",
            envvar="IMAGER_INBOX",
            help="Where uploaded pictures come to lie; by default a folder beside the library: 'library inbox'.",
        ),
    ] = None,
    inbox_template: Annotated[
        str,
        typer.Option(
            "--inbox-template",
            metavar="PATTERN",
            envvar="IMAGER_INBOX_TEMPLATE",
            help="Folders and name in it, of {year}, {month}, {day}, {member} and, at the end, {name}.",
        ),
    ] = "{year}/{month}/{name}",
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", envvar="IMAGER_WATCH", help="Follow all folders that were added.")
    ] = False,
    trash_days: Annotated[
        int,
        typer.Option(
            "--trash-days",
            metavar="DAYS",
            min=0,
            max=36_500,
            envvar="IMAGER_TRASH_DAYS",
            help="Erase from the library (never files) what was in the trash for so long; 0: nothing.",
        ),
    ] = 30,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the library in the browser, where there is one.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line for programs.")] = False,
) -> None:
    """Serve the library to browsers and programs, until Ctrl-C.

    On this computer alone, nobody needs an account: a link that works once lets you in. For others
    (--host 0.0.0.0, or a proxy), an owner needs a password first: 'imager members password owner'.
    """
    from imager.server import running
    from imager.server.settings import Settings, base_of, networks
    from imager.server.uploads.inbox import chosen

    with open_library(create=True) as library:
        folder = library.folder
    settings = Settings(
        library=folder,
        host=host,
        port=port,
        base_path=base_of(base_path),
        hosts=frozenset(name for said in allow_host or () for name in said.replace(",", " ").split()),
        proxies=networks(" ".join(proxy or ()).replace(",", " ").split()),
        certificate=certificate,
        private_key=private_key,
        inbox=None if inbox is None else Path(inbox),
        inbox_template=inbox_template,
        watch=watch,
        trash_days=trash_days,
    )
    chosen(folder, settings.inbox, inbox_template)  # wrong ones are told at once
    running.run(settings, told=_as_line if json else _tell, open_browser=open_browser)


def _tell(address: str, link: str | None) -> None:
    output.out.print(f"Serving {address}", markup=False)
    if link is not None:
        output.out.print(f"Open it with this link, which works once, within ten minutes:\n  {link}", markup=False)
    output.out.print("[dim]Ctrl-C ends it.[/]")
    sys.stdout.flush()


def _as_line(address: str, link: str | None) -> None:
    sys.stdout.write(codec.dumps({"event": "serving", "address": address, "link": link}) + "\n")
    sys.stdout.flush()
