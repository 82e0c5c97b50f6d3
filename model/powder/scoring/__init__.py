"""Scores of density maps, as published and as summaries; methods are scored on the same crystals."""
