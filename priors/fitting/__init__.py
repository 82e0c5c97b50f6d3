"""From a subset to a bundle: the estimators, their bootstrap, and one fit for each prior."""
