"""How the blocks of a network are named."""

from __future__ import annotations

import re

BLOCK = re.compile(r"model\.(?:features|classifier)\.\d+")
"""A block by its path in the network, which is how the names of its weights begin."""
