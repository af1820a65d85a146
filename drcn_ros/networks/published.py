# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Weights that others have published and that this project's networks load."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.errors import WeightsError

_D2NET = "https://dusmanu.com/files/d2-net/"
_D2NET_LICENCE = "the authors' repository is under Clear BSD and says nothing of the weights in particular"
_IMAGENET_LICENCE = "torchvision is under BSD-3-Clause; ImageNet's terms allow research and teaching only"


@dataclass(frozen=True)
class PublishedWeights:
    """Where a published weight file is, and what is known of it.

    Attributes:
        name: what `drcn weights download` calls it.
        network: architecture that it is for.
        about: one line for people.
        licence: what its authors state.
        page: where its authors describe it.
        file_name: name that it is stored under.
        url: address of the file itself; empty where it can only be fetched with a browser.
        sha256_start: first hexadecimal digits of its checksum, where its authors give them.
    """

    name: str
    network: str
    about: str
    licence: str
    page: str
    file_name: str
    url: str = ""
    sha256_start: str = ""


PUBLISHED = (
    PublishedWeights(
        name="d2_tf",
        network="d2net",
        about="D2-Net, trained on MegaDepth",
        licence=_D2NET_LICENCE,
        page="https://github.com/mihaidusmanu/d2-net",
        file_name="d2_tf.pth",
        url=_D2NET + "d2_tf.pth",
    ),
    PublishedWeights(
        name="d2_tf_no_phototourism",
        network="d2net",
        about="D2-Net, trained on MegaDepth without the scenes of the PhotoTourism benchmark",
        licence=_D2NET_LICENCE,
        page="https://github.com/mihaidusmanu/d2-net",
        file_name="d2_tf_no_phototourism.pth",
        url=_D2NET + "d2_tf_no_phototourism.pth",
    ),
    PublishedWeights(
        name="d2_ots",
        network="d2net",
        about="D2-Net before training: VGG16 of the Caffe framework",
        licence=_D2NET_LICENCE,
        page="https://github.com/mihaidusmanu/d2-net",
        file_name="d2_ots.pth",
        url=_D2NET + "d2_ots.pth",
    ),
    PublishedWeights(
        name="dualrc-net",
        network="drcn",
        about="DRCN (DualRC-Net), trained on MegaDepth",
        licence="the authors' repository is under BSD-3-Clause and says nothing of the weights in particular",
        page="https://drive.google.com/drive/folders/1_Ha3xY_1u9Wpb7oV8rEr0Jy8mL3HGnp9",
        file_name="dualrc-net.pth.tar",
    ),
    PublishedWeights(
        name="vgg16",
        network="d2net",
        about="VGG16 of torchvision, trained on ImageNet: D2-Net's start",
        licence=_IMAGENET_LICENCE,
        page="https://pytorch.org/vision/stable/models/vgg.html",
        file_name="vgg16-397923af.pth",
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        sha256_start="397923af",
    ),
    PublishedWeights(
        name="resnet101",
        network="drcn",
        about="ResNet-101 of torchvision, trained on ImageNet: the start of DRCN's backbone",
        licence=_IMAGENET_LICENCE,
        page="https://pytorch.org/vision/stable/models/resnet.html",
        file_name="resnet101-63fe2227.pth",
        url="https://download.pytorch.org/models/resnet101-63fe2227.pth",
        sha256_start="63fe2227",
    ),
)


def find_published(name: str) -> PublishedWeights:
    """Return the published weights of a name.

    Raises:
        WeightsError: none has that name.
    """
    for weights in PUBLISHED:
        if weights.name == name:
            return weights
    msg = f"published weights {name!r} are unknown; known are {', '.join(entry.name for entry in PUBLISHED)}"
    raise WeightsError(msg)
