"""Commands for who may use the library over the network: members and API keys."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, cast

import click
import typer

from imager.cli import output
from imager.cli.common import Json, open_library
from imager.cli.main import app
from imager.errors import UsageError

members = typer.Typer(
    invoke_without_command=True,
    help="Who may use the library over the network; its commands make accounts and give roles and passwords.",
)
app.add_typer(members, name="members")
keys = typer.Typer(
    invoke_without_command=True, help="API keys, with which programs come in; its commands make and revoke them."
)
app.add_typer(keys, name="keys")

Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The name under which they sign in.")]
RoleName = Literal["viewer", "editor", "owner"]
_SCOPES = ("read", "write", "upload", "share", "manage")
_DAY = 86_400_000


@members.callback()
def list_members(context: typer.Context, json: Json = False) -> None:
    """Who may use the library over the network; its commands make accounts and give roles and passwords."""
    if context.invoked_subcommand is not None:
        return
    from imager.server.auth import accounts

    with open_library() as library:
        found = accounts.all_accounts(library.catalog)
    if json:
        output.as_json({"members": [_as_json(account) for account in found]})
        return
    if not found:
        output.out.print("There are no members yet. 'imager members password owner' makes the first.")
    output.table((a.member, f"{output.safe(a.name)}  [dim]{', '.join(_notes(a))}[/]") for a in found)


@members.command()
def add(
    member: Member,
    role: Annotated[RoleName | None, typer.Option("--role", help="On the whole library; without: none.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What people call them.")] = None,
    json: Json = False,
) -> None:
    """Make an account. 'imager members password' or 'imager members link' lets them in."""
    from imager.server.auth import accounts

    with open_library() as library:
        made = accounts.create(library.catalog, member, name=name, role=role)
    _answer(json, _as_json(made), f"Made {made.member}. 'imager members link {made.member}' lets them in.")


@members.command()
def role(
    member: Member,
    role: Annotated[Literal["viewer", "editor", "owner", "none"], typer.Argument(help="On the whole library.")],
    json: Json = False,
) -> None:
    """Give a member a role on the library, or take it away."""
    from imager.server.auth import accounts

    with open_library() as library:
        accounts.set_role(library.catalog, member, None if role == "none" else role)
        known = accounts.account(library.catalog, member)
    _answer(json, _as_json(known), f"{member}: {', '.join(_notes(known))}")


@members.command()
def password(member: Member, json: Json = False) -> None:
    """Set a member's password, asked for at the terminal or read from standard input; their sessions end.

    Makes the account of the owner where there is none yet.
    """
    from imager.catalog import OWNER
    from imager.server.auth import accounts, passwords

    with open_library(create=True) as library:
        if member == OWNER:
            accounts.ensure_owner(library.catalog)
        accounts.account(library.catalog, member)
        encoded = passwords.hashed(passwords.checked(_asked_for(), member))
        accounts.set_password(library.catalog, member, encoded)
        known = accounts.account(library.catalog, member)
    _answer(json, _as_json(known), f"{member} signs in with that password from now on; their sessions have ended.")


@members.command()
def disable(
    member: Member,
    enable: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    json: Json = False,
) -> None:
    """Let a member in no more: their sessions end, their API keys open nothing. What they did stays."""
    from imager.server.auth import accounts

    with open_library() as library:
        accounts.set_disabled(library.catalog, member, not enable)
        known = accounts.account(library.catalog, member)
    _answer(json, _as_json(known), f"{member} is {'let in again' if enable else 'let in no more'}.")


@members.command()
def link(member: Member, json: Json = False) -> None:
    """A link that signs a member in, once and within ten minutes: for who is new, or forgot the password."""
    from imager.server.auth import accounts, sessions

    with open_library() as library:
        if accounts.account(library.catalog, member).disabled:
            raise UsageError(f"{member} is disabled. 'imager members disable --undo {member}' changes that.")
        path = f"/open?token={sessions.offer(library.catalog, member)}"
    _answer(json, {"member": member, "path": path}, f"Behind the address of the server: {path}")


@keys.callback()
def list_keys(
    context: typer.Context,
    member: Annotated[str, typer.Option("--member", help="Whose.")] = "owner",
    json: Json = False,
) -> None:
    """API keys, with which programs come in; its commands make and revoke them."""
    if context.invoked_subcommand is not None:
        return
    from imager.server.auth import keys

    with open_library() as library:
        found = keys.of_member(library.catalog, member)
    if json:
        output.as_json({"keys": [_key(key) for key in found]})
        return
    if not found:
        output.out.print(f"{output.safe(member)} has no API keys. 'imager keys add NAME' makes one.")
    output.table((key.id, f"{output.safe(key.name)}  [dim]{', '.join(key.scopes)}[/]") for key in found)


@keys.command(name="add")
def add_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    scope: Annotated[
        list[str],
        typer.Option("--scope", click_type=click.Choice(_SCOPES), help="What it may do; give it several times."),
    ],
    member: Annotated[str, typer.Option("--member", help="On whose behalf; it never may more than they.")] = "owner",
    days: Annotated[int | None, typer.Option("--days", min=1, max=36_500, help="How long; without: always.")] = None,
    json: Json = False,
) -> None:
    """Make an API key, and tell it this once."""
    from imager.catalog import OWNER
    from imager.server.auth import accounts, keys

    with open_library() as library:
        if member == OWNER:
            accounts.ensure_owner(library.catalog)
        accounts.account(library.catalog, member)
        expires = None if days is None else library.catalog.now() + days * _DAY
        secret, key = keys.create(library.catalog, member, name=name, scopes=cast(Any, scope), expires=expires)
    _answer(json, _key(key) | {"key": secret}, f"{secret}\nKeep it safe: it is not told again.")


@keys.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as 'imager keys' shows it.")],
    member: Annotated[str, typer.Option("--member", help="Whose it is.")] = "owner",
    json: Json = False,
) -> None:
    """Revoke an API key: it opens nothing any more."""
    from imager.server.auth import keys

    with open_library() as library:
        keys.revoke(library.catalog, member, key)
    _answer(json, {"revoked": key}, f"Revoked {key}.")


def _asked_for() -> str:
    """A password, never from the command line, where all users of the computer could read it."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    first = getpass.getpass("Password: ")
    if first != getpass.getpass("The same again: "):
        raise UsageError("Those were two different passwords.")
    return first


def _answer(json: bool, document: dict[str, Any], text: str) -> None:
    if json:
        output.as_json(document)
    else:
        output.out.print(text, markup=False)


def _as_json(account: Any) -> dict[str, Any]:
    return {
        "member": account.member,
        "name": account.name,
        "role": account.role,
        "password": account.password,
        "disabled": account.disabled,
    }


def _notes(account: Any) -> list[str]:
    found = [account.role or "no role"]
    if not account.password:
        found.append("no password")
    return [*found, "disabled"] if account.disabled else found


def _key(key: Any) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created": key.created,
        "expires": key.expires,
        "seen": key.seen,
    }
