"""The command that opens the what-if page."""

from __future__ import annotations

import click

from actuarial.cli.shared import common, help_text, print_json


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
@common
def app(
    plan: str, port: int, paths: int, seed: int, no_browser: bool, lang: str | None, as_json: bool
) -> None:
    """Serve the what-if page of a plan on this machine."""
    from importlib.util import find_spec

    from actuarial.errors import ActuarialError
    from actuarial.plan import load_plan

    if find_spec("panel") is None:
        raise ActuarialError("cli.app_extra")
    loaded = load_plan(plan)
    from actuarial.app.serve import address, run, start

    server = start(loaded, port=port, lang=lang, paths=paths, seed=seed)
    if as_json:
        print_json({"address": address(server)})
    run(server, browser=not no_browser)
