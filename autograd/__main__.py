"""`python -m autograd` is the command `chalkgrad`."""

import sys

from .cli import main

sys.exit(main())
