"""`python -m pyrt.cli`: the `pyrt` command where its script is not on the path."""

import sys

from pyrt.cli.entry import main

sys.exit(main())
