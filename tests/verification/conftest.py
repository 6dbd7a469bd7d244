"""Lets the verification tests and the script that draws their figures share two modules."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
