import subprocess
import sys

import pytest

FAULTS_OF_A_FRESH_BLOCK = """
import resource
from udacisense.training.memory import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
def fill():
    return bytearray(b"1") * (64 << 20)
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep: bool) -> int:
    program = FAULTS_OF_A_FRESH_BLOCK.format(keep=keep)
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_a_block_that_was_freed_is_used_again_instead_of_mapped_anew():
    returned, kept = faults(keep=False), faults(keep=True)

    assert kept < returned / 10
