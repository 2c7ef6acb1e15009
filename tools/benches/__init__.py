# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""One bench a file; tools/bench finds them by folder scan."""
