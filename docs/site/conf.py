"""Sphinx configuration of the documentation site; ``python docs/build_site.py`` prepares the pages and builds it.

Nothing on the pages is fetched from outside: formulas become MathML when the site is built.
"""

from __future__ import annotations

from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

import actuarial

lexers["csv"] = TextLexer()
project = "fund-actuarial"
author = copyright = "fund-actuarial"
version = release = actuarial.__version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_ipywidgets_js: dict[str, Any] = {}
suppress_warnings = ["mystnb.unknown_mime_type"]  # the what-if page in notebook 08 is for JupyterLab
html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"fund-actuarial {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
templates_path: list[str] = []
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
pygments_style = "friendly"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types with shapes and units
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
