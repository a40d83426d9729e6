"""Foreign error messages made fit for one sentence of ours: one line, no trace, no full stop."""

from __future__ import annotations

import re

from udacisense.errors import UdaciSenseError

LONGEST = 200
_RAISED = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Warning|Interrupt): (?P<said>.+)")
"""The last line of a Python or TorchScript traceback."""
_NOISE = re.compile(
    r"^(Traceback\b|File \"|frame #|Exception raised from|\.\.\. <|~+|The following operation failed in the TorchScript|"
    r"During handling of|The above exception)"
)
_ADVICE = re.compile(r',? ?(at "[^"]*":\d+,? ?)?please (report|file) (this |a )*(bug|issue)[^.]*(\.|$)', re.IGNORECASE)
"""What the makers of a library want to be told is none of the reader's business; nor are the paths of their machines."""


def in_brief(said: object, longest: int = LONGEST) -> str:
    """The first meaningful line of a foreign error or text, without the full stop at its end, cut between two words.

    An error of ours is one sentence or a few already: it loses its last full stop only.
    Put it into a sentence that goes on: f"{path} cannot be read: {in_brief(exc)}. Copy it again."
    """
    if isinstance(said, UdaciSenseError):
        return str(said).rstrip(" .")
    text = said if isinstance(said, str) else text_of(said)
    line = " ".join(_ADVICE.sub(" ", _line(text)).split())
    if len(line) > longest:
        line = f"{line[:longest].rpartition(' ')[0] or line[:longest]} …"
    return line.rstrip(" .:;,") or (type(said).__name__ if not isinstance(said, str) else "it said nothing")


def text_of(said: object) -> str:
    """The words of a foreign error, whole."""
    if isinstance(said, OSError) and said.strerror:
        return f"{said.strerror} ({said.filename})" if said.filename else said.strerror
    if isinstance(said, KeyError):
        return f"there is no {said}"
    errors = getattr(said, "errors", None)
    if callable(errors):  # pydantic's list of mistakes, of which the first is told
        first = errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg'].removeprefix('Value error, ')}"
    return str(said)


def _line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any(line.startswith("Traceback") for line in lines):
        raised = [found["said"] for line in lines if (found := _RAISED.match(line))]
        if raised:
            return raised[-1]
    told = [line for line in lines if not _NOISE.match(line)]
    return " ".join(told[:2]) if told and told[0].endswith(":") else next(iter(told), "")


def sentences(*parts: object) -> str:
    """Parts joined by spaces, each with one mark at its end; empty ones are left out."""
    words = [str(part).strip() for part in parts]
    return " ".join(word if word.endswith((".", "!", "?", "…")) else f"{word}." for word in words if word)
