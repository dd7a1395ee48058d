"""A model of heads seen from any side, trained from the numbers of CenterFace: data, training, measurement."""
