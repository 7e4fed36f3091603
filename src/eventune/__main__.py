"""`python -m eventune`."""

import sys

from eventune.cli import main

sys.exit(main())
