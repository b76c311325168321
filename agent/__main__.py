"""`python -m agent` is the `n2k` command."""

import sys

from agent.cli import main

sys.exit(main())
