"""A licence-plate detector trained from random weights: data, rendering, training, evaluation, export."""
