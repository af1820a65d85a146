# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From an `Image` message to a mask of what counts in a camera's images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.conversion.images import image_from_message
from drcn_ros.errors import ImageError


def mask_from_message(message: Any) -> NDArray[np.uint8]:
    """Return a mask (H, W), 0 where pixels are left out.

    Raises:
        ImageError: the message is damaged or has another encoding than mono8.
    """
    if message.encoding not in ("mono8", "8UC1"):
        msg = f"encoding {message.encoding!r}: a mask is mono8, 0 where pixels are left out"
        raise ImageError(msg)
    return np.array(image_from_message(message), np.uint8)
