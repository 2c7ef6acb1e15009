// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace watchroom::aggregator {

/// Named lists of sites, as aggregator.toml has them.
using Regions = std::map<std::string, std::set<std::string>, std::less<>>;

/// "region:NAME", "site:SITE" or "room:SITE/AGENT": one agent serves one room.
bool is_domain(std::string_view text);

/// What of the house somebody may see and touch. Everything unless it was limited.
class Reach {
 public:
  Reach() = default;
  /// Limited to these domains; no domains is no limit. A region that nobody has named covers nothing.
  static Reach of(const std::vector<std::string>& domains, const Regions& regions);

  /// Only what both cover.
  Reach within(const Reach& other) const;
  bool is_everything() const { return limits_.empty(); }
  bool covers(std::string_view site, std::string_view agent) const;
  auto operator<=>(const Reach&) const = default;

 private:
  struct Limit {
    std::set<std::string, std::less<>> sites;
    std::set<std::string, std::less<>> rooms;  // "site/agent"
    auto operator<=>(const Limit&) const = default;
  };
  std::vector<Limit> limits_;  // each must cover it
};

}  // namespace watchroom::aggregator
