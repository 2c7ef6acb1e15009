# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A machine room that follows simple physics and answers over Modbus and SNMP."""
