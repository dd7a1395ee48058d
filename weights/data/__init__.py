"""Public sources of annotated pictures, prepared as packs to train on, and wheels that hold models of others."""
