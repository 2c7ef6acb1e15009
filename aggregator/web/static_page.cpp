// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/static_page.hpp"

#include "aggregator/web/page.hpp"
#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {

std::optional<Answer> static_page(const Request& request) {
  const std::string_view path = request.path == "/" ? std::string_view{"/index.html"} : request.path;
  for (const PageFile& file : page_files()) {
    if (file.path != path) continue;
    if (request.method != "GET" && request.method != "HEAD") {
      Answer refused = refuse(Refusal::wrong_method, "This is a file.", "这是一个文件。");
      refused.headers.emplace_back("Allow", "GET, HEAD");
      return refused;
    }
    Answer answer;
    answer.content_type = file.content_type;
    answer.headers.emplace_back("ETag", file.etag);
    // Files under /assets carry a hash of their content in their name.
    answer.headers.emplace_back(
        "Cache-Control", path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
    if (request.if_none_match.find(file.etag) != std::string::npos)
      answer.status = 304;
    else
      answer.fixed_body = file.bytes;
    return answer;
  }
  return std::nullopt;
}

}  // namespace watchroom::aggregator
