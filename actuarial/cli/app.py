"""The command that opens the what-if page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from actuarial.cli.shared import common, help_text, print_json, say

if TYPE_CHECKING:
    from actuarial.plan import Plan


@click.command(help=help_text("app_help"))
@click.argument("plan", type=click.Path())
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5006, show_default=True, help=help_text("port_help")
)
@click.option(
    "--paths",
    type=click.IntRange(1, 10_000_000),
    default=100_000,
    show_default=True,
    help=help_text("paths_help"),
)
@click.option("--seed", type=click.IntRange(0), default=2012, show_default=True, help=help_text("seed_help"))
@click.option("--no-browser", is_flag=True, help=help_text("no_browser_help"))
@click.option(
    "--snapshot",
    type=click.Path(dir_okay=False),
    default=None,
    help=help_text("snapshot_help"),
    metavar="FILE",
)
@common
def app(
    plan: str,
    port: int,
    paths: int,
    seed: int,
    no_browser: bool,
    snapshot: str | None,
    lang: str | None,
    as_json: bool,
) -> None:
    """Serve the what-if page of a plan on this machine, or write its snapshot."""
    from importlib.util import find_spec

    from actuarial.errors import ActuarialError
    from actuarial.plan import load_plan

    loaded = load_plan(plan)
    if snapshot is not None:
        _write_snapshot(loaded, snapshot, paths, seed, as_json)
        return
    if find_spec("panel") is None:
        raise ActuarialError("cli.app_extra")
    from actuarial.app.serve import address, run, start

    server = start(loaded, port=port, lang=lang, paths=paths, seed=seed)
    if as_json:
        print_json({"address": address(server)})
    run(server, browser=not no_browser)


def _write_snapshot(plan: Plan, file: str, paths: int, seed: int, as_json: bool) -> None:
    from actuarial.app.session import Session
    from actuarial.app.snapshot import write_snapshot

    path = write_snapshot(Session(plan, paths=paths, seed=seed), file)
    if as_json:
        print_json({"snapshot": str(path)})
    else:
        click.echo(say("wrote", path=path))
