"""One builder for each class, in the order of the classifier's classes."""

from collections.abc import Callable

from household.draw import Draw
from household.subject import Subject
from household.subjects.bed import bed
from household.subjects.chair import chair
from household.subjects.clock import clock
from household.subjects.couch import couch
from household.subjects.keyboard import keyboard
from household.subjects.lamp import lamp
from household.subjects.table import table
from household.subjects.telephone import telephone
from household.subjects.television import television
from household.subjects.wardrobe import wardrobe

SUBJECTS: dict[str, Callable[[Draw], Subject]] = {
    "clock": clock,
    "keyboard": keyboard,
    "lamp": lamp,
    "telephone": telephone,
    "television": television,
    "bed": bed,
    "chair": chair,
    "couch": couch,
    "table": table,
    "wardrobe": wardrobe,
}
