// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/commands/scan_range.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include <arpa/inet.h>

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {
namespace {

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint64_t count() const { return std::uint64_t{last} - first + 1; }
};

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> ipv4(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::string ipv4_text(std::uint32_t number) {
  in_addr address{};
  address.s_addr = htonl(number);
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &address, text.data(), text.size());
  return text.data();
}

/// Nothing: no range, take the host as it is.
Result<std::optional<Range>> hosts_of(std::string_view host) {
  const auto wrong = [&] {
    return fail(Errc::invalid, Retry::never,
                "host: \"{}\" is no range, expected 10.0.0.1-50 or 10.0.0.0/28 (a prefix from 16 to 30)",
                host);
  };
  if (const auto slash = host.find('/'); slash != std::string_view::npos) {
    const auto base = ipv4(std::string{host.substr(0, slash)});
    const auto prefix = number_of(host.substr(slash + 1));
    if (!base || !prefix || *prefix < 16 || *prefix > 30) return wrong();
    const std::uint32_t mask = 0xffffffffu << (32 - *prefix);
    return std::optional{Range{(*base & mask) + 1, (*base | ~mask) - 1}};
  }
  const auto dash = host.find('-');
  const auto first = dash == std::string_view::npos ? std::nullopt : ipv4(std::string{host.substr(0, dash)});
  if (!first) return std::optional<Range>{};  // a name may hold a dash
  const auto last = number_of(host.substr(dash + 1));
  if (!last || *last > 255 || *last < (*first & 0xff)) return wrong();
  return std::optional{Range{*first, (*first & 0xffffff00u) | *last}};
}

/// `part` is what the driver counts through: unit.
Result<std::optional<Range>> numbers_of(std::string_view part, std::string_view written) {
  const auto dash = written.find('-');
  if (dash == std::string_view::npos) return std::optional<Range>{};
  const auto first = number_of(written.substr(0, dash)), last = number_of(written.substr(dash + 1));
  if (!first || !last || *first > *last || *last > 247)
    return fail(Errc::invalid, Retry::never, "{}: \"{}\" is no range, expected such as 1-32", part, written);
  return std::optional{Range{*first, *last}};
}

/// A text with a part that may be one of several.
struct Split {
  std::string_view before, part, after;
};

Split split_at(std::string_view url, std::size_t begin, std::size_t end) {
  return {url.substr(0, begin), url.substr(begin, end - begin), url.substr(end)};
}

}  // namespace

Result<std::vector<std::string>> expand_range(std::string_view url, int limit) {
  const auto authority = url.find("://");
  const DriverType* type = driver_of_scheme(url.substr(0, std::min(authority, url.size())));
  if (!type) return std::vector{std::string{url}};
  const AddressGrammar& grammar = type->addresses;
  const auto mark = std::min(url.find(grammar.query_mark), url.size());
  const auto host_begin = std::min(authority + 3, mark);
  const auto host_end = std::min({mark, url.find(':', host_begin)});
  const Split host = split_at(url, host_begin, host_end);
  const bool is_line = host.part.starts_with('/') || host.part.starts_with('[');
  const auto hosts = is_line ? Result<std::optional<Range>>{std::optional<Range>{}} : hosts_of(host.part);
  if (!hosts) return hosts.error();

  const std::string counted = std::string{grammar.counted} + "=";
  auto unit_begin = grammar.counted.empty() ? std::string_view::npos : url.find(counted, mark);
  if (unit_begin != std::string_view::npos) unit_begin += counted.size();
  const auto unit_end =
      unit_begin == std::string_view::npos ? unit_begin : std::min(url.find('&', unit_begin), url.size());
  const auto units = unit_begin == std::string_view::npos
                         ? Result<std::optional<Range>>{std::optional<Range>{}}
                         : numbers_of(grammar.counted, url.substr(unit_begin, unit_end - unit_begin));
  if (!units) return units.error();
  const Range one{0, 0};
  const Range host_range = hosts->value_or(one), unit_range = units->value_or(one);
  if (host_range.count() * unit_range.count() > static_cast<std::uint64_t>(limit))
    return fail(Errc::invalid, Retry::never,
                "{} addresses are more than {}; narrow the range or give --limit",
                host_range.count() * unit_range.count(), limit);

  std::vector<std::string> all;
  for (std::uint64_t h = host_range.first; h <= host_range.last; ++h) {
    const std::string name = *hosts ? ipv4_text(static_cast<std::uint32_t>(h)) : std::string{host.part};
    for (std::uint32_t u = unit_range.first; u <= unit_range.last; ++u) {
      std::string rest{host.after};
      if (*units) {
        const auto at = unit_begin - host_end;
        rest.replace(at, unit_end - unit_begin, std::to_string(u));
      }
      all.push_back(std::string{host.before} + name + rest);
    }
  }
  return all;
}

}  // namespace watchroom::agent
