"""The errors that the user can fix: one clear line, no traceback."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches

from manex.errors import ManexError


class UserError(ManexError):
    """Something the user can fix; the message says what was wrong, where, and what to do."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` where a known name is close, else the list of known names."""
    known = sorted(known)
    close = get_close_matches(name[:80], known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known: {', '.join(known) or 'none'}"


REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE)
NO_MEMORY = ("allocate memory", "not enough memory", "out of memory", "Storage size calculation overflowed")


def refusal(error: Exception) -> str:
    """The message if the machine is at fault: no memory, no room, no permission; "" if it may be the program."""
    first = (str(error).splitlines() or [""])[0]
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(word in first for word in NO_MEMORY)):
        return f"not enough memory ({first or 'refused'}); ask for less in params.yaml: batch, frames, widths, size"
    if isinstance(error, OSError) and error.errno in REFUSALS:
        return f"{error.filename or 'a file'}: {error.strerror}"
    return ""
