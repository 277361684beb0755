"""`python -m processor` is `clickstream`."""

import sys

from processor.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
