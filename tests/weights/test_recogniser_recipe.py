"""The recipe of the recogniser: the network that it fills."""

import pytest

pytestmark = pytest.mark.slow  # it imports TensorFlow


def test_each_convolution_has_an_activation() -> None:
    from anonymizer.audit.sface import CHANNELS_AND_STRIDES, LENGTH
    from weights.recogniser.network import activations, build_network, convolutions

    network = build_network()
    layers = convolutions(network)
    assert len(layers) == len(activations(network)) == 1 + 2 * len(CHANNELS_AND_STRIDES)
    assert [layer.filters for layer in layers[2::2]] == [channels for channels, _ in CHANNELS_AND_STRIDES]
    assert network.output_shape == (None, LENGTH)
