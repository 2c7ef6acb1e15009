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

using namespace std::chrono_literals;

// A sensor that is plugged in again is not to be missed for longer.
constexpr std::chrono::seconds first_pause = 10s, longest_pause = 1min;

std::chrono::seconds pause_after(int times) {
  std::chrono::seconds pause = first_pause;
  for (int i = 1; i < times && pause < longest_pause; ++i) pause *= 2;
  return std::min(pause, longest_pause);
}

bool is_below(const Oid& oid, const Oid& root) {
  return oid.size() > root.size() && std::equal(root.begin(), root.end(), oid.begin());
}

}  // namespace

Result<std::map<Oid, ObjectValue>> ObjectReader::get(const std::vector<Oid>& oids, bool patient) {
  std::map<Oid, ObjectValue> found;
  was_denied_ = false;
  const auto asked = ask(SnmpOperation::get, oids, patient, [&](const Oid&, Varbind got) {
    found.insert_or_assign(std::move(got.oid), std::move(got.value));
  });
  if (!asked) return asked.error();
  if (found.empty() && was_denied_)
    return fail(Errc::not_authorized, Retry::later, "not authorized: the device lets this user read nothing");
  return found;
}

Result<std::map<Oid, ObjectValue>> ObjectReader::poll(const std::vector<Oid>& oids, bool patient,
                                                      Steady now) {
  const std::vector<Oid> asked = without_absent(oids, now);
  auto found = get(asked, patient);
  if (!found) return found;
  if (found->empty()) {  // it is starting up, and teaches nothing
    absences_.clear();
    return found;
  }
  for (const Oid& oid : asked) {
    if (found->contains(oid)) {
      absences_.erase(oid);
      continue;
    }
    Absence& absence = absences_[oid];
    absence.again_at = now + pause_after(++absence.times);
  }
  return found;
}

/// All where none would be left: something has to be asked.
std::vector<Oid> ObjectReader::without_absent(const std::vector<Oid>& oids, Steady now) const {
  std::vector<Oid> rest;
  for (const Oid& oid : oids) {
    const auto absence = absences_.find(oid);
    if (absence == absences_.end() || absence->second.again_at <= now) rest.push_back(oid);
  }
  return rest.empty() ? oids : rest;
}

Result<std::set<Oid>> ObjectReader::present(const std::vector<Oid>& subtrees) {
  std::set<Oid> found;
  const auto asked = ask(SnmpOperation::get_next, subtrees, true, [&](const Oid& root, const Varbind& got) {
    if (is_below(got.oid, root)) found.insert(root);
  });
  if (!asked) return asked.error();
  return found;
}

Result<void> ObjectReader::ask(SnmpOperation operation, const std::vector<Oid>& oids, bool patient,
                               const Take& take) {
  std::size_t next = 0;
  while (next < oids.size()) {
    const std::size_t count = std::min(static_cast<std::size_t>(most_objects_), oids.size() - next);
    const auto begin = oids.begin() + static_cast<std::ptrdiff_t>(next);
    const auto asked =
        ask_batch(operation, {begin, begin + static_cast<std::ptrdiff_t>(count)}, patient, take);
    if (!asked) return asked.error();
    next += count;
  }
  return {};
}

Result<void> ObjectReader::ask_batch(SnmpOperation operation, std::vector<Oid> oids, bool patient,
                                     const Take& take) {
  while (!oids.empty()) {
    auto reply = session_.ask(operation, oids);
    if (!reply && patient && reply.error().retry == Retry::now) reply = session_.ask(operation, oids);
    if (!reply) return reply.error();
    if (reply->error == no_error) {
      for (std::size_t i = 0; i < reply->varbinds.size() && i < oids.size(); ++i)
        if (!std::holds_alternative<NothingThere>(reply->varbinds[i].value))
          take(oids[i], std::move(reply->varbinds[i]));
      return {};
    }
    if (reply->error == too_big && oids.size() > 1) {
      most_objects_ = std::max(1, std::min(most_objects_, static_cast<int>(oids.size() / 2)));
      return ask_in_halves(operation, oids, patient, take);
    }
    const bool is_denied = reply->error == authorization_error || reply->error == no_access;
    was_denied_ |= is_denied;
    if (is_denied && reply->error_index == 0 && oids.size() > 1)
      return ask_in_halves(operation, oids, patient, take);
    // The agent names the object it stumbled over (RFC 1157 4.1.2: noSuchName refuses the whole request).
    const auto culprit =
        static_cast<std::size_t>(std::clamp<long>(reply->error_index, 1, static_cast<long>(oids.size())));
    oids.erase(oids.begin() + static_cast<std::ptrdiff_t>(culprit - 1));
  }
  return {};
}

Result<void> ObjectReader::ask_in_halves(SnmpOperation operation, const std::vector<Oid>& oids, bool patient,
                                         const Take& take) {
  const auto middle = oids.begin() + static_cast<std::ptrdiff_t>(oids.size() / 2);
  if (const auto got = ask_batch(operation, {oids.begin(), middle}, patient, take); !got) return got.error();
  return ask_batch(operation, {middle, oids.end()}, patient, take);
}

Result<SnmpReply> ObjectReader::next_rows(const Oid& after) {
  while (true) {
    auto reply = has_bulk_ ? session_.ask(SnmpOperation::get_bulk, {after}, repetitions_)
                           : session_.ask(SnmpOperation::get_next, {after});
    const bool is_too_much =
        (!reply && reply.error().code == Errc::no_answer) || (reply && reply->error == too_big);
    if (!is_too_much || !has_bulk_ || repetitions_ <= 1) {
      if (reply && reply->error == no_error) grow();
      return reply;
    }
    repetitions_ = std::max(1, repetitions_ / 4);
    good_replies_ = 0;
    good_replies_to_grow_ = std::min(2 * good_replies_to_grow_, 10'000);
  }
}

void ObjectReader::grow() {
  if (repetitions_ == most_repetitions_ || ++good_replies_ < good_replies_to_grow_) return;
  repetitions_ = std::min(most_repetitions_, 2 * repetitions_);
  good_replies_ = 0;
}

Result<std::map<Oid, ObjectValue>> ObjectReader::column(const Oid& column) {
  std::map<Oid, ObjectValue> rows;
  Oid last = column;
  while (rows.size() < most_rows) {
    auto reply = next_rows(last);
    if (!reply) return reply.error();
    if (reply->error != no_error || reply->varbinds.empty()) return rows;  // SNMPv1 ends a walk this way
    for (Varbind& varbind : reply->varbinds) {
      if (!is_below(varbind.oid, column) || varbind.oid <= last ||
          std::holds_alternative<NothingThere>(varbind.value))
        return rows;
      last = varbind.oid;
      rows.emplace(Oid{last.begin() + static_cast<std::ptrdiff_t>(column.size()), last.end()},
                   std::move(varbind.value));
    }
  }
  return rows;
}

}  // namespace watchroom::agent
