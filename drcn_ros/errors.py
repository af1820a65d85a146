# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Errors whose text is written for the person who reads it: the offending value, then the remedy."""


class DrcnError(Exception):
    """Base of all errors that a user can cause; command lines print its text as one line."""


class ConfigurationError(DrcnError):
    """A parameter has an unknown name, a wrong type or a value outside its range."""


class WeightsError(DrcnError):
    """A weight file is missing, damaged, or made for another architecture."""


class ImageError(DrcnError):
    """An image has an unusable shape, type or encoding."""


class OutOfMemoryError(DrcnError, MemoryError):
    """What was asked for takes more memory than is free."""


class InputError(DrcnError):
    """A bag, data set or file cannot be read as what it is said to be."""


class MissingDependencyError(DrcnError):
    """An optional package is needed for what was asked and is not installed."""
