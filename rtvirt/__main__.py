"""`rtvirt` on the command line: lab, simulate, admit, classify, check, diff, fit, export, doctor, warmup, refresh, slides."""

from __future__ import annotations

import sys

import click

from .errors import RtvirtError


class Commands(click.Group):
    """Errors that the user can mend are one line, without a traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except RtvirtError as error:
            raise click.ClickException(str(error)) from None

    def list_commands(self, context: click.Context) -> list[str]:
        """Names, in the order in which people need them."""
        return ["lab", "simulate", "admit", "classify", "check", "diff", "fit", "export", "doctor", "warmup", "refresh", "slides"]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command when it is called."""
        from importlib import import_module

        if name not in self.list_commands(context):
            return None
        return getattr(import_module(f".cli.{name}", "rtvirt"), name)


@click.group(cls=Commands, help="Virtualizing real-time embedded systems: simulate hypervisor scheduling, and the course around it.")
@click.version_option(package_name=None, version="0.1.0", prog_name="rtvirt")
def main() -> None:
    """Entry point."""


if __name__ == "__main__":
    sys.exit(main(prog_name="rtvirt"))
