"""`python -m longra` is the `longra` command."""

import sys

from longra.cli import main

sys.exit(main())
