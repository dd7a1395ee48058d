"""Finding, reading and writing files: the only package that touches the bytes of pictures."""
