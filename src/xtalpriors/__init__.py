"""Crystal databases in, generator priors out, artificial crystal structures and neural phasing on top.

The sub-packages are the pipeline, in the order the data flow: `crystal` (pure crystallography), `mining`
(CIFs to a table), `priors` (statistics to a JSON bundle), `generator` (a bundle to structures), `model`
(the phasing network) and `reports`.
"""

__version__ = "0.1.0"
