"""Makes what was found unrecognisable: one mask for the picture, one file per method that fills it."""
