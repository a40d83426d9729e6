"""What a format says of the code that app developers get with its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Place = str
"""A file of the package, and of the templates that it is made from: "android/OnnxClassifier.kt"."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Code for one platform."""

    name: str  # for people
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class AppCode:
    """Templates of an app developer's package: the format's own in `app_code/` of its folder, shared ones in `packaging`."""

    home: str  # the Python package whose folder has them: "udacisense.formats.fmt_onnx"
    runtime: str  # the distribution that the self-test runs with: "onnxruntime"
    platforms: tuple[Platform, ...]
    load: Place = "load.py"  # the self-test's function that loads the file
    values: Mapping[str, str] = field(default_factory=dict)  # what the templates speak of beside what they all know


def android(classifier: Place) -> Platform:
    """Android, with the resize and the self-test that every runtime's code calls."""
    return Platform("Android", ("android/Picture.kt", "android/SelfTest.kt", classifier))


def ios(classifier: Place) -> Platform:
    """iOS, with the resize and the self-test that every runtime's code calls."""
    return Platform("iOS", ("ios/Picture.swift", "ios/SelfTest.swift", classifier))
