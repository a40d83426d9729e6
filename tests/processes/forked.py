"""What a fork server runs in tests: tells what it was given, or ends in a given way."""

import os
import sys

if sys.argv[1] == "end":
    how = sys.argv[2]
    if how == "kill":
        os.kill(os.getpid(), 9)
    if how == "raise":
        raise ValueError(how)
    sys.exit(int(how) if how.isdigit() else how)
elif sys.argv[1] == "imported":
    print(sys.argv[2] in sys.modules)
else:
    print(sys.argv[1:], os.environ["GIVEN"], __name__ == "__main__", os.getuid())
