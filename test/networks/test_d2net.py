# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from drcn_ros.errors import ConfigurationError, ImageError
from drcn_ros.networks import plain_d2net
from drcn_ros.networks.d2net import PYRAMID, D2Net, D2NetConfig, D2NetKeypoints
from drcn_ros.networks.hard_detection import detect

_PREFIX = "dense_feature_extraction.model."


@pytest.fixture(scope="module")
def build(synthetic_state):
    """Gives a D2-Net with the weights of the reference numbers."""

    def make(**config: object) -> D2Net:
        network = D2Net(D2NetConfig(**config)).eval()
        names = {name: _PREFIX + name.removeprefix("trunk.") for name in network.state_dict()}
        shapes = {names[name]: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        state = synthetic_state("calib_d2", shapes)
        network.load_state_dict({name: state[names[name]] for name in names})
        return network

    return make


@pytest.fixture(scope="module", params=["as defined", "accelerated"])
def network(request: pytest.FixtureRequest, build) -> D2Net:
    return build() if request.param == "as defined" else build().accelerate()


@pytest.fixture(scope="module")
def images(golden_pixels):
    """Gives an input of the reference numbers as (1, C, H, W)."""

    def load(name: str) -> torch.Tensor:
        image = torch.from_numpy(golden_pixels(name)).float()
        return image[None, None] if image.ndim == 2 else image.permute(2, 0, 1)[None]

    return load


def assert_same_points(found: D2NetKeypoints, wanted: np.ndarray, scores: np.ndarray) -> None:
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found.points.flip(1), wanted[:, :2], atol=5e-3)
    np.testing.assert_array_equal(found.scales, wanted[:, 2])
    np.testing.assert_allclose(found.scores, scores, rtol=1e-4)


@pytest.mark.parametrize("name", ["nat", "rand"])
@torch.inference_mode()
def test_features_and_detections_are_those_of_the_reference(network, images, golden, name: str) -> None:
    reference = golden(f"d2_{name}")
    features = network(images(name))
    assert features.shape == tuple(reference["feat_shape"])
    largest = float(reference["feat_max"].max())
    np.testing.assert_allclose(features[0, ::16], reference["feat"], atol=2e-5 * largest)
    np.testing.assert_allclose(features[0].mean((1, 2)), reference["feat_mean"], atol=2e-5 * largest)
    detections = detect(features[0])
    cells = torch.stack([detections.channel, detections.row, detections.column], dim=1)
    np.testing.assert_array_equal(cells, reference["det"])
    steps = detections.subpixel_steps().numpy()
    inside = (np.abs(reference["det_disp"]) < 0.5).all(axis=0)
    np.testing.assert_allclose(steps[inside], reference["det_disp"].T[inside], atol=5e-3)


@pytest.mark.parametrize("name", ["nat", "rand"])
@pytest.mark.parametrize(("prefix", "scales"), [("", (1.0,)), ("ms_", PYRAMID)])
@torch.inference_mode()
def test_keypoints_are_those_of_the_reference(
    network, images, golden, name: str, prefix: str, scales: tuple[float, ...]
) -> None:
    reference = golden(f"d2_{name}")
    (found,) = network.keypoints(images(name), scales, authors_offset=True)
    assert_same_points(found, reference[prefix + "kp"], reference[prefix + "score"])
    described = found.descriptors[reference[prefix + "desc_rows"]]
    np.testing.assert_allclose(described, reference[prefix + "desc"], atol=2e-5)


@pytest.mark.parametrize(("prefix", "final_relu"), [("", True), ("norelu_", False)])
@torch.inference_mode()
def test_grey_images_with_and_without_the_final_relu(
    build, images, golden, prefix: str, final_relu: bool
) -> None:
    reference = golden("d2_gray")
    (found,) = build(final_relu=final_relu).keypoints(images("gray"), authors_offset=True)
    assert_same_points(found, reference[prefix + "kp"], reference[prefix + "score"])
    if final_relu:
        described = found.descriptors[reference["desc_rows"]]
        np.testing.assert_allclose(described, reference["desc"], atol=2e-5)


@pytest.mark.parametrize("kind", ["caffe", "torch"])
def test_preprocessing_is_that_of_the_reference(images, golden, kind: str) -> None:
    wanted = golden("d2_nat")[f"pre_{kind}"].squeeze()
    found = D2Net(D2NetConfig(preprocessing=kind)).preprocess(images("nat"))[0, :, ::7, ::7]
    np.testing.assert_allclose(found, wanted, atol=2e-5)


@torch.inference_mode()
def test_a_batch_of_two_equals_two_batches_of_one(network, images) -> None:
    first = images("nat")[:, :, :96, :112]
    second = images("rand")[:, :, :, :112]
    second = second[:, :, :96]
    both = network.keypoints(torch.cat([first, second]), PYRAMID)
    for together, alone in zip(both, (first, second), strict=True):
        (single,) = network.keypoints(alone, PYRAMID)
        assert_same_points(
            together,
            np.column_stack([single.points.flip(1).numpy(), single.scales.numpy()]),
            single.scores.numpy(),
        )
        torch.testing.assert_close(together.descriptors, single.descriptors, atol=2e-5, rtol=0)


@torch.inference_mode()
def test_filters_on_all_channels_give_the_same_points(network, images) -> None:
    plain = plain_d2net.keypoints(network, images("nat"))
    (found,) = network.keypoints(images("nat"))
    torch.testing.assert_close(found.points, plain.points, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.descriptors, plain.descriptors, atol=1e-6, rtol=0)


@torch.inference_mode()
def test_half_precision_keeps_nearly_all_points(build, images) -> None:
    exact, rounded = build(), build()
    # Many CPUs emulate half precision at a hundredth of the speed; rounding between layers is what counts.
    for parameter in rounded.parameters():
        parameter.copy_(parameter.half())
    for layer in rounded.trunk:
        layer.register_forward_hook(lambda _layer, _inputs, output: output.half().float())
    (wanted,), (found,) = exact.keypoints(images("nat")), rounded.keypoints(images("nat"))
    distance = torch.cdist(wanted.points, found.points)
    nearest = distance.min(dim=1)
    kept = nearest.values < 0.5
    assert kept.float().mean() > 0.99
    cosine = (wanted.descriptors * found.descriptors[nearest.indices]).sum(dim=1)[kept]
    assert cosine.min() > 0.9999


@torch.inference_mode()
def test_a_network_in_half_precision_detects_in_single(build, images) -> None:
    image = images("nat")[:, :, :32, :40]
    found, wanted = build().half()(image), build()(image)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, atol=2e-3 * float(wanted.max()), rtol=0)


@torch.inference_mode()
def test_points_are_centred_on_what_they_describe(build) -> None:
    """A network whose filters only average has its response where the light is."""
    network = build()
    for parameter in network.parameters():
        parameter.fill_(1 / (9 * parameter.shape[1]) if parameter.ndim == 4 else 0)
    y, x = np.mgrid[0:128, 0:160]
    spot = 1000 * np.exp(-((x - 81.3) ** 2 + (y - 57.6) ** 2) / 800)
    image = torch.from_numpy(spot).float()[None, None].expand(1, 3, -1, -1) + network.mean
    dense = network(image)[0, :1]
    (strongest,) = (dense == dense.max()).nonzero()
    detections = detect(dense)
    chosen = (detections.row == strongest[1]) & (detections.column == strongest[2])
    cell = strongest[1:] + detections.subpixel_steps()[chosen][0]
    corrected = network.keypoints(image)[0].points[0]
    np.testing.assert_allclose(corrected, 4 * cell.flip(0) + 3.5, atol=1e-3)
    np.testing.assert_allclose(corrected, (81.3, 57.6), atol=0.35)
    authors = network.keypoints(image, authors_offset=True)[0].points[0]
    np.testing.assert_allclose(corrected - authors, 2.0, atol=1e-3)


@torch.inference_mode()
def test_a_bound_keeps_the_strongest_in_order(build, images) -> None:
    network = build()
    (everything,) = network.keypoints(images("gray"), (0.5, 1.0))
    (bounded,) = network.keypoints(images("gray"), (0.5, 1.0), max_keypoints=100)
    strongest = everything.scores.topk(100).indices.sort().values
    torch.testing.assert_close(bounded.points, everything.points[strongest])


@torch.inference_mode()
def test_an_image_without_keypoints_gives_zero_rows(build) -> None:
    (found,) = build().keypoints(torch.full((1, 3, 40, 48), 0.0), PYRAMID)
    assert (found.points.shape[1], found.descriptors.shape[1]) == (2, 512)
    network = build()
    for parameter in network.parameters():
        parameter.zero_()
    (found,) = network.keypoints(torch.rand(1, 3, 40, 48), PYRAMID)
    assert (found.points.shape, found.scores.shape, found.descriptors.shape) == ((0, 2), (0,), (0, 512))


@torch.inference_mode()
def test_an_empty_batch_gives_an_empty_list(build) -> None:
    assert build().keypoints(torch.zeros(0, 3, 40, 48)) == []


@pytest.mark.parametrize("shape", [(1, 3, 7, 40), (1, 2, 40, 40), (3, 40, 40)])
def test_images_that_do_not_fit_are_refused_with_their_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"need|\d+"):
        D2Net()(torch.zeros(shape))


@torch.inference_mode()
def test_the_smallest_image_is_accepted(build) -> None:
    assert build()(torch.rand(1, 1, 8, 8)).shape == (1, 512, 1, 1)
    assert len(build().keypoints(torch.rand(1, 1, 8, 8), PYRAMID)) == 1


def test_pixels_that_are_not_finite_are_counted() -> None:
    image = torch.rand(1, 3, 32, 32)
    image[0, 0, 3, 4] = torch.nan
    with pytest.raises(ImageError, match="1 of 3072 pixels"):
        D2Net()(image)


def test_an_unknown_preprocessing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'imagenet' is unknown; known are caffe, torch"):
        D2Net(D2NetConfig(preprocessing="imagenet"))
