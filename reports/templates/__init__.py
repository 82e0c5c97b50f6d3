"""Words and HTML of the reports, as jinja2 templates.

`base.html` is what both pages share, `report.html` and `phasing.html` are the pages, `section.html` a section
with its figures. The other files hold macros, one file a section, that `words` and `markup` of `html.py`
call.
"""
