"""Pages on densities from powder patterns: `powder_page` on scores, `prediction_page` on one crystal."""
