"""Public sources of annotated pictures, prepared as packs to train on."""
