"""The page on phasing (`phasing_page`): its evaluations (`data`), tables (`score_tables`) and `training`."""
