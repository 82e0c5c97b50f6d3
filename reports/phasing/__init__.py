"""The page on phasing: scores of trained networks on real crystals."""
