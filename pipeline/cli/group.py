"""How commands are found, and how they fail."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class Manex(TyperGroup):
    """Commands whose expected failures end with one clear line."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command; for a mistyped one, suggest the nearest name."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from pipeline.errors import suggestion

            ctx.fail(f'command "{args[0]}" is unknown{suggestion(args[0], self.list_commands(ctx))}')
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("manex: interrupted; nothing half-written", err=True)
            raise typer.Exit(130) from None
        except Exception as error:
            message = _message(error)
            if not message:
                raise
            for line in message.splitlines():
                typer.echo(f"manex: {line}", err=True)
            raise typer.Exit(1) from None


def _message(error: Exception) -> str:
    """The message for an error that the user or the machine's owner can fix; "" for a bug."""
    from manex.errors import ManexError
    from pipeline.errors import refusal

    return str(error) or type(error).__name__ if isinstance(error, ManexError) else refusal(error)
