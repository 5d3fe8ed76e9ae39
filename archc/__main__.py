"""`python -m archc` is the command `archc`."""

import sys

from archc.cli.main import main

sys.exit(main())
