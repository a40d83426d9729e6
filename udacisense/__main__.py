"""`python -m udacisense VERB`."""

from udacisense.cli.app import main

if __name__ == "__main__":
    main()
