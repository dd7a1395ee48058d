"""The only room that touches the bytes of pictures: finding, reading and writing files."""
