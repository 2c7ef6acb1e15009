// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "proto/base/replace_file.hpp"

namespace watchroom::aggregator {

using watchroom::FolderLock;
using watchroom::replace_file;

}  // namespace watchroom::aggregator
