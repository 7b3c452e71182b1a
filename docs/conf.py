# SPDX-License-Identifier: BSD-3-Clause
"""Sphinx settings; build with `python -P -m sphinx -W docs build/docs` and the extra `docs`."""

import logreg_c

project = "logreg_c"
copyright = "the logreg_c developers"  # noqa: A001 (Sphinx's name for it)
release = version = logreg_c.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx-mathjax-offline",
    "sphinx_copybutton",
]
exclude_patterns = ["figures"]

myst_enable_extensions = ["dollarmath", "attrs_inline", "attrs_block"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings give the types
numpydoc_show_class_members = False

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "logreg_c"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
