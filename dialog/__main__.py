"""`python -m dialog` is the command `instructrec`."""

import sys

from dialog.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
