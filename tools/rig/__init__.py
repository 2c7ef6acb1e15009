# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Starts and stops a whole room of real programs on free loopback ports."""
