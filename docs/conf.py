"""Sphinx configuration: MyST pages, built with warnings as errors."""

project = "xtalpriors"
author = "The xtalpriors developers"
copyright = "2026, the xtalpriors developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "xtalpriors"
exclude_patterns = ["_build"]
autodoc_typehints = "description"
napoleon_numpy_docstring = True
