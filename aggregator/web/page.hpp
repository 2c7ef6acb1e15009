// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <span>
#include <string_view>

namespace watchroom::aggregator {

/// A file of the built page, part of the program: nothing is read from disk to serve it.
struct PageFile {
  std::string_view path;  ///< "/index.html", "/assets/index-3f2a.js"
  std::string_view content_type;
  std::string_view bytes;
  std::string_view etag;  ///< quoted, from the content's SHA-256
};

/// Defined in a file that the build of web/ui generates.
std::span<const PageFile> page_files();

}  // namespace watchroom::aggregator
