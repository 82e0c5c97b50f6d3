"""Crystal databases in, generator priors out, artificial crystal structures and neural phasing on top.

The sub-packages are the pipeline, in the order the data flow: `crystal` (pure crystallography), `mining`
(CIFs to a table), `priors` (statistics to a JSON bundle), `generator` (a bundle to structures), `model`
(the phasing network) and `reports`; `cli` is the command line over them.

Beside them stands what all of them use: `errors`, `params` (`params.yaml`), `paths` (where the pipeline
keeps what), `frozen_model` (the base of every configuration), `arrays` (names of dtypes), `compilation` (of
kernels), `atomic_write`, `write_tables` (Parquet and CSV), `canonical_json`, `interrupts` (Ctrl-C),
`progress`, `provenance` (commit and versions) and `lazy` (imports on first use).
"""

__version__ = "0.1.0"
