"""The command line, `catalog …`: one module per group of commands, loaded only when asked for."""

from importlib import import_module

import click

# Command name to the module that holds it as `command`: importing only what is called keeps each start short.
_COMMANDS = {
    "init": "setup",
    "db": "db",
    "demo": "demo",
    "export": "export",
    "import": "import_",
    "index": "index",
    "outbox": "outbox",
    "search": "search",
    "serve": "serve",
    "user": "user",
    "worker": "worker",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(f"catalog.cli.{module}").command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loesungskatalog")
def main() -> None:
    """Lösungskatalog: run, fill, search and look after the catalog."""
