"""Two examples for the help of each command, by its name; no line is longer than 80 columns."""

from __future__ import annotations

EXAMPLES: dict[str, str] = {
    "": """
  # Every stage of the pipeline of params.yaml for one corpus, one by one
  xtalpriors mine --corpus amcsd
  xtalpriors subset --corpus amcsd

  # Complete commands and options with the tab key
  xtalpriors --install-completion
""",
    "sync": """
  # Mirror the COD (109 GB), or bring the mirror up to date
  xtalpriors sync /data/cod/cif

  # See first how much would come for one part of it
  xtalpriors sync /data/cod/cif --range 2 --dry-run
""",
    "manifest": """
  # List a folder of CIFs with sizes, times and hashes
  xtalpriors manifest --source /data/cod/cif --output manifest.parquet

  # Hash every file again, after a disk has failed
  xtalpriors manifest --source /data/cod/cif --output manifest.parquet \\
      --verify
""",
    "mine": """
  # Read a folder of CIFs; the next time only what is new or has changed
  xtalpriors mine --source /data/cod/cif --database cod.duckdb

  # Minerals and an archive of CIFs together, with two processes
  xtalpriors mine --source amcsd --source mine.zip \\
      --database both.duckdb --workers 2
""",
    "subset": """
  # Crystals of space group no. 14 with lengths up to 10 Å
  xtalpriors subset --database cod.duckdb --name p21c-10 \\
      --output p21c-10.parquet

  # All subsets of params.yaml of one corpus
  xtalpriors subset --corpus amcsd
""",
    "fit": """
  # Priors of a subset, with 1000 bootstrap resamples for the intervals
  xtalpriors fit --subset p21c-10.parquet --output p21c-10.json

  # A small subset, pooled towards a larger one
  xtalpriors fit --subset p21c-20.parquet --parent all-50.parquet \\
      --output p21c-20.json --bootstrap 500
""",
    "molecules": """
  # Ten thousand molecules of at most 13 non-hydrogen atoms, about ten minutes
  xtalpriors molecules --count 10000 --output library

  # Those of a file of SMILES, packed in cells
  xtalpriors molecules --smiles mine.smi --output mine.parquet
  xtalpriors generate --bundle melgalvis-2026 --filling packed --count 1000 \\
      --set packed_library=mine.parquet --output made.parquet
""",
    "generate": """
  # A thousand structures into one file
  xtalpriors generate --bundle p21c-10.json --cell volume-lognormal \\
      --filling molecules --count 1000 --output made.parquet

  # Ten structures in another group, as CIFs
  xtalpriors generate --bundle melgalvis-2026 --space-group 'P -1' --count 10 \\
      --format cif --output made
""",
    "train": """
  # A small network on the priors of a bundle
  xtalpriors train --preset demonstrator --bundle p21c-10.json --output network

  # Go on with a run that was stopped
  xtalpriors train --preset demonstrator --bundle p21c-10.json \\
      --output network --resume
""",
    "evaluate": """
  # Score a network on real crystals
  xtalpriors evaluate --model network --subset p21c-10.parquet \\
      --output scores.parquet

  # On at most 500 different crystals of small cells
  xtalpriors evaluate --model network --subset p21c-10.parquet \\
      --volume 100 400 --structures 500 --one-per-cluster --output small.parquet
""",
    "predict": """
  # Phases and map of a CIF, by the network that is shipped
  xtalpriors predict crystal.cif --output phases.cif --map density.ccp4

  # By a network of your own, of a list h k l F² σ, which has no cell in it
  xtalpriors predict crystal.hkl --hkl hklf4 --space-group 'P 1 21/c 1' \\
      --cell '5.91 7.23 8.64 90 98.7 90' --model network --output phases.cif
""",
    "solve": """
  # A SHELX list with its .ins beside it
  xtalpriors solve crystal.hkl --output solution

  # A list alone: cell, radiation and elements are given
  xtalpriors solve crystal.hkl --cell '5.91 7.23 8.64 90 98.7 90' \\
      --formula 'C12 H10 N2 O2' --wavelength 0.71073 --output solution
""",
    "dual-space": """
  # Train on the paper's priors; the same command goes on after a stop
  xtalpriors dual-space --preset cpu --output network

  # On the priors of a bundle of your own, on the second GPU
  xtalpriors dual-space --preset cpu --bundle p21c-10.json \\
      --output network --device cuda:1
""",
    "powder": """
  # Train, score beside trivial answers, use
  xtalpriors powder train --preset smoke --output network
  xtalpriors powder evaluate --model network --crystals 20 --output scores
  xtalpriors powder predict halite.xy --wavelength 1.5406 --formula 'Na Cl' \\
      --model network --output halite
""",
    "powder train": """
  # A small network; the same command goes on after a stop
  xtalpriors powder train --preset smoke --output network

  # The network of the paper on a GPU, told less of the composition
  xtalpriors powder train --preset crystalnet-2024 --set formula=elements \\
      --device cuda --output network
""",
    "powder evaluate": """
  # On crystals that it was not trained on, and on those of a corpus
  xtalpriors powder evaluate --model network --database cod.duckdb \\
      --output scores

  # As the paper turns maps, with coarse maps of 50 crystals
  xtalpriors powder evaluate --model network --set periodic_rotations=false \\
      --crystals 50 --points 25 --output scores
""",
    "powder predict": """
  # A measured profile
  xtalpriors powder predict halite.xy --wavelength 1.5406 --formula 'Na Cl' \\
      --model network --output halite

  # A list of lines, calculated for Mo Kα
  xtalpriors powder predict lines.csv --wavelength 0.71073 \\
      --formula CaTiO3 --model network --output perovskite
""",
    "matrix": """
  # Nine strategies with three seeds each
  xtalpriors matrix --preset demonstrator --output matrix

  # Scored on real crystals too
  xtalpriors matrix --preset demonstrator --bundle p21c-10.json \\
      --test p21c-10.parquet --output matrix
""",
    "seed-study": """
  # A quick look: one group, one volume, four structures
  xtalpriors seed-study --space-group "P 21 21 21" --volume 1000 \\
      --d-min 1.0 --structures 4 --output seeding

  # Seeds from the network that comes with the package, and real crystals
  xtalpriors seed-study --space-group "P 1 21/c 1" --real my-cifs \\
      --network shipped --output from-network

  # Amplitudes as of a powder: three widths of overlap, noise of 5 %
  xtalpriors seed-study --overlap 0 --overlap 0.05 --overlap 0.1 \\
      --noise 0.05 --fraction 0.1 --bins 4 --output powder
""",
    "report": """
  # The page of a database and the priors fitted to it
  xtalpriors report --database cod.duckdb --bundle p21c-10.json --output report

  # With the scores of a network on the same crystals
  xtalpriors report --database cod.duckdb --bundle p21c-10.json \\
      --evaluation scores.parquet --output report
""",
    "summary": """
  # A folder of CIFs as a table, by space group
  xtalpriors summary my-cifs --by space-group

  # The same of an archive, and as a page
  xtalpriors summary export.zip --by class --output export.html
""",
    "priors": """
  # The values of the paper beside those of your own crystals
  xtalpriors priors show p21c-10.json
  xtalpriors priors compare melgalvis-2026 p21c-10.json
""",
    "priors show": """
  # Every prior with its parameters, intervals and goodness of fit
  xtalpriors priors show p21c-10.json

  # The volumes alone
  xtalpriors priors show p21c-10.json | grep -A 8 cell_volume
""",
    "priors validate": """
  # One bundle
  xtalpriors priors validate p21c-10.json

  # All bundles of a corpus; status 1 if one of them is not whole
  xtalpriors priors validate priors/fitted/amcsd/all-10.json \\
      priors/fitted/amcsd/all-50.json
""",
    "priors release": """
  # The bundles of a corpus of params.yaml as a version
  xtalpriors priors release 2026.11 --corpus cod --note 'COD revision 301234'

  # A bundle and the database of one's own
  xtalpriors priors release 1.0 --bundle all-50.json --database my.duckdb \\
      --output releases
""",
    "priors compare": """
  # What moved from last year's bundle to this year's
  xtalpriors priors compare before.json after.json

  # What moved in a bundle between two revisions of a git repository
  xtalpriors priors compare HEAD~1 HEAD priors/fitted/cod/all-50.json
""",
}
