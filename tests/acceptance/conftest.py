"""Lets the tests of the pages share their modules."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
