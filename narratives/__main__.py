"""`python -m narratives` is the command `narratives`."""

import sys

from narratives.cli import main

if __name__ == "__main__":
    sys.exit(main())
