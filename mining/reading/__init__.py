"""From the bytes of a CIF to tokens: where in the file each wanted value stands."""
