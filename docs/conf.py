"""Sphinx configuration: python -m sphinx -W --keep-going -b html docs docs/_build/html.

Nothing here, and nothing the pages run, needs the network.
"""

import atexit
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE / "_ext"), str(_HERE.parent)]  # the extensions, and this checkout
# the kernels that execute the tutorials: this checkout, one thread each
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_HERE.parent), os.environ.get("PYTHONPATH"))))
for _name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# a folder of their own for these kernels: they leave no history in the reader's home and do not say that
# their sockets, which are of this machine alone, are not encrypted
_ipython = Path(tempfile.mkdtemp(prefix="cyldiff-docs-"))
atexit.register(shutil.rmtree, _ipython, ignore_errors=True)
(_ipython / "profile_default").mkdir()
(_ipython / "profile_default" / "ipython_kernel_config.py").write_text(
    "c.IPKernelApp.log_level = 40\nc.HistoryManager.enabled = False\n", encoding="utf-8"
)
os.environ["IPYTHONDIR"] = str(_ipython)
logging.getLogger("traitlets").setLevel(logging.WARNING)  # "Executing notebook", of every page

project = "cyldiff"
author = "The cyldiff developers"
copyright = author
html_title = "cyldiff"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "docstrings",
    "mathml",
    "repository_files",
    "reference_pages",
]
# of the changelog fragments only the page that says what they are
exclude_patterns = ["_build", "_ext", "_static", "jupyter_execute", "changes/+*", "changes/[0-9]*"]

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 4

nb_execution_mode = "force"
nb_execution_timeout = 180
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
# said of every cell while execution is off, when the language is not known
suppress_warnings = ["myst-nb.lexer"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give type, shape and unit
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["cyldiff.css"]
html_copy_source = False
html_show_sphinx = False
