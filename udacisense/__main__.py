"""`python -m udacisense VERB`."""

from udacisense.cli.main import main
from udacisense.processes.limits import die_with_parent

if __name__ == "__main__":
    die_with_parent()  # of a job that is watched
    main()
