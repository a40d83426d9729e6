"""The timed process with a fake format in place of the real ones: `python -m tests.fake_child`."""

from __future__ import annotations

from tests.fakes import fake_format
from udacisense import formats
from udacisense.benchmark.worker_process import main

if __name__ == "__main__":
    formats.FORMATS.clear()
    formats.FORMATS.update({name: fake_format(name) for name in ("torch", "fake")})
    main()
