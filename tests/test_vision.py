"""The door to torchvision, both ways, with a stand-in torchvision in a fresh process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

COUNTED = """
import os
with open(os.environ["FAKE_LOG"], "a") as log:
    log.write("import\\n")
"""

LOADS = (
    COUNTED
    + """
import torch
library = torch.library.Library("torchvision", "DEF")  # what the extension does where it loads
library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
library.impl("nms", lambda dets, scores, iou_threshold: scores + 7, "CPU")
from torchvision import models
"""
)

DOES_NOT_LOAD = (
    COUNTED
    + """
import torch
from torchvision import half  # imported before it breaks, so half of the package stays behind

@torch.library.register_fake("torchvision::nms")  # raises where the operator is not declared, as torchvision's own import
def nms(dets, scores, iou_threshold):
    return scores

@torch.library.register_fake("torchvision::qnms")
def qnms(dets, scores, iou_threshold):
    return scores

from torchvision import models
"""
)

LIGHT = COUNTED + "from torchvision import models\n"

OTHER_FAILURE = COUNTED + 'raise RuntimeError("CUDA driver version is insufficient")\n'

STILL_FAILS = COUNTED + 'raise RuntimeError("operator torchvision::roi_align does not exist")\n'

ASK = """
import logging, sys
records = []
class Keep(logging.Handler):
    def emit(self, record):
        records.append((record.levelname, record.getMessage()))
logging.getLogger("udacisense").addHandler(Keep())
logging.getLogger("udacisense").setLevel(logging.DEBUG)
import udacisense, udacisense.vision as vision
assert "torch" not in sys.modules and "torchvision" not in sys.modules
"""


def ask(folder: Path, package: str, code: str) -> str:
    """Run `code` after ASK beside a stand-in torchvision whose `__init__` is `package`; its standard output."""
    fake = folder / "torchvision"
    fake.mkdir()
    (fake / "__init__.py").write_text(package)
    (fake / "models.py").write_text("NAME = 'the models'\n")
    (fake / "half.py").write_text("VALUE = 1\n")
    (folder / "log").touch()
    env = {"PYTHONPATH": f"{folder}:{PROJECT}", "FAKE_LOG": str(folder / "log"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ASK + textwrap.dedent(code)], capture_output=True, text=True, env=env, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def imports(folder: Path) -> int:
    return len((folder / "log").read_text().split())


def test_where_its_operators_load_nothing_is_done(tmp_path: Path) -> None:
    out = ask(
        tmp_path,
        LOADS,
        """
        module = vision.torchvision()
        assert vision.torchvision() is module
        import torch
        answer = torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
        print(module.models.NAME, answer.item(), vision._kept_alive, records)
        """,
    )
    assert out == "the models 7.0 [] []"
    assert imports(tmp_path) == 1


def test_where_they_do_not_it_imports_all_the_same_and_says_so_once(tmp_path: Path) -> None:
    out = ask(
        tmp_path,
        DOES_NOT_LOAD,
        """
        module = vision.torchvision()
        again = vision.torchvision()
        import torchvision
        assert again is module is torchvision is sys.modules["torchvision"]
        assert sys.modules["torchvision.half"] is module.half
        print(module.models.NAME, len(vision._kept_alive))
        for level, message in records:
            print(level, message)
        """,
    )
    first, *told = out.splitlines()
    assert first == "the models 1"
    assert len(told) == 1
    assert told[0].startswith("DEBUG torchvision's operator library did not load (operator torchvision::nms does not exist")
    assert imports(tmp_path) == 2


def test_the_stand_in_fails_without_the_door(tmp_path: Path) -> None:
    """What proves that the test above can fail."""
    out = ask(
        tmp_path,
        DOES_NOT_LOAD,
        """
        try:
            import torchvision
        except RuntimeError as exc:
            print(exc)
        """,
    )
    assert out == "operator torchvision::nms does not exist"


def test_two_threads_at_the_door_declare_the_operators_once(tmp_path: Path) -> None:
    out = ask(
        tmp_path,
        DOES_NOT_LOAD,
        """
        from concurrent.futures import ThreadPoolExecutor
        import torch
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: vision.torchvision(), range(8)))
        print(len({id(f) for f in found}), len(vision._kept_alive), len(records))
        """,
    )
    assert out == "1 1 1"


def test_the_door_itself_imports_no_torch(tmp_path: Path) -> None:
    out = ask(tmp_path, LIGHT, "vision.torchvision(); print('torch' in sys.modules)")
    assert out == "False"


@pytest.mark.parametrize(
    ("package", "message", "tries"),
    [(OTHER_FAILURE, "CUDA driver version is insufficient", 1), (STILL_FAILS, "torchvision::roi_align does not exist", 2)],
    ids=["another cause", "another operator"],
)
def test_another_failure_is_an_import_error_with_the_cause(tmp_path: Path, package: str, message: str, tries: int) -> None:
    out = ask(
        tmp_path,
        package,
        """
        try:
            vision.torchvision()
        except ImportError as exc:
            print(exc)
        """,
    )
    assert message in out
    assert out.endswith("Reinstall it to match torch.")
    assert imports(tmp_path) == tries


def test_the_installed_torchvision_gives_models_and_transforms() -> None:
    from udacisense.vision import torchvision

    module = torchvision()
    assert callable(module.models.mobilenet_v3_small)
    assert callable(module.transforms.Resize)


# --- torch's compiler ------------------------------------------------------------------------------------------------------

COMPILER = """
from torchvision import models
from torch._dynamo.utils import is_compile_supported
"""


def test_the_compiler_is_imported_when_it_is_called_and_not_before(tmp_path: Path) -> None:
    out = ask(
        tmp_path,
        COMPILER,
        """
        module = vision.torchvision()
        assert not [name for name in sys.modules if name.startswith("torch._dynamo")]
        answer = module.is_compile_supported("cpu")
        import torch._dynamo.utils as real
        import torch
        assert sys.modules["torch._dynamo.utils"] is real is torch._dynamo.utils
        print(answer == real.is_compile_supported("cpu"), type(real).__name__)
        """,
    )
    assert out == "True module"


def test_who_asks_for_more_of_the_compiler_meanwhile_gets_it(tmp_path: Path) -> None:
    out = ask(
        tmp_path,
        COMPILER + "from torch._dynamo.utils import istype\nimport torch._dynamo\n",
        """
        module = vision.torchvision()
        import torch._dynamo.utils as real
        print(module.istype is real.istype, sys.modules["torch._dynamo.utils"] is real, type(real).__name__)
        """,
    )
    assert out == "True True module"
