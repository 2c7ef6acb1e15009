// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/freshness.hpp"

#include <algorithm>

namespace watchroom {
namespace {

// The centre's clock and ours may differ by as much.
constexpr std::chrono::minutes tolerance{2};

Error refused(std::string text) { return Error{Errc::refused, Retry::never, std::move(text)}; }

/// It answers a challenge: no clock has a say in it.
Result<void> check_age(const Order& order, std::chrono::milliseconds age) {
  if (age <= order.expires - order.issued) return {};
  return refused(fmt::format("the order is {} s old, and was good for {} s", age.count() / 1000,
                             (order.expires - order.issued).count() / 1000));
}

Result<void> check_clock(const Order& order, CertificateTime time, Timeliness timeliness) {
  if (timeliness == Timeliness::must_be_timely && !time.is_sure)
    return refused(
        "whether the order is of now cannot be judged: it answers no challenge of ours, and nobody vouches "
        "for "
        "our clock");
  if (time.is_sure && order.issued > time.now + tolerance)
    return refused(
        fmt::format("the order is of {}, and it is {}", to_rfc3339(order.issued), to_rfc3339(time.now)));
  if (order.expires < time.now)
    return refused(
        fmt::format("the order ended at {}, and it is {}", to_rfc3339(order.expires), to_rfc3339(time.now)));
  return {};
}

}  // namespace

Result<Heard> check_freshness(const Vouched& vouched, const Heard& before, std::string_view site,
                              std::string_view agent, const OrderTime& time, Timeliness timeliness) {
  const Order& order = vouched.order;
  if (order.site != site || order.agent != agent)
    return refused(fmt::format("the order is for {}/{}, we are {}/{}", order.site, order.agent, site, agent));
  if (order.number <= before.number)
    return Error{order.number == before.number ? Errc::conflict : Errc::refused, Retry::never,
                 fmt::format("order {} is not new: {} was heard already", order.number, before.number)};
  if (vouched.key_since < before.key_since)
    return refused(fmt::format("the order is signed with a key of {}, which a newer one of {} has ended",
                               to_rfc3339(vouched.key_since), to_rfc3339(before.key_since)));
  if (auto timely = time.age ? check_age(order, *time.age) : check_clock(order, time.wall, timeliness);
      !timely)
    return timely.error();
  return Heard{order.number, std::max(vouched.key_since, before.key_since)};
}

}  // namespace watchroom
