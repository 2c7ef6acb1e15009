// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/object_reader.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

// error-status values of RFC 3416 3.
constexpr int no_error = 0, too_big = 1, no_access = 6, authorization_error = 16;
// More rows than any power strip or UPS has: a device that goes on is broken.
constexpr std::size_t most_rows = 1000;

bool is_below(const Oid& oid, const Oid& root) {
  return oid.size() > root.size() && std::equal(root.begin(), root.end(), oid.begin());
}

}  // namespace

Result<std::map<Oid, ObjectValue>> ObjectReader::get(const std::vector<Oid>& oids, bool patient) {
  std::map<Oid, ObjectValue> found;
  std::size_t next = 0;
  while (next < oids.size()) {
    const std::size_t count = std::min(static_cast<std::size_t>(most_objects_), oids.size() - next);
    const auto begin = oids.begin() + static_cast<std::ptrdiff_t>(next);
    const auto got = get_batch({begin, begin + static_cast<std::ptrdiff_t>(count)}, patient, found);
    if (!got) return got.error();
    next += count;
  }
  return found;
}

Result<void> ObjectReader::get_batch(std::vector<Oid> oids, bool patient, std::map<Oid, ObjectValue>& found) {
  while (!oids.empty()) {
    auto reply = session_.ask(SnmpOperation::get, oids);
    if (!reply && patient && reply.error().retry == Retry::now)
      reply = session_.ask(SnmpOperation::get, oids);
    if (!reply) return reply.error();
    if (reply->error == no_error) {
      for (Varbind& varbind : reply->varbinds)
        if (!std::holds_alternative<NothingThere>(varbind.value))
          found.insert_or_assign(std::move(varbind.oid), std::move(varbind.value));
      return {};
    }
    if (reply->error == too_big && oids.size() > 1) {
      const std::size_t half = oids.size() / 2;
      most_objects_ = std::max(1, std::min(most_objects_, static_cast<int>(half)));
      const auto middle = oids.begin() + static_cast<std::ptrdiff_t>(half);
      if (const auto got = get_batch({oids.begin(), middle}, patient, found); !got) return got.error();
      oids.erase(oids.begin(), middle);
      continue;
    }
    if (reply->error == authorization_error || reply->error == no_access)
      return fail(Errc::not_authorized, Retry::later,
                  "not authorized: the device lets this user read nothing");
    // The agent names the object it stumbled over (RFC 1157 4.1.2: noSuchName refuses the whole request).
    const auto culprit =
        static_cast<std::size_t>(std::clamp<long>(reply->error_index, 1, static_cast<long>(oids.size())));
    oids.erase(oids.begin() + static_cast<std::ptrdiff_t>(culprit - 1));
  }
  return {};
}

Result<SnmpReply> ObjectReader::next_rows(const Oid& after) {
  while (true) {
    auto reply = has_bulk_ ? session_.ask(SnmpOperation::get_bulk, {after}, repetitions_)
                           : session_.ask(SnmpOperation::get_next, {after});
    const bool is_too_much =
        (!reply && reply.error().code == Errc::no_answer) || (reply && reply->error == too_big);
    if (!is_too_much || !has_bulk_ || repetitions_ <= 1) return reply;
    repetitions_ /= 4;
    if (repetitions_ < 1) repetitions_ = 1;
  }
}

Result<std::vector<Oid>> ObjectReader::rows_of(const Oid& column) {
  std::vector<Oid> indices;
  Oid last = column;
  while (indices.size() < most_rows) {
    const auto reply = next_rows(last);
    if (!reply) return reply.error();
    if (reply->error != no_error || reply->varbinds.empty()) return indices;  // SNMPv1 ends a walk this way
    for (const Varbind& varbind : reply->varbinds) {
      if (!is_below(varbind.oid, column) || varbind.oid <= last ||
          std::holds_alternative<NothingThere>(varbind.value))
        return indices;
      last = varbind.oid;
      indices.emplace_back(last.begin() + static_cast<std::ptrdiff_t>(column.size()), last.end());
    }
  }
  return indices;
}

}  // namespace watchroom::agent
