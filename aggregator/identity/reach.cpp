// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/reach.hpp"

#include <algorithm>

#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::string_view region = "region:", site = "site:", room = "room:";

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 200 && count_of_characters(text) && !has_control_characters(text);
}

}  // namespace

bool is_domain(std::string_view text) {
  if (text.starts_with(region)) return is_name(text.substr(region.size()));
  if (text.starts_with(site)) {
    const std::string_view name = text.substr(site.size());
    return is_name(name) && name.find('/') == std::string_view::npos;
  }
  if (!text.starts_with(room)) return false;
  const std::string_view place = text.substr(room.size());
  const auto slash = place.find('/');
  return slash != std::string_view::npos && is_name(place.substr(0, slash)) &&
         is_name(place.substr(slash + 1)) && place.find('/', slash + 1) == std::string_view::npos;
}

Reach Reach::of(const std::vector<std::string>& domains, const Regions& regions) {
  Reach reach;
  if (domains.empty()) return reach;
  Limit limit;
  for (const std::string_view domain : domains) {
    if (domain.starts_with(region)) {
      const auto named = regions.find(domain.substr(region.size()));
      if (named != regions.end()) limit.sites.insert(named->second.begin(), named->second.end());
    } else if (domain.starts_with(site)) {
      limit.sites.emplace(domain.substr(site.size()));
    } else if (domain.starts_with(room)) {
      limit.rooms.emplace(domain.substr(room.size()));
    }
  }
  reach.limits_.push_back(std::move(limit));
  return reach;
}

Reach Reach::within(const Reach& other) const {
  Reach both = *this;
  both.limits_.insert(both.limits_.end(), other.limits_.begin(), other.limits_.end());
  return both;
}

bool Reach::covers(std::string_view in_site, std::string_view agent) const {
  return std::all_of(limits_.begin(), limits_.end(), [&](const Limit& limit) {
    return limit.sites.contains(in_site) ||
           limit.rooms.contains(std::string{in_site} + "/" + std::string{agent});
  });
}

}  // namespace watchroom::aggregator
