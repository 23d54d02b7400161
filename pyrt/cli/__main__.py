"""`python -m pyrt.cli`: the `pyrt` command where its script is not on the path."""

import sys

from pyrt.cli.main import main

sys.exit(main())
