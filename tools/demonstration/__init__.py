# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The product in motion: a simulated room, watched live or measured once."""
