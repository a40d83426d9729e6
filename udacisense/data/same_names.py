"""Class names that mean another one: what is suggested to a person, who alone decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from shlex import quote

_GROUPS = (
    ("couch", "sofa", "settee", "loveseat", "studio couch", "day bed"),
    ("telephone", "phone", "cell phone", "cellphone", "cellular telephone", "mobile phone", "smartphone", "dial telephone"),
    ("television", "tv", "telly", "tv set", "television set", "tv monitor", "monitor", "television system"),
    ("wardrobe", "closet", "armoire"),
    ("table", "desk", "dining table", "coffee table"),
    ("lamp", "table lamp", "desk lamp", "floor lamp"),
    ("clock", "wall clock", "alarm clock", "analog clock", "digital clock"),
    ("keyboard", "computer keyboard", "keypad"),
    ("bed", "bunk bed", "double bed", "single bed"),
    ("chair", "armchair", "folding chair", "rocking chair", "office chair"),
)
"""Words for one kind of thing, as data sets and people use them."""

_MEANING = {word: group[0] for group in _GROUPS for word in group}


def suggestions(names: Iterable[str], classes: Sequence[str]) -> dict[str, str]:
    """For each name that is none of the classes, the class that it may mean; none where nothing, or two, would fit."""
    meant: dict[str, set[str]] = {}
    for name in classes:
        for sense in _senses(name):
            meant.setdefault(sense, set()).add(name)
    found: dict[str, str] = {}
    for name in names:
        fits = set().union(*(meant.get(sense, set()) for sense in _senses(name)))
        if name not in classes and len(fits) == 1:
            found[name] = fits.pop()
    return found


def _senses(name: str) -> set[str]:
    """What a class may be called: each of the words that a comma parts, in one spelling, without its plural, and its kind."""
    words = {" ".join(part.casefold().replace("_", " ").replace("-", " ").split()) for part in (name, *name.split(","))}
    words |= {word.removesuffix(end) for word in words for end in ("s", "es") if word.endswith(end)}
    return words | {_MEANING[word] for word in words if word in _MEANING}


def how_to_confirm(maybe: Mapping[str, str]) -> str:
    """The way by which a person says that names mean classes."""
    options = " ".join(f"--same {quote(f'{name}={meant}')}" for name, meant in sorted(maybe.items()))
    return f"Confirm what is right: on the Dataset page, or by the options {options} of data."


def not_confirmed(maybe: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """A sentence for each name whose images are not read although it may mean a class."""
    return tuple(
        f"{name} may mean {meant}, and its images are not read. {how_to_confirm({name: meant})}" for name, meant in maybe
    )


def confirmed(same: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """A sentence for each name that is read as a class because a person said so."""
    return tuple(f"{name} is read as {meant}, as a person confirmed." for name, meant in same)
