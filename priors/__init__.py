"""Statistics of a subset of crystal structures, as a versioned JSON bundle of priors.

`load_bundle` reads a bundle and `published_bundle` one of a publication; a `PriorBundle` holds a prior for
each statistic, which samples and says its density. `fit_subset` makes a bundle from a subset's files.
`show_bundle` prints one, `compare` says how far each prior moved between two, `comparison_text` prints
that, and `verdicts` says of each prior whether sampling explains it. `release_bundles` copies bundles to a
version of their own, and `find_bundle` reads one from a revision of a git repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.priors.bundle import PriorBundle as PriorBundle
    from xtalpriors.priors.bundle import load_bundle as load_bundle
    from xtalpriors.priors.bundle import published_bundle as published_bundle
    from xtalpriors.priors.bundle import save_bundle as save_bundle
    from xtalpriors.priors.fitting.fit import fit_subset as fit_subset
    from xtalpriors.priors.tell.compare import compare as compare
    from xtalpriors.priors.tell.compare_text import comparison_text as comparison_text
    from xtalpriors.priors.tell.release import Release as Release
    from xtalpriors.priors.tell.release import last_release as last_release
    from xtalpriors.priors.tell.release import release_bundles as release_bundles
    from xtalpriors.priors.tell.revision import bundle_of_revision as bundle_of_revision
    from xtalpriors.priors.tell.revision import find_bundle as find_bundle
    from xtalpriors.priors.tell.shared import overlap as overlap
    from xtalpriors.priors.tell.show import show_bundle as show_bundle
    from xtalpriors.priors.tell.verdict import verdicts as verdicts

__getattr__, __all__ = offer(
    __name__,
    {
        "bundle": ["PriorBundle", "load_bundle", "published_bundle", "save_bundle"],
        "fitting.fit": ["fit_subset"],
        "tell.compare": ["compare"],
        "tell.compare_text": ["comparison_text"],
        "tell.release": ["Release", "last_release", "release_bundles"],
        "tell.revision": ["bundle_of_revision", "find_bundle"],
        "tell.shared": ["overlap"],
        "tell.show": ["show_bundle"],
        "tell.verdict": ["verdicts"],
    },
)
