"""The face model rebuilt from the numbers of CenterFace: network, conversion, 8-bit integers."""
